"""Which nodes the cluster has, and by which addresses they are reached."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.source import sections

_ADDRESS_KEYS = ("int_ip", "ip", "address", "mgmt_ip", "internal_ip", "host_ip", "ipaddr")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")


@dataclass(frozen=True)
class FoundNode:
    """What is known of a node; the address is empty when it is unknown."""

    address: str
    place: Place


def find_nodes(walk: Walk, entries: list[ReportLine]) -> dict[str, FoundNode]:
    """Return the nodes by `pcs cluster setup`; else those that pcs commands were run on."""
    found = {name: value.place for name, value in walk.replay.cluster.nodes.items()}
    if not found:
        found = _by_use(walk)
        place = next(iter(found.values()), Place("", 0))
        names = ", ".join(found) or "none"
        entries.append(
            ReportLine(
                Fate.UNTRANSLATED,
                place,
                "nodes",
                f"no script sets up the cluster; its nodes are assumed to be {names}",
                "write nodes and cluster by hand, as corosync.conf has them",
            )
        )
    addresses = dict(_addresses(walk))
    return {name: addresses.get(name, FoundNode("", place)) for name, place in found.items()}


def _by_use(walk: Walk) -> dict[str, Place]:
    """Return hosts that packages were installed on or pcs was run on, each with its place."""
    found: dict[str, Place] = {}
    several, present = walk.replay.several, walk.replay.present
    many = len(several.members) > 1
    for host, place in (
        *((package.host, package.place) for package in walk.world.effects.packages),
        *((command.call.host, command.call.place) for command in walk.replay.done),
    ):
        own = not many or several.of_host(host) == present
        if own and _NAME.match(host) and _address(host) == "":
            found.setdefault(host, place)
    if many and found:  # hosts of commands that only authenticate are nodes, too
        place = next(iter(found.values()))
        found.update(dict.fromkeys(sorted(several.members[present] - found.keys()), place))
    return found


def _addresses(walk: Walk) -> Iterator[tuple[str, FoundNode]]:
    """Yield nodes with their addresses, the surest source last (it wins)."""
    for name, value in walk.replay.cluster.addresses.items():
        if _address(value.text):
            yield name, FoundNode(_address(value.text), value.place)
    for path, text in sorted(walk.world.files.written.items()):
        if path == "/etc/hosts":
            yield from _of_hosts(text.text, text.place)
    for file in walk.world.tree.files.values():
        if file.path.rpartition("/")[2] == "hosts":
            yield from _of_hosts(file.text, Place(file.path, 1))
    for file in walk.world.tree.files.values():
        if file.path.endswith((".ini", ".conf", ".cfg")):
            yield from _of_sections(file.path, file.text)


def _of_hosts(text: str, place: Place) -> Iterator[tuple[str, FoundNode]]:
    for number, line in enumerate(text.split("\n")):
        words = line.split("#")[0].split()
        if len(words) > 1 and _address(words[0]):
            for name in words[1:]:
                yield name, FoundNode(_address(words[0]), Place(place.file, place.line + number))


def _of_sections(path: str, text: str) -> Iterator[tuple[str, FoundNode]]:
    """Yield what [NODE] int_ip=… and KEY=NODE beside KEY_ip=… say."""
    found = sections(text)
    for name, items in found.items():
        for key in reversed(_ADDRESS_KEYS):
            if key in items and _address(items[key][0]):
                yield name, FoundNode(_address(items[key][0]), Place(path, items[key][1]))
    for items in found.values():
        for key, (value, _) in items.items():
            address, line = items.get(f"{key}_ip", ("", 0))
            if _address(address):
                yield value, FoundNode(_address(address), Place(path, line))


def _address(text: str) -> str:
    """Return an address that other hosts could reach, in its usual spelling; else nothing."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    loopback = address.is_loopback or address.is_unspecified or address.is_multicast
    return "" if loopback or "%" in text else str(address)
