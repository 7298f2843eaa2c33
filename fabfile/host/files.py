"""Text files of a node: read whole, replaced whole, the previous one kept beside it."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Mapping

from fabfile.transport.command import Section, Step, shell

PREVIOUS = ".previous"  # suffix of the copy kept beside a file that we replaced

# A missing file and one that cannot be read are two things: the first is status 3.
_READ = '[ -e "$1" ] || exit 3; base64 < "$1"'
_MISSING = 3
# mv within a folder is atomic, so a full disk or a lost connection leaves the old file in place.
_WRITE = r"""
set -e
new=$(mktemp "$1.XXXXXX"); trap 'rm -f "$new"' EXIT
printf %s "$2" | base64 -d > "$new"
chmod 644 "$new"
if [ -e "$1" ]; then
  chmod --reference="$1" "$new"
  cp -p "$1" "$1$3" || { rm -f "$1$3"; exit 1; }
fi
mv -f "$new" "$1"; trap - EXIT
if command -v restorecon >/dev/null; then restorecon "$1"; fi
"""


def observe(name: str, path: str) -> Step:
    """Return the step that reads `path` into the section `name`."""
    return shell(name, _READ, path)


def parse(name: str, sections: Mapping[str, Section]) -> str | None:
    """Return the file's text; None when there is no such file.

    Raises:
        ValueError: the file is there and could not be read.
    """
    section = sections[name]
    if section.status == _MISSING:
        return None
    if not section.ok:
        raise ValueError(section.text)
    return base64.b64decode(section.out).decode(errors="surrogateescape")


def plan_write(path: str, text: str, old: str | None) -> Step:
    """Return the step that puts `text` into `path`; undone, the old state stands again."""
    encoded = base64.b64encode(text.encode(errors="surrogateescape")).decode()
    written = shell("write", _WRITE, path, encoded, PREVIOUS)
    undo = ("rm", "-f", path) if old is None else ("mv", "-f", path + PREVIOUS, path)
    return Step(written.name, written.argv, undo)


def difference(path: str, old: str | None, new: str) -> tuple[str, ...]:
    """Return the lines taken out (-) and put in (+), without context."""
    lines = difflib.unified_diff((old or "").splitlines(), new.splitlines(), n=0, lineterm="")
    return tuple(
        f"{path}: {line[0]} {line[1:]}"
        for line in lines
        if line[:1] in "+-" and line[:3] not in {"---", "+++"}
    )
