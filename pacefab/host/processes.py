"""When programs were started and files written: what a program that reads them at start knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pacefab.transport.command import Section, Step, shell

# Names of programs before --, paths of files behind it. A process's start is in ticks after the
# boot (proc(5), field 22 of stat; the name in it may hold spaces); times are seconds since 1970.
# The newest process counts: a reload of HAProxy starts another one, which has read the file.
_LOOK = r"""
now=$(date +%s.%N)
read -r up _ </proc/uptime
hz=$(getconf CLK_TCK)
while [ "$1" != -- ]; do
  pid=$(pgrep -n -x "$1") && sed 's/.*) //' "/proc/$pid/stat" |
    awk -v "name=$1" -v "now=$now" -v "up=$up" -v "hz=$hz" \
      '{ printf "process %.2f %s\n", now - up + $20 / hz, name }'
  shift
done
shift
for path; do [ ! -e "$path" ] || echo "file $(stat -Lc %Y "$path") $path"; done
"""


def observe(programs: Sequence[str], files: Sequence[str]) -> list[Step]:
    """Return the step that `parse` understands; programs by their processes' names (ps's comm)."""
    return [shell("times", _LOOK, *programs, "--", *files)] if programs else []


def parse(sections: Mapping[str, Section]) -> tuple[dict[str, float], dict[str, float]]:
    """Return when the newest process of each program started, and when each file was written."""
    section = sections.get("times")
    rows = [line.split(" ", 2) for line in section.out.splitlines()] if section else []
    found: dict[str, dict[str, float]] = {"process": {}, "file": {}}
    for kind, seconds, name in rows:
        found[kind][name] = float(seconds)
    return found["process"], found["file"]
