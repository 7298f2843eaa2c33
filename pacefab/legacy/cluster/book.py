"""The book that a replay keeps, and one command of it: what a handler of commands is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pacefab.legacy.cluster.model import (
    ReplayedCluster,
    ReplayedConstraint,
    ReplayedGroup,
    ReplayedResource,
)
from pacefab.legacy.cluster.outcome import (
    RefusedCommandError,
    ReplayOutcome,
    UndecidedError,
    UntranslatableError,
)
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
    """The clusters as the commands have left them so far, and what is noted about them."""

    clusters: list[ReplayedCluster] = field(default_factory=lambda: [ReplayedCluster()])
    present: int = 0  # which of them commands change now
    names: Mapping[str, str] = field(default_factory=dict)  # nodes by their addresses
    copies: dict[str, ReplayedCluster] = field(default_factory=dict)  # CIB files by name
    pushed: set[str] = field(default_factory=set)  # copies that became the cluster's CIB
    unknown_push: bool = False  # a copy whose name is not known became the cluster's CIB
    notes: dict[ReportLine, None] = field(default_factory=dict)
    unclear: dict[str, Place] = field(default_factory=dict)  # ids that were not translated
    gone: dict[int, str] = field(default_factory=dict)  # number of a command -> what undid it
    # Constraints that were deleted with a resource, and that resource.
    lost: list[tuple[ReplayedConstraint, str]] = field(default_factory=list)
    script: str = ""  # the one that an operator starts, and that runs now
    makers: dict[str, str] = field(default_factory=dict)  # id -> script that first creates it
    missing: dict[tuple[str, str], None] = field(default_factory=dict)  # script, id that it lacks
    unnamed: list[Place] = field(default_factory=list)  # creates of an id that is not known
    # Scripts of which it matters where they run, and the command that shows it.
    unplaced: dict[str, Place] = field(default_factory=dict)

    @property
    def cluster(self) -> ReplayedCluster:
        """The cluster that commands change now."""
        return self.clusters[self.present]

    @cluster.setter
    def cluster(self, cluster: ReplayedCluster) -> None:
        self.clusters[self.present] = cluster


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
        self.book.missing[self.book.script, base] = None
        self.may_be_unnamed(name)
        raise RefusedCommandError(
            f"there is no resource {name} at this point",
            "check whether the scripts run in another order, or the name is misspelt",
        )

    def may_be_unnamed(self, name: str) -> None:
        """Check that no resource was created whose name is not known: it may be this one.

        Raises:
            UntranslatableError: there was one.
        """
        if self.book.unnamed:
            places = ", ".join(map(str, self.book.unnamed[:3]))
            raise UndecidedError(
                f"whether there is a resource {name} is not known: names at {places} are known "
                "only at run time",
                "if it is there, add it by hand together with that resource",
            )

    def doubt(self, reason: str, advice: str = "", *, text: str = "") -> None:
        """Report something that looks like a bug, beside the command's own entry."""
        shown = text or masked_line([self.call.program, *self.line.words, *self.line.operands])
        entry = ReportLine(Fate.DOUBTFUL, self.place, shown, reason, advice)
        self.book.notes.setdefault(entry)


ReplayHandler = Callable[[Job, list[str]], ReplayOutcome]
