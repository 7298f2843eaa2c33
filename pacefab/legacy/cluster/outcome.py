"""What became of a replayed command, or why it was refused."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pacefab.legacy.model import Fate


@dataclass(frozen=True)
class ReplayOutcome:
    """What became of a command; `output` None: unknown; `removes`: it undoes earlier ones.

    `undecided`: it hangs on what only a running host, or an operator, knows.
    """

    fate: Fate
    reason: str
    advice: str = ""
    status: int | None = 0
    output: str | None = ""
    removes: bool = False
    undecided: bool = False


class UntranslatableError(Exception):
    """A command that means something, and has no place in an inventory or is not known enough."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.advice = advice


class UndecidedError(UntranslatableError):
    """A command that hangs on what only a running host, or an operator, knows."""


class RefusedCommandError(Exception):
    """A command that its program would have refused as the cluster stood."""

    def __init__(self, reason: str, advice: str = "", fate: Fate = Fate.DOUBTFUL) -> None:
        super().__init__(reason)
        self.advice = advice
        self.fate = fate


class NotUnderstoodError(ValueError):
    """The words are none that the program takes; its argument says which."""


def no_such(command: str, word: str, known: Iterable[str]) -> Exception:
    """Return the refusal of a word that pcs does not know, with the one that may be meant.

    A word that is like none of those known may be one of a pcs that is not known here.
    """
    close = difflib.get_close_matches(word, list(known), 1)
    if word and not close:
        return UntranslatableError(
            f"{command} {word} is not known here", "look it up in pcs's manual, and do it by hand"
        )
    meant = f": {close[0]}?" if close else ""
    return NotUnderstoodError(f"there is no {command} {word}{meant}".strip())


def translated(what: str) -> ReplayOutcome:
    """Return the outcome of a command that became something."""
    return ReplayOutcome(Fate.TRANSLATED, what)


def left_out(why: str, *, status: int | None = 0, output: str | None = "") -> ReplayOutcome:
    """Return the outcome of a command that has no place in an inventory, with the reason."""
    return ReplayOutcome(Fate.LEFT_OUT, why, status=status, output=output)


def removed(why: str) -> ReplayOutcome:
    """Return the outcome of a command that removes what earlier commands created."""
    return ReplayOutcome(Fate.LEFT_OUT, why, removes=True)


def shown(options: Mapping[str, str]) -> str:
    """Return options as people write them."""
    return " ".join(f"{name}={value}" for name, value in options.items())
