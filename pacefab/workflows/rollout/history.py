"""The history of a cluster, as its nodes have it together: what was applied, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pacefab.errors import PacefabError, RefusedError
from pacefab.pacemaker.cib import Cib
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.claims import none_answered
from pacefab.workflows.transaction import entry as entries
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.transaction import here, log
from pacefab.workflows.transaction.entry import Damaged, Entry
from pacefab.workflows.transaction.head import Head


@dataclass(frozen=True)
class History:
    """The changes that the nodes know of, newest first, each with a node that has it.

    `live` are the tokens of leases that are held now: their changes are under way.
    """

    entries: Mapping[Entry, str]
    silent: Mapping[str, PacefabError]  # nodes that did not answer, and may know of more
    damaged: tuple[Damaged, ...] = ()
    live: frozenset[str] = field(default=frozenset())

    @property
    def counted(self) -> tuple[Entry, ...]:
        """The entries that one can go back before, newest first."""
        return entries.counted(self.entries)

    @property
    def unfinished(self) -> tuple[Entry, ...]:
        """The changes that were begun and are no run's any more, oldest first."""
        return entries.unfinished(self.entries, self.live)

    def first_of(self, entry: Entry) -> Entry:
        """Return the first of the changes that came to their end with this one."""
        return entries.first_of(entry, {each.id: each for each in self.entries})


def gather(hosts: Mapping[str, Host]) -> History:
    """Ask every node for what was applied.

    Raises:
        PacefabError: none of them answered.
    """
    asked = fan_out(hosts, _read)
    answered, silent = values(asked), errors(asked)
    if not answered:
        raise none_answered(silent)
    copies: dict[str, list[tuple[Entry, str]]] = {}
    damaged: list[Damaged] = []
    for node, (_, found) in answered.items():
        for item in found:
            if isinstance(item, Damaged):
                damaged.append(item)
            else:
                copies.setdefault(item.id, []).append((item, node))
    merged = {
        entries.merge([copy for copy, _ in copies[name]]): copies[name][0][1]
        for name in sorted(copies, reverse=True)
    }
    live = heads.live_tokens(head for head, _ in answered.values())
    return History(merged, silent, tuple(sorted(damaged, key=str)), live)


def _read(name: str, host: Host) -> tuple[Head, list[Entry | Damaged]]:
    sections = host.query([heads.observe(), log.observe_entries()])
    return heads.parse(sections), log.parse_entries(name, sections["history"])


def read_conf(hosts: Mapping[str, Host], entry: Entry) -> str:
    """Return corosync.conf as it stood before a change; empty: no node kept it."""
    for host in hosts.values():
        section = host.query([log.observe_conf(entry.id)])["conf"]
        if section.ok and section.out.strip():
            return section.out
    return ""


def read_before(hosts: Mapping[str, Host], entry: Entry) -> Cib:
    """Return the CIB that stood before a change, from any node that has it whole.

    Raises:
        RefusedError: none has it any more.
    """
    seen = {}
    for name, host in hosts.items():
        section = host.query([log.observe_before(entry.id)])["before"]
        try:
            return log.parse_before(section)
        except ValueError as error:
            seen[name] = str(error)
    raise RefusedError(
        f"read what stood before {entry.id}",
        "\n".join(f"{name}: {why}" for name, why in seen.items()),
        f"there is a copy in {here.folder(entry.cluster)} of the operator who applied it "
        f"({entry.by})",
    )
