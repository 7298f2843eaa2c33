"""Several clusters in one folder: which of them a command changes, by the hosts that are named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from pacefab.legacy.cluster.formation import NodesNamed

_LEAST = 2  # hosts that know each other: one alone may be a remote node, or a node to be added


@dataclass
class Several:
    """The clusters of a folder, as far as commands name their nodes.

    Args:
        members: the nodes of each, by its number; a first walk through a tree finds them.
        homes: the folder of a script that sets one up -> its number.
        unnamed: name and folder of those that were set up where no node is named -> number.
        acquainted: hosts that authenticate with each other, which only nodes of one cluster do.
    """

    members: list[set[str]] = field(default_factory=list)
    homes: dict[str, int] = field(default_factory=dict)
    unnamed: dict[tuple[str, str], int] = field(default_factory=dict)
    acquainted: list[set[str]] = field(default_factory=list)

    def take(self, formation: NodesNamed, script: str, present: int) -> int | None:
        """Return the number of the cluster that a command forms; None: it forms none.

        A set-up forms a new one, unless one has any of its nodes; what adds nodes has them added
        to the one that it names, else to that of the script's folder, else to the present one.
        """
        nodes, folder = set(formation.nodes), script.rpartition("/")[0]
        number = self._of_any(nodes)
        if formation.knows:
            self.acquainted.append(nodes)
            return number
        if number is None and formation.new and not nodes:
            number = self.unnamed.get((formation.name, folder))
        elif number is None and not formation.new:
            number = self._joined(script, None if formation.asks else present)
        if number is None:
            number = len(self.members)
            self.members.append(set())
        self.members[number].update(nodes)
        if formation.new and not nodes:
            self.unnamed[formation.name, folder] = number
        if folder and formation.new:
            self.homes.setdefault(folder, number)
        return number

    def _of_any(self, nodes: Collection[str]) -> int | None:
        found = (self.of_host(node) for node in sorted(nodes))
        return next((number for number in found if number is not None), None)

    def _joined(self, script: str, present: int | None) -> int | None:
        """Return the cluster that nodes are added to which none has yet; None: a new one."""
        home = self.of_folder(script)
        if home is not None or not self.members:
            return home
        nameless = [at for at, known in enumerate(self.members) if not known]
        return nameless[-1] if nameless else present

    def settle(self) -> None:
        """Take hosts that know each other, and that no set-up names, for a cluster."""
        for hosts in self.acquainted:
            there = self._of_any(hosts)
            if there is None and len(hosts) >= _LEAST:
                self.members.append(set(hosts))
        self.acquainted.clear()

    def of_host(self, host: str) -> int | None:
        """Return the cluster that a host is a node of, by its whole or its short name."""
        short = host.partition(".")[0]
        for number, known in enumerate(self.members):
            if host in known or (host and short in {name.partition(".")[0] for name in known}):
                return number
        return None

    def of_folder(self, script: str) -> int | None:
        """Return the cluster that a script of the same folder, or one above, sets up."""
        folder = script.rpartition("/")[0]
        while folder:
            if folder in self.homes:
                return self.homes[folder]
            folder = folder.rpartition("/")[0]
        return None
