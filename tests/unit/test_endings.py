"""How a rolling update ends: what is noted on the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from pacefab.errors import CommandError
from pacefab.host.model import Mark, Outcome
from pacefab.transport.command import Section, Step
from pacefab.workflows.rolling.ban import _clock
from pacefab.workflows.rolling.endings import end
from pacefab.workflows.transaction.entry import State
from tests.unit.test_transaction import Silent


@dataclass
class Ending:
    """A transaction that remembers how it was ended."""

    replaced: set[str] = field(default_factory=set)
    is_stuck: bool = False
    ended: list[tuple[State, bool]] = field(default_factory=list)

    def end(self, state: State, _progress: object, *, whole: bool) -> None:
        """Remember it."""
        self.ended.append((state, whole))

    def end_undone(self, _hosts: object, _progress: object) -> None:
        """Remember it."""
        self.ended.append((State.UNDONE, False))


@dataclass(frozen=True)
class Seen:
    """A cluster of which a node was left out."""

    left_out: Sequence[str] = ("c3",)
    hosts: Any = None


def ended(*marks: Mark) -> tuple[State, bool]:
    """Return how an update of two nodes without the third ends."""
    own = Ending()
    lines = [Outcome(n, "update", m, 0.0) for n, m in zip(("c3", "c1", "c2"), marks, strict=False)]
    end(cast("Any", own), lines, 2, cast("Any", Seen()), cast("Any", Silent()))
    return own.ended[0]


def test_an_update_without_a_node_that_is_left_out_is_whole() -> None:
    assert ended(Mark.SKIPPED, Mark.CHANGED, Mark.CHANGED) == (State.UNCHANGED, True)
    assert ended(Mark.SKIPPED, Mark.UNCHANGED, Mark.UNCHANGED) == (State.UNCHANGED, True)
    assert ended(Mark.SKIPPED, Mark.CHANGED) == (State.UNCHANGED, False)
    assert ended(Mark.SKIPPED, Mark.UNCHANGED) == (State.UNDONE, False)


class Clock:
    """A node that says what its clock shows."""

    name = "c1"

    def __init__(self, text: str) -> None:
        """Take what it says."""
        self.text = text

    def query(self, steps: Sequence[Step], **_: Any) -> dict[str, Section]:
        """Say it."""
        return {step.name: Section(step.name, 0, self.text, "") for step in steps}


@pytest.mark.parametrize("text", ["", "noon", "9" * 30])
def test_a_clock_that_makes_no_sense_is_said(text: str) -> None:
    with pytest.raises(CommandError, match="read the clock"):
        _clock(cast("Any", Clock(text)))
