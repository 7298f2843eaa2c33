"""HAProxy: the load balancer on every node, as a clone."""
