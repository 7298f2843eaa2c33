"""IP addresses as they stand in files: among names, in brackets, or neither."""

from __future__ import annotations

import ipaddress


def is_address(text: str) -> bool:
    """Whether this is an IP address and no name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Whether only the host itself reaches it; brackets around IPv6 and `localhost` count too."""
    bare = text.strip("[]")
    return bare == "localhost" or (is_address(bare) and ipaddress.ip_address(bare).is_loopback)


def no_hosts(text: str) -> str:
    """Return why no other host is reached at an address, in a word; empty: one may be."""
    address = ipaddress.ip_address(text)
    address = getattr(address, "ipv4_mapped", None) or address
    kinds = {
        "loopback": address.is_loopback,
        "multicast": address.is_multicast,
        "unspecified": address.is_unspecified or address in _THIS_NETWORK,
        "broadcast": address == _BROADCAST,
    }
    return next((kind for kind, holds in kinds.items() if holds), "")


_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")


def bracketed(address: str) -> str:
    """Return an address as it stands before a port: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address
