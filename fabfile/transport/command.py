"""A remote script as parts: named steps of quoted arguments, one round trip for all of them.

Nothing here knows a connection: steps in, a script out; its output in, sections out.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# A section is: RS name, newline, stdout, US, exit status, newline, stderr. None of the programs
# that we run prints these two control characters, and files are read through base64.
_RECORD = "\x1e"
_UNIT = "\x1f"

# A remote PATH without the sbin folders is what a non-root login gets on Debian; the C locale is
# for parsing. A script that has begun finishes even when the operator's connection is lost.
_PRELUDE = r"""
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
umask 022
trap '' HUP PIPE
section() {
  printf '\036%s\n' "$1"; shift
  { err=$("$@" 2>&1 >&3 3>&-); rc=$?; } 3>&1
  printf '\037%s\n%s\n' "$rc" "$err"
  return "$rc"
}
"""
LOCK = "lock"
_LOCK = f"exec 9>/run/pacefab.lock; section {LOCK} flock -w 60 9 || exit 1\n"


@dataclass(frozen=True)
class Step:
    """One command of a script.

    Args:
        name: what its section is called.
        argv: program and arguments; quoting is done here, nowhere else.
        undo: run (last step first) when a later step fails.
    """

    name: str
    argv: tuple[str, ...]
    undo: tuple[str, ...] | None = None


def step(name: str, *argv: str, undo: Sequence[str] | None = None) -> Step:
    """Write a `Step` without the parentheses of tuples."""
    return Step(name, argv, tuple(undo) if undo else None)


def shell(name: str, script: str, *args: str) -> Step:
    """Make a step of a piece of shell whose values arrive as $1, $2, … and never as text."""
    return Step(name, ("sh", "-c", script, "pacefab", *args))


@dataclass(frozen=True)
class Section:
    """What one step printed, and how it ended."""

    name: str
    status: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        """Whether it ended with status 0."""
        return self.status == 0

    @property
    def text(self) -> str:
        """Both streams, for showing to a person."""
        return "\n".join(part.strip() for part in (self.out, self.err) if part.strip())


def render_query(steps: Iterable[Step]) -> str:
    """Return a script that runs every step, whatever the others' exit statuses."""
    return _PRELUDE + "".join(f"section {_call(s)}\n" for s in steps) + "exit 0\n"


def render_change(steps: Sequence[Step]) -> str:
    """Return a script that stops at the first failing step, and then undoes what came before.

    It holds a lock while it runs, so that two runs never change one node at the same time. The
    kernel gives the lock back when the script ends, however it ends.
    """
    lines = [_PRELUDE, _LOCK]
    undone: list[str] = []
    for item in steps:
        lines.append(f"section {_call(item)} || {{ {' '.join(undone)} exit 1; }}\n")
        if item.undo:
            undone.insert(0, f"section {shlex.join((f'undo {item.name}', *item.undo))};")
    return "".join(lines)


def parse_sections(output: str) -> dict[str, Section]:
    """Return the sections of a script's output by name, in the order they ran.

    A section that was cut off (time limit, lost connection) is left out.
    """
    sections = {}
    for record in output.split(_RECORD)[1:]:
        name, _, rest = record.partition("\n")
        out, cut, tail = rest.rpartition(_UNIT)
        if not cut:
            continue
        status, _, err = tail.partition("\n")
        sections[name] = Section(name, int(status), out, err.strip("\n"))
    return sections


def failed(sections: Mapping[str, Section]) -> Section | None:
    """Return the step that a change ended at; None when every step went well."""
    return next((s for s in sections.values() if not s.ok and not s.name.startswith("undo ")), None)


def _call(item: Step) -> str:
    return shlex.join((item.name, *item.argv))
