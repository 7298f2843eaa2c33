"""The book that a replay keeps, and one command of it: what a handler of commands is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pacefab.legacy.cluster.model import (
    ReplayedCluster,
    ReplayedConstraint,
    ReplayedGroup,
    ReplayedResource,
)
from pacefab.legacy.cluster.outcome import RefusedCommandError, ReplayOutcome, UntranslatableError
from pacefab.legacy.masking import masked_line
from pacefab.legacy.model import Call, Fate, Place, ReportLine


@dataclass
class CommandText:
    """A command line: words that mean something by their place, and options.

    Of crm, `words` are the level and the command there, `operands` what follows.
    """

    words: list[str] = field(default_factory=list)
    operands: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The CIB file that is changed in place of the cluster's (-f FILE)."""
        return self.options.get("-f", "")


@dataclass
class Book:
    """The cluster as the commands have left it so far, and what is noted about them."""

    cluster: ReplayedCluster = field(default_factory=ReplayedCluster)
    copies: dict[str, ReplayedCluster] = field(default_factory=dict)  # CIB files by name
    pushed: set[str] = field(default_factory=set)  # copies that became the cluster's CIB
    notes: dict[ReportLine, None] = field(default_factory=dict)
    unclear: dict[str, Place] = field(default_factory=dict)  # ids that were not translated
    gone: dict[int, str] = field(default_factory=dict)  # number of a command -> what undid it
    # Constraints that were deleted with a resource, and that resource.
    lost: list[tuple[ReplayedConstraint, str]] = field(default_factory=list)


@dataclass
class Job:
    """One command: the book of the replay, the cluster it changes, its line and its number."""

    book: Book
    cluster: ReplayedCluster
    line: CommandText
    call: Call
    number: int

    @property
    def place(self) -> Place:
        """Where the command stands."""
        return self.call.place

    def find(self, name: str) -> ReplayedResource | ReplayedGroup:
        """Return what an id means.

        Raises:
            RefusedCommandError: there is no such resource.
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
        raise RefusedCommandError(
            f"there is no resource {name} at this point",
            "check whether the scripts run in another order, or the name is misspelt",
        )

    def doubt(self, reason: str, advice: str = "", *, text: str = "") -> None:
        """Report something that looks like a bug, beside the command's own entry."""
        shown = text or masked_line([self.call.program, *self.line.words, *self.line.operands])
        entry = ReportLine(Fate.DOUBTFUL, self.place, shown, reason, advice)
        self.book.notes.setdefault(entry)


ReplayHandler = Callable[[Job, list[str]], ReplayOutcome]
