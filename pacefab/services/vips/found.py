"""VIPs as they stand in a CIB, whoever made them. Pure."""

from __future__ import annotations

from pacefab.pacemaker.cib import Cib, pairs, plain_set

_AGENTS = ("ocf:heartbeat:IPaddr2", "ocf:heartbeat:IPaddr")  # the second in old clusters


def addresses(cib: Cib) -> dict[str, str]:
    """Return the address of each VIP by its resource; one without an address is left out."""
    found = {
        primitive.get("id", ""): pairs(plain_set(primitive, "instance_attributes")).get("ip")
        for agent in _AGENTS
        for primitive in cib.primitives_of(agent)
    }
    return {resource: address for resource, address in found.items() if address}
