"""corosync.conf, read as corosync reads it, and what its addresses resolve to -> Membership. Pure.

The rules are those of `pacefab.pacemaker.corosync.conf`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

from pacefab.addresses import is_address, is_loopback
from pacefab.pacemaker.corosync import conf
from pacefab.pacemaker.corosync.conf import Block
from pacefab.pacemaker.model import Member, Membership

_RING = re.compile(r"ring\d+_addr")
_ADDRESS = re.compile(r"ip\(([^)]+)\)")
_MEMBER_ADDRESS = re.compile(
    r"^runtime\.(?:totem\.pg\.mrp\.srp\.)?members\.(\d+)\.ip \(str\) = (.*)$", re.MULTILINE
)


def parse(text: str, resolved: Mapping[str, str]) -> Membership:
    """Return cluster name and nodes of a corosync.conf(5); no nodes: it has no nodelist.

    A node is called as Pacemaker calls one whose name it does not know yet: by `name`, else by the
    name that stands for its address. One that has neither is called by its address, until somebody
    says better.

    Args:
        text: the file.
        resolved: address of each ringN_addr that is a name; names missing here are left out.

    Raises:
        ValueError: unbalanced braces, or names that cannot be any.
    """
    root = conf.parse(text)
    totem = dict(conf.section(root, "totem"))
    low = totem.get("clear_node_high_bit") == "yes"
    members = [
        _member(dict(node), resolved, low=low)
        for key, node in conf.section(root, "nodelist")
        if key == "node" and isinstance(node, list)
    ]
    cluster = str(totem.get("cluster_name", ""))
    for name in (cluster, *(member.name for member in members)):
        check_word(name)
    return Membership(cluster, ordered(members))


def check_word(name: str) -> None:
    """Raise a ValueError when a cluster or node has a name that is no word, or leads to a folder.

    Names are part of command lines and of paths, and are shown.
    """
    if not name.isprintable() or "/" in name or name.startswith((".", "-")):
        raise ValueError(f"a name that cannot be one: {name[:40]!r}")


def ordered(members: Iterable[Member]) -> tuple[Member, ...]:
    """Return members by their node ids: the one order that all nodes agree on."""
    return tuple(sorted(members, key=lambda m: (int(m.id), "") if m.id else (0, m.name)))


def is_shipped(membership: Membership) -> bool:
    """Whether this is the cluster of Debian's package: one node, which no other one reaches."""
    addresses = [a for member in membership.members for a in member.addresses]
    return len(membership.members) == 1 and bool(addresses) and all(map(is_loopback, addresses))


def parse_resolved(output: str) -> dict[str, str]:
    """Return name -> address from lines of both: the first that is no loopback address.

    A name that the hosts file maps to 127.0.1.1 (Debian's installer writes that) says nothing about
    the address that other nodes use.
    """
    pairs = [line.split() for line in output.splitlines()]
    usable = [p for p in pairs if len(p) == 2 and not is_loopback(p[1])]  # noqa: PLR2004
    return {p[0]: p[1] for p in reversed(usable)}


def parse_addresses(output: str) -> dict[str, tuple[str, ...]]:
    """Return node id -> addresses from `corosync-cmapctl`'s keys of the nodes that it sees."""
    found = _MEMBER_ADDRESS.findall(output)
    return {number: tuple(_ADDRESS.findall(rings)) for number, rings in found}


def _member(fields: Mapping[str, str | Block], resolved: Mapping[str, str], *, low: bool) -> Member:
    rings = [str(fields[key]) for key in sorted(fields, key=_number) if _RING.fullmatch(key)]
    addresses = [a for ring in rings if is_address(a := resolved.get(ring, ring))]
    name = str(fields.get("name", rings[0] if rings else ""))
    number = str(fields.get("nodeid", "")) or _own_id(addresses, low=low)
    return Member(name, tuple(addresses), str(int(number)) if number.isdecimal() else "")


def _number(key: str) -> int:
    """Return the number in a key: ring10_addr comes after ring2_addr."""
    return int("".join(filter(str.isdecimal, key)) or 0)


def _own_id(addresses: Iterable[str], *, low: bool) -> str:
    """Return the id that corosync gives a node without one: its first address as a number."""
    first = next((ipaddress.ip_address(a) for a in addresses), None)
    if not isinstance(first, ipaddress.IPv4Address):
        return ""
    return str(int(first) & 0x7FFFFFFF if low else int(first))
