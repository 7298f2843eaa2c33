"""Commands that messages name, as they are typed here: by another program, in a collection."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pacefab.cli.traits import TRAITS

_COMMAND = re.compile(r"\bfab (?P<options>(?:-\S+ \S+ )?)(?P<task>[a-z][a-z-]*|(?=-))")


def as_typed(text: str, argv: Sequence[str] | None = None) -> str:
    """Return a message that says `fab status` with what is typed here: `fab ha.status`.

    It follows from the command line, by default this process'.
    """
    program, *words = argv or sys.argv
    name = "pacefab" if Path(program).name == "pacefab" else "fab"
    collections = (word.rpartition(".")[::2] for word in words)
    within = next((f"{where}." for where, task in collections if where and task in TRAITS), "")

    def replace(found: re.Match[str]) -> str:
        options, task = found["options"], found["task"]
        if task and not options and task not in TRAITS:  # a node may be called fab
            return found[0]
        return f"{name} {options}{within if task in TRAITS else ''}{task}"

    return _COMMAND.sub(replace, text)
