"""What is to run where, by Pacemaker's own word, and why something is not."""
