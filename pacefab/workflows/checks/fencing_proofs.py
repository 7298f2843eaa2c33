"""When each node was last fenced for real, as Pacemaker and the nodes' own notes know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pacefab.pacemaker.fencing import proofs
from pacefab.pacemaker.fencing.proofs import Proof
from pacefab.transport.command import Section, Step, shell, step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out, values

NOTE = "/var/lib/pacefab/fencing"
"""A line of JSON for each node that was fenced; the history of Pacemaker ends with the cluster."""
_READ = 'cat "$1" 2>/dev/null || true'
_WRITE = r"""
set -e
umask 077
mkdir -p "${1%/*}"
cat >"$1.new"
mv "$1.new" "$1"
"""


def observe() -> list[Step]:
    """Return the steps of `read`: nothing is changed."""
    history = ("env", "TZ=UTC", "stonith_admin", "--history", "*", "--output-as=xml")
    return [step("fencing history", *history), shell("fencing note", _READ, NOTE)]


def read(sections: Mapping[str, Section]) -> dict[str, Proof]:
    """Return the last proof of each node that one node knows of; an unreadable history has none."""
    history, note = sections["fencing history"], sections["fencing note"]
    try:
        found = proofs.parse_history(history.out) if history.ok else ()
    except ValueError:
        found = ()
    return proofs.latest([*proofs.parse_note(note.out), *found])


def share(hosts: Mapping[str, Host]) -> dict[str, Proof]:
    """Return the last proof of each node that any of the hosts knows of, and have all note it.

    One that cannot note it is passed over, as the others have it.
    """
    asked = values(fan_out(hosts, lambda _, host: host.query(observe())))
    known = proofs.latest(p for sections in asked.values() for p in read(sections).values())
    note = proofs.render_note(known)
    lacking = {n: hosts[n] for n, sections in asked.items() if sections["fencing note"].out != note}
    step = shell("note fencing", _WRITE, NOTE, stdin=note)
    fan_out(lacking, lambda _, host: host.change([step], seconds=60, idle=True) if note else None)
    return known


def sentence(nodes: Sequence[str], known: Mapping[str, Proof]) -> str:
    """Return what is not known of the fencing of nodes; empty: each was fenced once."""
    missing = proofs.unproven(nodes, known)
    if not missing:
        return ""
    return (
        f"fencing is configured and not proven: no fencing of {', '.join(missing)} is known; "
        "fab verify-fencing asks the devices, and only a real one shows that they switch"
    )
