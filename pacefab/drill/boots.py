"""Which nodes were started again: who was fenced, and who was not to be. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pacefab.drill.faults import Fault


@dataclass(frozen=True)
class Boots:
    """What nodes said of their starts before a failure and after it; "" where one did not answer.

    `sides` are the nodes of which one is to be fenced, or may be; nobody else.
    """

    before: Mapping[str, str]
    after: Mapping[str, str]
    sides: tuple[str, ...] = ()

    @property
    def rebooted(self) -> tuple[str, ...]:
        """The nodes that were started again."""
        return tuple(n for n, boot in self.after.items() if boot and boot != self.before.get(n))

    @property
    def silent(self) -> tuple[str, ...]:
        """The nodes that gave no answer afterwards: they are off, or still booting."""
        return tuple(node for node, boot in self.after.items() if not boot)

    @property
    def gone(self) -> tuple[str, ...]:
        """The nodes that lost their power."""
        return tuple(n for n in self.after if n in self.rebooted or n in self.silent)

    def wrong(self, fault: Fault) -> list[str]:
        """Return what is not as a cluster with fencing should have ended the failure."""
        others = [node for node in self.gone if node not in self.sides]
        said = [f"{node} was switched off, and it was not to be" for node in others]
        right = [node for node in self.gone if node in self.sides]
        if fault.fenced and not right and not fault.recovers:
            said.append(f"{' or '.join(self.sides)} was to be fenced, and no node was")
        if len(right) > 1:
            said.append(f"{' and '.join(right)} were switched off: neither side survived")
        return said


def sides_of(fault: Fault, node: str, members: Sequence[str]) -> tuple[str, ...]:
    """Return the nodes that may be fenced: the one that is broken, or either of two."""
    return tuple(members) if fault.cuts and len(members) == 2 else (node,)  # noqa: PLR2004
