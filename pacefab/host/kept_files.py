"""Files as they stood before a change: kept on their node, readable by root alone.

They stay there because they may hold secrets. `entry` names the change; one folder for each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pacefab.host import files
from pacefab.host.model import FileState
from pacefab.transport.command import Section, Step, shell

FOLDER = "/var/lib/pacefab/history"

# What was kept first under an entry stays: a run that is repeated must not keep its own doings.
_STORE = r"""
set -e
umask 077
dir=$1/$2; shift 2
mkdir -p "$dir/files"
touch "$dir/absent"
for path; do
  if [ -e "$dir/files$path" ] || grep -Fxq -- "$path" "$dir/absent"; then continue; fi
  if [ ! -e "$path" ]; then echo "$path" >>"$dir/absent"; continue; fi
  mkdir -p "$dir/files${path%/*}"
  cp -aL "$path" "$dir/copy.new"  # of a link, what it leads to
  mv -f "$dir/copy.new" "$dir/files$path"
done
"""
# What is written then, a line each: SHA-256 of the new text, path.
_NOTE = 'umask 077; cat >>"$1/$2/written"'
_WRITTEN = '[ ! -r "$1/$2/written" ] || cat "$1/$2/written"'
# Two lines for each file: its path, its state.
_LIST = (
    files.STATE
    + r"""
cd "$1/$2" 2>/dev/null || exit 0
while read -r path; do printf '%s\nabsent\n' "$path"; done <absent
[ -d files ] || exit 0
find files ! -type d | while read -r path; do printf '%s\n' "${path#files}"; state "$path"; done
"""
)


def plan_store(entry: str, paths: Sequence[str]) -> Step:
    """Return the step that keeps files as they are now, owner and mode included."""
    return shell("keep the old files", _STORE, FOLDER, entry, *paths)


def plan_note(entry: str, digests: Mapping[str, str]) -> Step:
    """Return the step that notes what is written: the digest of each path's new text."""
    lines = "".join(f"{digest} {path}\n" for path, digest in digests.items())
    return shell("note the new files", _NOTE, FOLDER, entry, stdin=lines)


def digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def observe(entry: str) -> list[Step]:
    """Return the steps that read what was kept and what was written; see `parse`."""
    return [
        shell("kept files", _LIST, FOLDER, entry),
        shell("written files", _WRITTEN, FOLDER, entry),
    ]


def parse(sections: Mapping[str, Section]) -> dict[str, FileState | None]:
    """Return each kept file by its path; None: there was no such file.

    Raises:
        ValueError: one could not be read.
    """
    lines = sections["kept files"].out.splitlines()
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return {path: files.parse_state(path, line) for path, line in pairs}


def parse_written(sections: Mapping[str, Section]) -> dict[str, frozenset[str]]:
    """Return the digests of what was written, by path; the entries of old times have none."""
    found: dict[str, set[str]] = {}
    for line in sections["written files"].out.splitlines():
        text, _, path = line.partition(" ")
        found.setdefault(path, set()).add(text)
    return {path: frozenset(texts) for path, texts in found.items()}
