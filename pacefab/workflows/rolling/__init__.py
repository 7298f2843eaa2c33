"""A change that needs a restart, node by node."""
