"""pcs commands, from 0.9 to current: read, checked as pcs would, and replayed on the cluster."""
