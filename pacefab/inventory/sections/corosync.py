"""The section `corosync`: what the nodes' corosync.conf says, but who the nodes are."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pacefab.inventory.model import Part, unfit
from pacefab.inventory.sections.quorum import Quorum, QuorumDevice
from pacefab.inventory.sections.totem import (
    CONF,
    KNET_NAMES,
    UDP_OPTIONS,
    Compression,
    Crypto,
    Link,
    Positive,
    Totem,
    Whole,
    texts,
    whole,
)
from pacefab.pacemaker.corosync.conf import Key


class Corosync(Part):
    """What the nodes' corosync.conf says; what is not given is as corosync has it by default."""

    transport: Literal["knet", "udp", "udpu"] = Field(
        default="knet",
        description=f"knet, udp or udpu; only knet has several links and crypto ({CONF})",
    )
    ip_version: Literal["ipv4", "ipv6", "ipv4-6", "ipv6-4"] | None = Field(
        default=None,
        description="ipv4, ipv6, ipv4-6 or ipv6-4: how names become addresses (default ipv6-4, of "
        f"udp ipv4; {CONF})",
    )
    netmtu: Positive | None = Field(
        default=None,
        description="a whole number, 1 or more, udp and udpu alone: bytes of a packet (default "
        f"1500; {CONF})",
    )
    knet_pmtud_interval: Whole | None = whole("s between measurements of the MTU", "30")
    link_mode: Literal["passive", "active", "rr"] | None = Field(
        default=None,
        description=f"passive, active or rr: which links are used (default passive; {CONF})",
    )
    links: tuple[Link, ...] = Field(
        default=(),
        max_length=8,
        description="a list of mappings, the options of link 0, 1, …; the addresses stand with the "
        "nodes (address, links)",
    )
    crypto: Crypto = Field(
        default_factory=Crypto, description="a mapping of cipher, hash, model; for knet alone"
    )
    compression: Compression | None = Field(
        default=None,
        description="a mapping of model, threshold, level; for knet alone (default: none)",
    )
    totem: Totem = Field(
        default_factory=Totem,
        description=f"the protocol's times and limits by corosync's names ({CONF})",
    )
    quorum: Quorum = Field(
        default_factory=Quorum,
        description="a mapping of wait_for_all, auto_tie_breaker, last_man_standing, "
        "last_man_standing_window",
    )
    qdevice: QuorumDevice | None = Field(
        default=None,
        description="a quorum device, a mapping of host, algorithm and options (default: none)",
    )

    @model_validator(mode="after")
    def _what_excludes_what(self) -> Self:
        for problem in (*self._of_transport(), *self._of_quorum()):
            raise unfit(problem)
        return self

    def _of_transport(self) -> list[str]:
        own = [
            name for link in self.links for name in UDP_OPTIONS if getattr(link, name) is not None
        ]
        if self.transport == "knet":
            found = [f"{name} is an option of udp" for name in own]
            return [*found, *(["netmtu is an option of udp and udpu"] if self.netmtu else [])]
        knet = ("crypto", "compression", "link_mode", "knet_pmtud_interval")
        given = [name for name in knet if name in self.model_fields_set]
        given += [n for link in self.links for n in KNET_NAMES if getattr(link, n) is not None]
        found = [f"{name} is for knet, and transport is {self.transport}" for name in given]
        if len(self.links) > 1:
            found.append(f"{self.transport} has one link: several need transport knet")
        return found + [f"{name} is an option of udp" for name in own if self.transport == "udpu"]

    def _of_quorum(self) -> list[str]:
        ways = ("auto_tie_breaker", "last_man_standing")
        given = [name for name in ways if getattr(self.quorum, name)]
        said = "excludes a quorum device, which breaks ties itself: keep one of them"
        return [f"{name} {said}" for name in given] if self.qdevice else []

    def values(self) -> dict[Key, str]:
        """Return what stands in corosync.conf, by the place there; nodes and two_node aside."""
        own = texts(self)
        found: dict[Key, str] = {("totem", name): value for name, value in own.items()}
        if self.transport == "knet":
            found |= {("totem", f"crypto_{k}"): v for k, v in texts(self.crypto).items()}
        if self.compression:
            packed = texts(self.compression).items()
            found |= {("totem", f"knet_compression_{k}"): v for k, v in packed}
        found |= {("totem", k): _word(v) for k, v in texts(self.totem).items()}
        for number, link in enumerate(self.links):
            found |= {("link", str(number), k): v for k, v in link.values().items()}
        quorum = {k: {"true": "1", "false": "0"}.get(v, v) for k, v in texts(self.quorum).items()}
        off = ("auto_tie_breaker", "last_man_standing")
        found |= {("quorum", k): v for k, v in quorum.items() if not (k in off and v == "0")}
        return {**found, **(self.qdevice.values() if self.qdevice else {})}


def _word(value: str) -> str:
    return {"true": "yes", "false": "no"}.get(value, value)
