"""What a handler of pcs commands gets and returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pacefab.legacy.masking import masked_line
from pacefab.legacy.model import Call, Fate, Place, ReportLine

if TYPE_CHECKING:
    from pacefab.legacy.pcs.cluster import (
        ReplayedCluster,
        ReplayedConstraint,
        ReplayedGroup,
        ReplayedResource,
    )
    from pacefab.legacy.pcs.dialect import PcsLine


@dataclass(frozen=True)
class ReplayOutcome:
    """What became of a command; `output` None: not known."""

    fate: Fate
    reason: str
    advice: str = ""
    status: int | None = 0
    output: str | None = ""


class UntranslatableError(Exception):
    """A command that means something, and has no place in an inventory or is not known enough."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.advice = advice


class RefusedByPcsError(Exception):
    """A command that pcs would have refused as the cluster stood."""

    def __init__(self, reason: str, advice: str = "", fate: Fate = Fate.DOUBTFUL) -> None:
        super().__init__(reason)
        self.advice = advice
        self.fate = fate


class _Book(Protocol):
    cluster: ReplayedCluster
    copies: dict[str, ReplayedCluster]
    pushed: set[str]
    notes: dict[ReportLine, None]
    unclear: dict[str, Place]
    gone: dict[int, str]
    lost: list[tuple[ReplayedConstraint, str]]


@dataclass
class Job:
    """One command: the book of the replay, the cluster it changes, its line and its number."""

    book: _Book
    cluster: ReplayedCluster
    line: PcsLine
    call: Call
    number: int

    @property
    def place(self) -> Place:
        """Where the command stands."""
        return self.call.place

    def find(self, name: str) -> ReplayedResource | ReplayedGroup:
        """Return what an id means.

        Raises:
            RefusedByPcsError: there is no such resource.
            UntranslatableError: its create was not translated.
        """
        found = self.cluster.find(name)
        if found is not None:
            return found
        base = name.removesuffix("-clone").removesuffix("-master")
        if base in self.book.unclear:
            raise UntranslatableError(
                f"it names {base}, which could not be translated ({self.book.unclear[base]})",
                f"add it by hand together with {base}",
            )
        raise RefusedByPcsError(
            f"there is no resource {name} at this point",
            "see whether the scripts run in another order, or the name is misspelt",
        )

    def doubt(self, reason: str, advice: str = "", *, text: str = "") -> None:
        """Report something that looks like a bug, beside the command's own entry."""
        shown = text or masked_line(["pcs", *self.line.words])
        entry = ReportLine(Fate.DOUBTFUL, self.place, shown, reason, advice)
        self.book.notes.setdefault(entry)


PcsHandler = Callable[[Job, list[str]], ReplayOutcome]


def translated(what: str) -> ReplayOutcome:
    """Return the outcome of a command that became something."""
    return ReplayOutcome(Fate.TRANSLATED, what)


def left_out(why: str, *, status: int | None = 0, output: str | None = "") -> ReplayOutcome:
    """Return the outcome of a command that has no place in an inventory, with the reason."""
    return ReplayOutcome(Fate.LEFT_OUT, why, status=status, output=output)


def shown(options: Mapping[str, str]) -> str:
    """Return options as people write them."""
    return " ".join(f"{name}={value}" for name, value in options.items())
