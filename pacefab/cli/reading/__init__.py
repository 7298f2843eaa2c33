"""What was typed: read, completed, or explained where it cannot be read."""
