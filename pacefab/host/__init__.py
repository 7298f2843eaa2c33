"""One node without regard to its cluster: packages, units, files."""
