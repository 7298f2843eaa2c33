"""What was applied, as a table."""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.report.text import render_error
from pacefab.workflows.rollout.history import History
from pacefab.workflows.transaction.entry import Entry, State
from pacefab.workflows.transaction.transaction import ways_on


def render_text(applied: History) -> list[str]:
    """Return a line for each apply, the last first: number, time (UTC), who, what.

    Those that one cannot go back before by themselves have no number, and say why.
    """
    numbers = {entry.id: number for number, entry in enumerate(applied.counted, 1)}
    lines = [
        f"{numbers.get(entry.id, '-'):>3}  {entry.when:%Y-%m-%d %H:%M:%S} UTC  {entry.by}  "
        f"{_said(entry)}{_state(entry, applied, numbers)}"
        for entry in applied.entries
    ]
    none = (
        "there is nothing to roll back: each was undone, or only restarted"
        if lines
        else "the nodes know of no apply"
    )
    lines.append("go back before one of them: fab rollback --number N" if numbers else none)
    lines += [str(damaged) for damaged in applied.damaged]
    if left := applied.unfinished:
        lines += [f"not finished: {entry.name}" for entry in left]
        lines.append(f"next: {ways_on(left)}")
    for error in applied.silent.values():
        lines += ["", *render_error(error)]
    return lines


def _said(entry: Entry) -> str:
    return f"{entry.task}: {entry.sentence}" if entry.task else entry.sentence


def _state(entry: Entry, applied: History, numbers: Mapping[str, int]) -> str:
    """Return how a change ended, where it did not simply come to its end."""
    if entry.state is State.BEGUN:
        return " (under way)" if entry.token in applied.live else " (not finished)"
    if entry.state is State.UNDONE:
        return " (undone)"
    if entry.state is State.UNCHANGED:
        return " (restarts alone)"
    if entry.ended_by:
        by = numbers.get(entry.ended_by)
        return f" (cut off; finished by {by})" if by else " (cut off; finished later)"
    return ""
