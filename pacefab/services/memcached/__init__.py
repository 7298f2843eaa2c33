"""memcached on every node, as a clone; clients know all of them."""
