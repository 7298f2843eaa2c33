"""Services as data: options in, wanted state out. Nothing here knows a connection."""
