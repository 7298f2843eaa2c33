"""Several clusters in one folder: which of them a command changes, by the hosts that are named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field


@dataclass
class Several:
    """The clusters of a folder, as far as `pcs cluster setup` names their nodes.

    Args:
        members: the nodes of each, by its number; a first walk through a tree finds them.
        homes: the folder of a script that sets one up -> its number.
    """

    members: list[set[str]] = field(default_factory=list)
    homes: dict[str, int] = field(default_factory=dict)

    def set_up(self, nodes: Collection[str], script: str) -> int:
        """Return the number of the cluster that has any of some nodes, else of a new one."""
        number = next(
            (at for at, known in enumerate(self.members) if known & set(nodes)), len(self.members)
        )
        if number == len(self.members):
            self.members.append(set())
        self.members[number].update(nodes)
        folder = script.rpartition("/")[0]
        if folder:
            self.homes.setdefault(folder, number)
        return number

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


def nodes_of_setup(words: Sequence[str], options: Collection[str]) -> list[str]:
    """Return the nodes that the words after `cluster setup` name; none where that is no setup."""
    if list(words[:2]) != ["cluster", "setup"]:
        return []
    plain = list(words[2:] if "--name" in options else words[3:])
    at = next((at for at, word in enumerate(plain) if word in KEYWORDS), len(plain))
    return [word.partition(",")[0] for word in plain[:at] if "=" not in word]


KEYWORDS = {"transport", "totem", "quorum"}  # of setup since pcs 0.10: options follow
