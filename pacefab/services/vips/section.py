"""The section `vips` of an inventory: addresses that move with the service behind them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from pacefab.inventory.model import Address, Part, unfit

T = TypeVar("T", bound=Hashable)
PREFIX = "vip-"  # of a VIP's resource: vip-db
_FOLLOWS = "a service of this inventory (redis): only where its promoted instance is"


def _bare(name: str) -> str:
    if name.startswith(PREFIX):
        raise unfit(f"the resource will be called {PREFIX}{name}: leave {PREFIX} out")
    return name


class Vip(Part):
    """A virtual IP address: one node has it at a time."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$"), AfterValidator(_bare)] = Field(
        description=f"what the VIP serves: letters, digits, - and _ (db: the resource {PREFIX}db)"
    )
    address: Address = Field(description="an IPv4 or IPv6 address that no host has for itself")
    nic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}$")] | None = Field(
        default=None,
        description="an interface's name on every node (eth0); found on the nodes when not given",
    )
    netmask: Annotated[int, Field(ge=1, le=128)] | None = Field(
        default=None,
        description="the length of the network's prefix, a whole number (24); found on the nodes "
        "when not given",
    )
    follows: str | None = Field(default=None, description=_FOLLOWS)

    @property
    def resource(self) -> str:
        """The id of its resource."""
        return PREFIX + self.name


def _distinct(vips: tuple[Vip, ...]) -> tuple[Vip, ...]:
    for key in ("name", "address"):
        twice = repeated(getattr(vip, key) for vip in vips)
        if twice is not None:
            raise unfit(f"two VIPs have the {key} {twice}")
    return vips


class VipsSection(Part):
    """VIPs, in the order in which Pacemaker spreads them over the nodes."""

    addresses: Annotated[tuple[Vip, ...], AfterValidator(_distinct)] = Field(
        min_length=1, description="a list of VIPs, one or more, each {name: db, address: 192.0.2.9}"
    )
    with_load_balancer: bool = Field(
        default=False,
        description="true (a VIP runs only on nodes where HAProxy runs) or false",
    )

    follows: str | None = Field(
        default=None, description=f"for all addresses that do not say it themselves: {_FOLLOWS}"
    )

    def followed_by(self, vip: Vip) -> str | None:
        """Return the service whose promoted instance a VIP follows; None when it follows none."""
        return vip.follows or self.follows

    def address_of(self, name: str) -> str | None:
        """Return the address of the VIP with this name; None when there is none."""
        return next((vip.address for vip in self.addresses if vip.name == name), None)


def misfits(
    section: VipsSection, sections: Mapping[str, object], _nodes: Sequence[str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the services that VIPs follow and the inventory does not have."""
    every: list[tuple[tuple[str | int, ...], str | None]] = [(("follows",), section.follows)]
    every += [(("addresses", i, "follows"), v.follows) for i, v in enumerate(section.addresses)]
    for path, service in every:
        if service is not None and service not in sections:
            yield path, f"there is no service {service}; there are {', '.join(sections)}"


def repeated(values: Iterable[T]) -> T | None:
    """Return the first value that comes a second time; None when each comes once."""
    seen: set[T] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
