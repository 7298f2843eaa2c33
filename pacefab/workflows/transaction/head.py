"""What a node says about changes in the round trip in which it says all else. Pure.

The lease, the changes that were begun and not finished, the states of the others: a piece of
shell that starts no program. The last 50 states are read, each by one `read`.
"""

from __future__ import annotations

import base64
import getpass
import json
import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pacefab.host.kept_files import FOLDER
from pacefab.transport import lease
from pacefab.transport.command import Section, Step, shell
from pacefab.workflows.transaction import entry as entries
from pacefab.workflows.transaction.entry import Entry, State

_LOOK = (
    lease.READ
    + r"""
lease "$1"
printf 'lease %s %s %s\n' "${live:--}" "${token:--}" "$note"
cd "$2" 2>/dev/null || exit 0
for folder in */; do
  name=${folder%/} state= line=
  [ -r "$name/state" ] || continue
  read -r state rest <"$name/state"
  if [ "$state" = begun ] && [ -r "$name/note.json" ]; then read -r line <"$name/note.json"; fi
  printf '%s %s %s\n' "${state:--}" "$name" "$line"
done
"""
)
_SECTION = "changes"
_PROCESSES = Path("/proc")
_ENDED = "ended"


@dataclass(frozen=True)
class Holder:
    """The run that has the lease: what it does, who started it, where and when."""

    task: str
    by: str
    since: str  # ISO 8601
    process: str = ""  # where it runs, so that the same machine knows whether it still does
    token: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.task} by {self.by} since {self.since}"

    @property
    def dead(self) -> bool:
        """Whether its process was on this machine, and is there no more."""
        where, _, identity = self.process.rpartition(" ")
        if not where or where != _machine():
            return False
        pid, _, started = identity.partition(":")
        return pid.isdecimal() and _has_ended(int(pid), started)

    def note(self) -> str:
        """Return it as a word."""
        said = {"task": self.task, "by": self.by, "since": self.since, "process": self.process}
        return base64.b64encode(json.dumps(said).encode()).decode()


@dataclass(frozen=True)
class Head:
    """What one node says: who may change it, what was begun, and what came last."""

    token: str = ""  # of the lease that it has, or had last
    holder: Holder | None = None  # None: nobody has it
    begun: tuple[Entry, ...] = ()
    ended: frozenset[str] = frozenset()  # entries that were finished or undone
    undone: frozenset[str] = frozenset()  # of those

    @property
    def ids(self) -> frozenset[str]:
        """The entries that it has, as far as they have a state."""
        return self.ended | {entry.id for entry in self.begun}

    def follows(self, seen: Head) -> bool:
        """Whether no run changed anything since that was seen."""
        same = (self.token, self.ids, self.ended) == (seen.token, seen.ids, seen.ended)
        return same and seen.holder is None


def unfinished(heads: Iterable[Head]) -> tuple[Entry, ...]:
    """Return the changes that were begun and are no run's any more, oldest first.

    A node that was away keeps "begun" when the others know the end.
    """
    every = tuple(heads)
    ended = frozenset[str]().union(*(head.ended for head in every))
    live = live_tokens(every)
    copies = sorted((e for head in every for e in head.begun), key=lambda entry: entry.token)
    begun = {entry.id: entry for entry in copies}  # of a damaged note the token is not known
    return entries.unfinished((e for e in begun.values() if e.id not in ended), live)


def behind(heads: Mapping[str, Head]) -> dict[str, tuple[Entry, ...]]:
    """Return, by node, the changes that ended while it was away, as they ended.

    It may lack of what they changed.
    """
    ended = frozenset[str]().union(*(head.ended for head in heads.values()))
    undone = frozenset[str]().union(*(head.undone for head in heads.values()))
    missed = {
        name: tuple(
            entries.ended(e, State.UNDONE if e.id in undone else State.DONE)
            for e in head.begun
            if e.id in ended
        )
        for name, head in heads.items()
    }
    return {name: found for name, found in missed.items() if found}


def live_tokens(heads: Iterable[Head]) -> frozenset[str]:
    """Return the tokens of leases whose runs are not known to be dead."""
    holders = (head.holder for head in heads)
    return frozenset(holder.token for holder in holders if holder and not holder.dead)


def under_way(heads: Iterable[Head]) -> tuple[str, ...]:
    """Return which runs change the cluster now, a sentence each."""
    holders = (head.holder for head in heads)
    return tuple(dict.fromkeys(str(holder) for holder in holders if holder and not holder.dead))


def observe() -> Step:
    """Return the step that `parse` understands."""
    return shell(_SECTION, _LOOK, lease.FILE, FOLDER)


def parse(sections: Mapping[str, Section]) -> Head:
    """Return what a node said; one that was not asked said nothing."""
    head, begun = Head(), list[Entry]()
    ended: dict[str, set[str]] = {state: set() for state in State if state is not State.BEGUN}
    lines = sections[_SECTION].out.splitlines() if _SECTION in sections else ()
    for line in lines:
        word, _, rest = line.partition(" ")
        first, _, rest = rest.partition(" ")
        if word == "lease":
            token, _, note = rest.partition(" ")
            held = first == "live"
            held_by = read_holder(note, token) if held else None
            head = Head(token.strip("-"), held_by)
        elif word == State.BEGUN and entries.is_id(first):
            begun.append(_begun(first, rest))
        elif word in ended and entries.is_id(first):
            ended[word].add(first)
    undone, every = frozenset(ended[State.UNDONE]), frozenset[str]().union(*ended.values())
    return Head(head.token, head.holder, tuple(begun), every, undone)


def _begun(name: str, note: str) -> Entry:
    try:
        return entries.read(name, note, State.BEGUN)
    except ValueError:
        changes = ("its note is damaged there",)
        return Entry(name, "", "an unknown operator", changes, state=State.BEGUN)


def read_holder(note: str, token: str = "") -> Holder:
    """Return who holds a lease, by its note."""
    try:
        said = json.loads(base64.b64decode(note))
        words = {key: str(said[key]) for key in ("task", "by", "since", "process")}
    except (ValueError, KeyError, TypeError, RecursionError):
        return Holder("a change", "an unknown operator", "an unknown time", token=token)
    return Holder(**words, token=token)


def operator() -> str:
    """Return who runs this, and where: user@host."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def this_run(task: str, token: str) -> Holder:
    """Return this run as the holder of a lease."""
    pid = os.getpid()
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Holder(task, operator(), since, f"{_machine()} {pid}:{_started(pid)}", token)


def _machine() -> str:
    """Return this machine, since its start, and where its processes are numbered; empty: unknown.

    From Linux's /proc.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process of this machine was started, in its own measure; empty: not known.

    A process that has ended and was not waited for yet (state Z) has ended.
    """
    try:
        words = (_PROCESSES / f"{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return _ENDED if words[0] == "Z" else words[19]


def _has_ended(pid: int, started: str) -> bool:
    """Whether a process of this machine is there no more.

    Where other users' processes are hidden (proc(5), hidepid), kill(2) still knows of them.
    """
    if found := _started(pid):
        return bool(started) and found != started
    try:
        os.kill(pid, 0)
    except PermissionError:
        return False
    except (ProcessLookupError, OverflowError):
        return True
    return False
