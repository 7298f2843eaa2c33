"""What was applied, as a table."""

from __future__ import annotations

from pacefab.pacemaker.naming import masked
from pacefab.report.text import render_error
from pacefab.workflows.rollout.history import History


def render_text(applied: History) -> list[str]:
    """Return a line for each apply, the last first: number, time (UTC), who, what."""
    lines = [
        f"{number:3}  {entry.when:%Y-%m-%d %H:%M:%S} UTC  {entry.by}  {masked(entry.sentence)}"
        for number, entry in enumerate(applied.entries, 1)
    ]
    hint = "go back before one of them: fab rollback --number N"
    lines.append(hint if lines else "the nodes know of no apply")
    for error in applied.silent.values():
        lines += ["", *render_error(error)]
    return lines
