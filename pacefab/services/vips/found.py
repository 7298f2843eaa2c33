"""VIPs as they stand in a CIB, whoever made them. Pure."""

from __future__ import annotations

from pacefab.pacemaker.cib import Cib
from pacefab.services.vips.section import Vip, VipsSection

AGENTS = ("ocf:heartbeat:IPaddr2", "ocf:heartbeat:IPaddr")  # the second in old clusters


class FoundVip(Vip):
    """A VIP of a cluster, under whatever id."""

    @property
    def resource(self) -> str:
        """The id of its resource."""
        return self.name


def find_section(cib: Cib) -> VipsSection | None:
    """Return the VIPs of a cluster as an inventory would name them; None when it has none."""
    found = tuple(
        FoundVip.model_construct(name=resource, address=address)
        for resource, address in vip_addresses(cib).items()
    )
    return VipsSection.model_construct(addresses=found) if found else None


def vip_addresses(cib: Cib) -> dict[str, str]:
    """Return the address of each VIP by its resource; one without an address is left out."""
    found = {
        primitive.get("id", ""): cib.parameters(primitive).get("ip")
        for agent in AGENTS
        for primitive in cib.primitives_of(agent)
    }
    return {resource: address for resource, address in found.items() if address}
