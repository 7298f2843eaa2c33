"""Programs for a node's own Python: whatever version it has, without third-party modules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pacefab.transport.command import Section, Step, shell

# RHEL 8 hides its Python; every other node has one because pcs is written in it.
_RUN = r"""
python=$(command -v python3 || command -v /usr/libexec/platform-python) || exit 127
exec "$python" -I -S -c "$1" "$2"
"""


def python(name: str, program: Path, argument: str) -> Step:
    """Return the step that runs `program` on a node; it finds `argument` in argv[1]."""
    return shell(name, _RUN, program.read_text(encoding="utf-8"), argument)


def read_answer(sections: Mapping[str, Section], name: str) -> Mapping[str, Any]:
    """Return what a program printed as JSON in its step; `error` where it printed none.

    Raises:
        ValueError: it is no JSON.
    """
    section = sections.get(name)
    if section is None or not section.ok:
        return {"error": section.text if section else "no answer"}
    found: Mapping[str, Any] = json.loads(section.out)
    return found
