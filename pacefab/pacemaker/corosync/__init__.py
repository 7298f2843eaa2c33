"""corosync.conf: read, compared with what is desired of it, rendered."""
