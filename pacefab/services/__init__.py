"""Services as data: options in, desired state out. Nothing here knows a connection."""
