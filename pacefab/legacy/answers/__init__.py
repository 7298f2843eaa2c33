"""A file with what no script says: written with what a migration asks, read with the answers."""
