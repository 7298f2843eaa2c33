"""The program: one run over all hosts of -H, the way to each of them, options and settings."""
