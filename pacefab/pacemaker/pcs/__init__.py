"""What pcs would be given for the same."""
