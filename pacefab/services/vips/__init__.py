"""Virtual IP addresses, with the load balancer or without."""
