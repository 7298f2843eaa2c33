"""Programs that have to be on a node, and the packages that bring those that are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pacefab.host.model import Absent, Program
from pacefab.transport.command import Section, Step, shell

# Three arguments for each program: its path, packages by Debian's names, by EL's. A line for each
# that is absent: its path, the package that brings it, whether that is installed already. A host
# whose index was never fetched knows no package: then the last name stands. Distributions differ
# in what is in bin and what in sbin; what has names in one family only is needed there only.
_LOOK = r"""
present() {
  if command -v dpkg-query >/dev/null; then
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
  else rpm -q "$1" >/dev/null 2>&1; fi
}
offered() { ! command -v apt-cache >/dev/null || apt-cache show "$1" >/dev/null 2>&1; }
choose() {
  for name; do ! present "$name" || { echo "$path $name installed"; return; }; done
  for name; do ! offered "$name" || break; done
  echo "$path $name"
}
there() {
  [ ! -e "$path" ] || return 0
  case $path in
    /usr/bin/*) [ -x "/usr/sbin/${path##*/}" ] ;;
    /usr/sbin/*) [ -x "/usr/bin/${path##*/}" ] ;;
    *) false ;;
  esac
}
while [ $# -gt 0 ]; do
  path=$1 names=$2 others=$3 name=
  if ! command -v dpkg-query >/dev/null; then names=$3 others=$2; fi
  shift 3
  { [ -z "$names" ] && [ "$others" ]; } || there || choose $names
done
"""


def observe(programs: Sequence[Program]) -> list[Step]:
    """Return the step that `parse` understands."""
    words = [w for p in programs for w in (p.path, " ".join(p.debian), " ".join(p.rhel))]
    return [shell("programs", _LOOK, *words)] if programs else []


def parse(sections: Mapping[str, Section]) -> dict[str, Absent]:
    """Return the programs that are absent, by path."""
    section = sections.get("programs")
    rows = [line.split() for line in section.out.splitlines()] if section else []
    return {row[0]: Absent("".join(row[1:2]), installed=bool(row[2:])) for row in rows if row}
