"""Files as they stood before a change: kept on their node, readable by root alone.

They stay there because they may hold secrets. `entry` names the change; one folder for each.
"""

from __future__ import annotations

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
  cp -aL "$path" "$dir/files$path"  # of a link, what it leads to
done
"""
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


def observe(entry: str) -> list[Step]:
    """Return the step that reads what was kept; `parse` understands it."""
    return [shell("kept files", _LIST, FOLDER, entry)]


def parse(sections: Mapping[str, Section]) -> dict[str, FileState | None]:
    """Return each kept file by its path; None: there was no such file.

    Raises:
        ValueError: one could not be read.
    """
    lines = sections["kept files"].out.splitlines()
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return {path: files.parse_state(path, line) for path, line in pairs}
