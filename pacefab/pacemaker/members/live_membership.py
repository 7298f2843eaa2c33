"""The doorway to corosync on a node: which cluster it was set up for, and who its members are.

Steps and parsers only, as in `live`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pacefab.errors import RefusedError
from pacefab.pacemaker import cib, cib_text
from pacefab.pacemaker.members import corosync, membership
from pacefab.pacemaker.model import Member, Membership
from pacefab.transport.answers import MISUNDERSTOOD
from pacefab.transport.command import Section, Step, shell, step

_RING = r"""
sed -n 's/^[[:space:]]*ring[0-9]*_addr[[:space:]]*:[[:space:]]*//;T;s/[[:space:]]*$//p' \
  /etc/corosync/corosync.conf |
while read -r name; do
  getent ahosts -- "$name" | while read -r address _; do printf '%s %s\n' "$name" "$address"; done
done
"""
# Without a nodelist corosync finds the nodes by itself; then it knows their addresses, not the file
_SEEN = r"""
! grep -q '^[[:space:]]*nodelist[[:space:]]*{' /etc/corosync/corosync.conf || exit 0
corosync-cmapctl runtime.members. || corosync-cmapctl runtime.totem.pg.mrp.srp.members.
"""
_NODE_ID = "runtime.votequorum.this_node_id"
_NO_COROSYNC = 3
_COROSYNC = "[ -e /etc/corosync/corosync.conf ] || exit 3; cat /etc/corosync/corosync.conf"


def observe_membership() -> list[Step]:
    """Return the steps of `read_membership`; they need no running cluster."""
    return [
        shell("corosync", _COROSYNC),
        shell("ring", _RING),
        shell("seen", _SEEN),
        step("node id", "corosync-cmapctl", "-g", _NODE_ID),
    ]


def read_node_id(sections: Mapping[str, Section]) -> str:
    """Return the node's own id; empty where corosync does not run there."""
    section = sections["node id"]
    return section.out.rpartition("=")[2].strip() if section.ok else ""


def read_membership(sections: Mapping[str, Section]) -> Membership | None:
    """Return the cluster that this node was set up for; None when it was for none.

    That is so without a corosync.conf, and with the one that Debian's package brings. Nodes are
    called as Pacemaker calls them, where the CIB was read too; without a nodelist they are its.

    Raises:
        RefusedError: there is one, and it cannot be read or understood.
    """
    section = sections["corosync"]
    if section.status == _NO_COROSYNC:
        return None
    try:
        found = corosync.parse(_text(section), corosync.parse_resolved(sections["ring"].out))
        names = cib.parse_names(text) if (text := cib_text.read(sections)) else {}
        found = membership.named(found, names) if found.members else _seen(found, names, sections)
        return None if corosync.is_shipped(found) else found
    except MISUNDERSTOOD as error:
        raise RefusedError(
            "read /etc/corosync/corosync.conf",
            str(error),
            "correct it: man corosync.conf",
        ) from error


def _seen(
    found: Membership, names: Mapping[str, str], sections: Mapping[str, Section]
) -> Membership:
    """Return the members that Pacemaker knows, where corosync finds them by itself.

    Raises:
        ValueError: it does not say which there are.
    """
    if not names:
        raise ValueError(
            "it has no nodelist (members are found by multicast), and Pacemaker knows none: add one"
        )
    addresses = corosync.parse_addresses(sections["seen"].out)
    members = (Member(name, addresses.get(number, ()), number) for number, name in names.items())
    return replace(found, members=corosync.ordered(members))


def _text(section: Section) -> str:
    if not section.ok:
        raise ValueError(section.text)
    return section.out
