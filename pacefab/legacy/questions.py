"""What no script says and only an operator knows: asked on the way, and answered before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from pacefab.legacy.masking import mask
from pacefab.legacy.model import Place

Reasons = tuple[str, ...]
"""Where something is asked, and what hangs on the answer: a text each."""

_LONGEST = 300  # characters of a text that a question repeats


@dataclass(frozen=True)
class StartedScript:
    """A script that an operator starts.

    Args:
        script: its path.
        arguments: None is one that is not known; at the end, whether there are more is not.
        hosts: where it is started, once on each.
    """

    script: str
    arguments: tuple[str | None, ...] = (None,)
    hosts: tuple[str, ...] = ()


@lru_cache(maxsize=10_000)  # a loop may ask the same a thousand times
def asked_text(text: str) -> str:
    """Return a piece of a script as a question names it: in one line, secrets masked."""
    return mask(" ".join(text.split()))[:_LONGEST]


class Unsaid(StrEnum):
    """The kinds of what is not known."""

    ARGUMENT = "argument"
    HOST = "host"
    VARIABLE = "variable"
    VALUE = "value"
    CONDITION = "condition"


@dataclass(frozen=True)
class Question:
    """Something that no script says.

    Args:
        kind: what it is.
        file: of an argument and a host, the script that is started; of a value and a condition, the
            one that it stands in; of a variable, nothing.
        name: the number of an argument (0: how many there are), the name of a variable, the text of
            a value or condition as it stands in the script.
    """

    kind: Unsaid
    file: str
    name: str


@dataclass(frozen=True)
class Start:
    """What an operator says about the start of the scripts.

    Args:
        entries: the scripts that are started, in this order; none: all that no other script calls,
            without arguments, in the order of their names.
        settings: variables of the environment that they are started in.
        hosts: the hosts that a script ran on, by its path; it is evaluated once for each.
        values: what is known at run time alone, by file and text, see `Question`.
        conditions: likewise, whether a condition held.
    """

    entries: tuple[StartedScript, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    conditions: Mapping[tuple[str, str], bool] = field(default_factory=dict)


@dataclass
class Inquiry:
    """What was asked during a walk, where that was first, and what hangs on it.

    `marks` are the unknown values that stand for answers, as `unknown` has them.
    """

    start: Start = field(default_factory=Start)
    asked: dict[Question, Place] = field(default_factory=dict)
    marks: dict[Question, str] = field(default_factory=dict)
    decides: dict[Question, dict[str, None]] = field(default_factory=dict)

    def ask(self, question: Question, place: Place, mark: str = "") -> None:
        """Note a question; `mark`: the unknown value that stands for its answer."""
        self.asked.setdefault(question, place)
        if mark:
            self.marks.setdefault(question, mark)

    def decide(self, question: Question, what: str) -> None:
        """Note what hangs on an answer."""
        self.decides.setdefault(question, {}).setdefault(what)


@dataclass(frozen=True)
class AskedStart:
    """What is asked about a script that is started by hand; the texts say what hangs on it.

    Args:
        script: its path.
        arguments: by their numbers, from 1.
        others: what asks for all arguments together; none: nothing does.
        host: what asks where it runs.
    """

    script: str
    arguments: Mapping[int, Reasons] = field(default_factory=dict)
    others: Reasons = ()
    host: Reasons = ()


@dataclass(frozen=True)
class Unanswered:
    """All that a migration asks, each with where that is and what hangs on it.

    Args:
        starts: the scripts that were started, in this order.
        variables: by name.
        values: by file and text, as in `Question`.
        conditions: likewise.
    """

    starts: tuple[AskedStart, ...] = ()
    variables: Mapping[str, Reasons] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Reasons]] = field(default_factory=dict)
    conditions: Mapping[str, Mapping[str, Reasons]] = field(default_factory=dict)
