"""corosync.conf and what its node addresses resolve to -> Membership. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pacefab.addresses import is_address, is_loopback
from pacefab.pacemaker.model import Member, Membership

_RING = re.compile(r"ring\d+_addr")

Block = list[tuple[str, "str | Block"]]


def parse(text: str, resolved: Mapping[str, str]) -> Membership:
    """Return cluster name and nodes of a corosync.conf(5).

    Args:
        text: the file.
        resolved: address of each ringN_addr that is a name; names missing here are left out.

    Raises:
        ValueError: unbalanced braces.
    """
    root = _block(iter(text.splitlines()), nested=False)
    totem = dict(_first(root, "totem"))
    members = tuple(
        _member(dict(node), resolved)
        for key, node in _first(root, "nodelist")
        if key == "node" and isinstance(node, list)
    )
    return Membership(str(totem.get("cluster_name", "")), members)


def is_shipped(membership: Membership) -> bool:
    """Whether this is the cluster of Debian's package: one node, which no other one reaches."""
    addresses = [a for member in membership.members for a in member.addresses]
    return len(membership.members) == 1 and bool(addresses) and all(map(is_loopback, addresses))


def parse_resolved(output: str) -> dict[str, str]:
    """Return name -> address from lines of both, loopback addresses left out.

    A name that the hosts file maps to 127.0.1.1 (Debian's installer writes that) says nothing about
    the address that other nodes use.
    """
    pairs = (line.split() for line in output.splitlines())
    return {p[0]: p[1] for p in pairs if len(p) == 2 and not is_loopback(p[1])}  # noqa: PLR2004


def _member(fields: Mapping[str, str | Block], resolved: Mapping[str, str]) -> Member:
    rings = [str(fields[key]) for key in sorted(fields) if _RING.fullmatch(key)]
    addresses = tuple(resolved.get(ring, ring) for ring in rings)
    name = str(fields.get("name", rings[0] if rings else ""))
    return Member(name, tuple(a for a in addresses if is_address(a)))


def _first(block: Block, name: str) -> Block:
    return next((v for key, v in block if key == name and isinstance(v, list)), [])


def _block(lines: Iterator[str], *, nested: bool) -> Block:
    found: Block = []
    for raw in lines:
        line = raw.strip()
        if line.startswith("#"):
            continue
        if line == "}":
            return found
        if line.endswith("{"):
            found.append((line[:-1].strip(), _block(lines, nested=True)))
        elif ":" in line:
            key, _, value = line.partition(":")
            found.append((key.strip(), value.strip()))
    if nested:
        raise ValueError("a brace is not closed")
    return found
