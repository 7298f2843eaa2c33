"""The account of every line: what became of it, and what looks like a bug."""
