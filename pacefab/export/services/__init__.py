"""What nodes and CIB show of each service, read back into its settings."""
