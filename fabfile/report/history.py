"""What was applied, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from fabfile.deploy.history import Entry


def render_text(entries: Sequence[Entry]) -> list[str]:
    """Return a line for each apply, the last first: number, time (UTC), who, what."""
    if not entries:
        return ["nothing was applied yet"]
    lines = [
        f"{number:3}  {entry.when:%Y-%m-%d %H:%M:%S} UTC  {entry.by}  {entry.told}"
        for number, entry in enumerate(entries, 1)
    ]
    return [*lines, "go back before one of them: fab rollback --number N"]
