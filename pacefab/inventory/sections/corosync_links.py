"""Contradictions between the nodes' links and the section `corosync`. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from pacefab.inventory.document import Path
from pacefab.inventory.nodes import Node
from pacefab.inventory.sections.corosync import Corosync

Found = Iterator[tuple[Path, str]]


def corosync_contradictions(nodes: Sequence[Node], corosync: Corosync | None) -> Found:
    """Yield each place that does not fit, and why, in the words of an error message."""
    yield from _uneven_links(nodes)
    yield from _taken_addresses(nodes)
    yield from _mixed_families(nodes)
    if corosync is None:
        return
    several = max(len(node.links) for node in nodes)
    if several and corosync.transport != "knet":
        said = f"{corosync.transport} has one link, and nodes have links: use transport knet"
        yield ("corosync", "transport"), said
    for number in range(several + 1, len(corosync.links)):
        yield ("corosync", "links", number), f"no node has an address on link {number}"
    if corosync.qdevice and corosync.qdevice.host in _names(nodes):
        path = ("corosync", "qdevice", "host")
        yield path, "it is a node of the cluster: a quorum device is on another host"


def _names(nodes: Sequence[Node]) -> set[str]:
    every = [(node.name, node.address or "", *node.links) for node in nodes]
    return {name for names in every for name in names if name}


def _uneven_links(nodes: Sequence[Node]) -> Found:
    """Yield nodes that have fewer links than others, or further links and no first."""
    most = max(len(node.links) for node in nodes)
    for i, node in enumerate(nodes):
        if node.links and node.address is None:
            yield ("nodes", i), "it has links and no address, which is that on link 0"
        if len(node.links) < most:
            lacks = f"link {len(node.links) + 1}"
            yield ("nodes", i), f"it has no address on {lacks}, which other nodes have"


def _taken_addresses(nodes: Sequence[Node]) -> Found:
    """Yield addresses on further links that are another one's already."""
    owners = {node.address: f"{node.name}'s on link 0" for node in nodes if node.address}
    for i, node in enumerate(nodes):
        for j, address in enumerate(node.links):
            if address in owners:
                yield ("nodes", i, "links", j), f"{address} is {owners[address]} already"
            owners[address] = f"{node.name}'s on link {j + 1}"


def _mixed_families(nodes: Sequence[Node]) -> Found:
    """Yield addresses of another IP version than the first node's on that link."""
    first: dict[int, int] = {}
    for i, node in enumerate(nodes):
        every = [node.address, *node.links] if node.links else []
        for number, address in enumerate(every):
            if address is None:
                continue
            version = ipaddress.ip_address(address).version
            if first.setdefault(number, version) != version:
                path = ("nodes", i, "links", number - 1) if number else ("nodes", i, "address")
                yield path, f"on link {number} other nodes have IPv{first[number]} (knet needs one)"
