"""The report of a migration: what became of each line, and what looks like a bug in the scripts."""
