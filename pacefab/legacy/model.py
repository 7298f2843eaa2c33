"""The nouns of a migration: places in scripts, effects of commands, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pacefab.pacemaker.model import Configuration

if TYPE_CHECKING:
    from pacefab.legacy.questions import Unanswered


@dataclass(frozen=True, order=True)
class Place:
    """A line (from 1) of a file of the tree; line 0: the whole file, or all of them."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file or "(all files)"


class Fate(StrEnum):
    """What became of a line: the four parts of the report."""

    TRANSLATED = "translated"
    LEFT_OUT = "left_out"
    UNTRANSLATED = "untranslated"
    DOUBTFUL = "doubtful"


class NextStep(StrEnum):
    """What an operator does about a line of the report."""

    TRANSLATE = "translate by hand"
    DECIDE = "decide"
    CHECK = "check"
    NOTHING = "nothing to do"


@dataclass(frozen=True)
class ReportLine:
    """One line of the report.

    `reason` says what it became, or why it became nothing; `advice` what to do by hand;
    `undecided`: it hangs on what only a running host, or an operator, knows.
    """

    fate: Fate
    place: Place
    text: str
    reason: str
    advice: str = ""
    undecided: bool = False

    @property
    def step(self) -> NextStep:
        """What to do about it."""
        if self.fate is Fate.UNTRANSLATED:
            return NextStep.DECIDE if self.undecided else NextStep.TRANSLATE
        return NextStep.CHECK if self.fate is Fate.DOUBTFUL else NextStep.NOTHING


@dataclass(frozen=True)
class Call:
    """A command of the cluster as it would have run.

    Args:
        arguments: its words after `pcs` (of crm: the level, the command there, and its words);
            unknown parts carry marks (see `unknown`).
        place: where it stands.
        host: the node it runs on; empty: where the scripts are started.
        condition: text of an unknown condition that it depends on; empty: it always runs.
        excluded: the condition has other branches with pcs commands, or is a failure's.
        program: pcs or crm.
        file: the copy of the CIB that crm works on (a shadow CIB).
        replaces: what is there already takes the new form (crm configure load).
        reads: where a shell reads commands from, which have calls of their own.
    """

    arguments: tuple[str, ...]
    place: Place
    host: str = ""
    condition: str = ""
    excluded: bool = False
    program: str = "pcs"
    file: str = ""
    replaces: bool = False
    reads: str = ""


@dataclass(frozen=True)
class Package:
    """A package that a script installs on a node (empty: where the scripts are started)."""

    name: str
    host: str
    place: Place = field(compare=False)  # of the first time


@dataclass(frozen=True)
class WrittenFile:
    """A file that a script writes on a node, or a setting in it."""

    path: str
    host: str
    place: Place = field(compare=False)  # of the first time
    how: str = "written"  # or appended, edited by sed, copied, set by crudini


@dataclass(frozen=True)
class UnitChange:
    """What a script does to a systemd unit on a node."""

    name: str
    action: str  # enable, start, ...
    host: str
    place: Place = field(compare=False)  # of the first time


class AssumedStatus(int):
    """An exit status that is taken for granted: whatever else it was is not ruled out."""


@dataclass(frozen=True)
class CommandResult:
    """The result of a command: its exit status (None: unknown) and its output."""

    status: int | None = 0
    output: str = ""


@dataclass
class Effects:
    """Everything a tree does that matters here, each thing once, in the order of the first time."""

    packages: dict[Package, None] = field(default_factory=dict)
    files: dict[WrittenFile, None] = field(default_factory=dict)
    units: dict[UnitChange, None] = field(default_factory=dict)
    assumptions: dict[str, Place] = field(default_factory=dict)  # a sentence and where it began
    notes: dict[ReportLine, None] = field(default_factory=dict)  # what evaluation has to report

    def assume(self, sentence: str, place: Place) -> None:
        """Note what is assumed, and the place where that began."""
        self.assumptions.setdefault(sentence, place)


@dataclass(frozen=True)
class MadeCluster:
    """One of the clusters of a folder: the names of its nodes, and what scripts made of its CIB."""

    nodes: frozenset[str]
    configuration: Configuration


@dataclass(frozen=True)
class Migration:
    """All that a migration knows at its end: the inventory's text and the account of every line.

    `configuration` is what the scripts made of the CIB, before what the inventory cannot hold was
    left out. Of several clusters both are those of the first; `inventories` and `clusters` have one
    for each, by the cluster's name. `sources`: the lines of each file of the account, secrets
    masked; `asked`: what no script says.
    """

    inventory: str
    entries: tuple[ReportLine, ...]
    effects: Effects
    summary: Mapping[str, int]
    configuration: Configuration
    inventories: Mapping[str, str] = field(default_factory=dict)
    clusters: Mapping[str, MadeCluster] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked: Unanswered | None = None
