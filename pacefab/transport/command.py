"""A remote script as parts: named steps of quoted arguments, one round trip for all of them.

Nothing here knows a connection: steps in, a script out; its output in, sections out. The script
travels by standard input, so that it is in no argv; a step's own argv is one while it runs, and any
user of the node can read it there. So secrets go by a step's `stdin`.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pacefab.transport.lease import Grip, guard

# A section is: RS token name, newline, stdout, US token, exit status, newline, stderr. What is
# printed of others (names of processes, lines of a journal) may hold anything: whoever does not
# know the token of this run, which is in no argv, can make no section.
_TOKEN = secrets.token_hex(6)
RECORD = f"\x1e{_TOKEN}"
_UNIT = f"\x1f{_TOKEN}"

# A remote PATH without the sbin folders is what a non-root login gets on Debian; the C locale is
# for parsing. A folder or a CIB that root's own shell sets is not the node's. A script that has
# begun finishes even when the operator's connection is lost.
_PRELUDE = r"""
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
unset TMPDIR CIB_file CIB_shadow CIB_user CIB_passwd CIB_port CIB_encrypted
umask 022
trap '' HUP PIPE
section() {
  printf '\036TOKEN%s\n' "$1"; shift
  { err=$("$@" 2>&1 >&3 3>&-); rc=$?; } 3>&1
  printf '\037TOKEN%s\n%s\n' "$rc" "$err"
  return "$rc"
}
""".replace("TOKEN", _TOKEN)
# A piece of shell in a look is read by the shell that is there: another one takes 0.6 ms to start.
_PIECE = r"""piece() {
  pacefab=$1; shift
  eval "$pacefab"
}
"""
LOCK = "lock"
LOCK_WAITED_FOR = "Waiting for another run that changes this node, at most 60 s"
_LOCK_SECONDS = 60
_LOCK_BYTES = 1 << 10  # more than waiting for the lock prints
# Who waits writes a line each second: when nobody reads it any more, nothing is to be changed.
# Whoever can open the lock's file can hold it: that is root alone.
_LOCK = f"""
umask 077
exec 9>/run/pacefab.lock
chmod 600 /run/pacefab.lock
umask 022
lock() {{
  tries=0
  until flock -n 9; do
    [ "$tries" -lt {_LOCK_SECONDS} ] && echo '{LOCK_WAITED_FOR}' || return 1
    ! flock -w 1 9 || {{ echo; return; }}
    tries=$((tries + 1))
  done
}}
section {LOCK} lock || exit 1
"""

# The login shell reads this line, and one of the csh family takes no newline within quotes.
# A script begins and ends with the mark. What comes before it is no script: sudo leaves a password
# that it did not need. One without the second was cut off on its way, and must not run in part.
_MARK = "#pacefab"
_RECEIVE = (
    'script=$(cat); script=${script#*"$1"}; '
    'case $script in *"$1") exec </dev/null; eval "$script" ;; '
    '*) echo "the script was cut off on its way" >&2; exit 1 ;; esac'
)
RECEIVER = ("sh", "-c", _RECEIVE, "pacefab", _MARK)


@dataclass(frozen=True)
class Step:
    """One command of a script.

    Args:
        name: what its section is called.
        argv: program and arguments; quoting is done here, nowhere else.
        undo: run (last step first) when a later step fails.
        stdin: what it reads. It is in no argv and no file: secrets go this way.
        again: it makes others' changes take effect (a reload), so it runs again after undoing.
    """

    name: str
    argv: tuple[str, ...]
    undo: tuple[str, ...] | None = None
    stdin: str = field(default="", repr=False)
    again: bool = False


def step(name: str, *argv: str, undo: Sequence[str] | None = None) -> Step:
    """Write a `Step` without the parentheses of tuples."""
    return Step(name, argv, tuple(undo) if undo else None)


def shell(name: str, script: str, *args: str, stdin: str = "") -> Step:
    """Make a step of a piece of shell whose values arrive as $1, $2, … and never as text."""
    return Step(name, (*_SHELL, script, "pacefab", *args), stdin=stdin)


_SHELL = ("sh", "-c")


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


def render_query(steps: Iterable[Step], *, side_by_side: bool = False) -> str:
    """Return a script that runs every step, whatever the others' exit statuses.

    One after the other, or all at once: then it takes as long as the longest of them.
    """
    calls = [_call(_inline(item)) for item in steps]
    body = _side_by_side(calls) if side_by_side else "\n".join(calls)
    return _script([_PRELUDE, _PIECE, f"{body}\n", "exit 0\n"])


def _inline(item: Step) -> Step:
    """Return a piece of shell as one that needs no shell of its own; `exit` ends its section."""
    if item.argv[:2] != _SHELL:
        return item
    _, _, script, _, *args = item.argv
    return replace(item, argv=("piece", script, *args))


def _side_by_side(calls: Sequence[str]) -> str:
    """Return a pipeline: all its parts run at once, and each hands on what those before it wrote.

    A part's output is kept until it is whole, so that no two sections are mixed up.
    """
    hand_on = "cat; printf '%s\\n' \"$own\""
    parts = [f"{{ own=$({{ {call}; }} </dev/null); {hand_on}; }}" for call in calls]
    return " | ".join([":", *parts])


def render_change(steps: Sequence[Step], grip: Grip | None = None) -> str:
    """Return a script that stops at the first failing step, and then undoes what came before.

    It holds a lock while it runs, so that two runs never change one node at the same time. The
    kernel gives the lock back when the script ends, however it ends. With a `grip` it begins only
    while its lease is held on the node.
    """
    lines = [_PRELUDE, _LOCK, *([guard(grip)] if grip else [])]
    undone: list[str] = []
    repeated: list[str] = []
    for item in steps:
        if item.again:
            repeated.append(f"{_call(_undo(item, item.argv))};")
        lines.append(f"{_call(item)} || {{ {' '.join([*undone, *repeated])} exit 1; }}\n")
        if item.undo:
            undone.insert(0, f"{_call(_undo(item, item.undo))};")
    return _script(lines)


def _undo(item: Step, argv: tuple[str, ...]) -> Step:
    return Step(f"undo {item.name}", argv)


def _script(lines: Iterable[str]) -> str:
    return f"{_MARK}\n{''.join(lines)}{_MARK}"


def parse_sections(output: str) -> dict[str, Section]:
    """Return the sections of a script's output by name, in the order they ran.

    A section that was cut off (time limit, lost connection) is left out.
    """
    sections = {}
    for record in output.split(RECORD)[1:]:
        name, _, rest = record.partition("\n")
        out, cut, tail = rest.rpartition(_UNIT)
        if not cut:
            continue
        status, _, err = tail.partition("\n")
        sections[name] = Section(name, int(status), out, err.strip("\n"))
    return sections


def is_waiting(output: bytes | bytearray) -> bool:
    """Whether a change, by its output so far, waits for another run's lock."""
    begin = output[:_LOCK_BYTES]  # all of it would be searched again at each piece
    return LOCK_WAITED_FOR.encode() in begin and _UNIT.encode() not in begin


def failed(sections: Mapping[str, Section]) -> Section | None:
    """Return the step that a change ended at; None when every step went well."""
    return next((s for s in sections.values() if not s.ok and not s.name.startswith("undo ")), None)


def _call(item: Step) -> str:
    """Return the line that runs a step; printf is the shell's own, so its argument is no argv."""
    fed = f"printf %s {shlex.quote(item.stdin)} | " if item.stdin else ""
    return f"{fed}section {shlex.join((item.name, *item.argv))}"
