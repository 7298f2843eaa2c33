"""Redis, or Valkey: one node takes the writes, the others follow it."""
