"""The files of a tree that were not read, or were read in a special way."""

from __future__ import annotations

from collections.abc import Iterator

from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.source import FOREIGN


def unread_files(walk: Walk) -> Iterator[ReportLine]:
    """Yield an entry for each file that was not read, and for each read in a special way."""
    tree = walk.world.tree
    for path, why in tree.unread.items():
        binary = why in {"binary", FOREIGN}
        fate = Fate.LEFT_OUT if binary else Fate.UNTRANSLATED
        advice = "" if binary else "check it by hand"
        yield ReportLine(fate, Place(path, 0), path, f"not read: {why}", advice)
    for path, how in tree.remarks.items():
        fate = Fate.DOUBTFUL if "Windows" in how else Fate.LEFT_OUT
        yield ReportLine(fate, Place(path, 0), path, f"its text: {how}", "")
