"""Programs for a node's own Python: whatever version it has, without third-party modules."""

from __future__ import annotations

from pathlib import Path

from pacefab.transport.command import Step, shell

# RHEL 8 hides its Python; every other node has one because pcs is written in it.
_RUN = r"""
python=$(command -v python3 || command -v /usr/libexec/platform-python) || exit 127
exec "$python" -I -S -c "$1" "$2"
"""


def python(name: str, program: Path, argument: str) -> Step:
    """Return the step that runs `program` on a node; it finds `argument` in argv[1]."""
    return shell(name, _RUN, program.read_text(encoding="utf-8"), argument)
