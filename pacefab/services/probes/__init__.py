"""Programs that ask a service from another node, as its clients would."""
