"""One change at a time, whole or not at all: the lease of a cluster, and the log of its changes."""
