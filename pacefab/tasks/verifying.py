"""How a verification is reported: text, JSON, JUnit XML, exit status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pacefab.cli.options import write_file
from pacefab.cli.run import Run

if TYPE_CHECKING:
    from pacefab.workflows.checks.verification import Verification

JUNIT = "Write the checks to this file as JUnit XML too."


def report(run: Run, found: Verification, *, json: bool, junit: str | None) -> int:
    """Print what was found, and write it to the file; return the exit status."""
    from pacefab.report import verification

    if json:
        run.printer.lines([verification.render_json(found)])
    else:
        lines = verification.render_text(found, run.printer.width)
        run.printer.text(lines, verification.style)
    if junit:
        write_file(Path(junit), verification.render_junit(found))
    return 1 if found.failed else 0
