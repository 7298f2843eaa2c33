"""A fault on purpose: the load beside it, what was seen, and how it is taken back."""
