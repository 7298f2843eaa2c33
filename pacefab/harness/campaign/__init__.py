"""A campaign of kills, faults and operators at once, and what it leaves of a cluster."""
