"""How a node is reached: connections, commands as parts, the same call on many hosts."""
