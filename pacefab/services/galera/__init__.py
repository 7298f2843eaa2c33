"""Galera: a promotable clone of MariaDB, with a check for the load balancer."""
