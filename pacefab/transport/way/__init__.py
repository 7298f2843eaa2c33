"""The way to a host, as OpenSSH goes it: configuration, hops, host keys, own keys."""
