"""An entry of the history: one change of a cluster, from its beginning to its end. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from pacefab.pacemaker.naming import masked

_TIME = "%Y%m%dT%H%M%S.%fZ"
# A number orders entries, not an operator's clock. What is of the time before numbers sorts first.
_ID = re.compile(r"(?:s(?P<number>\d{8})-)?(?P<time>\d{8}T\d{6}\.\d{6}Z)")
_KEPT_OF_NOTE = ("id", "cluster", "by", "changes", "task", "nodes", "target", "token")
ROLLBACK, PATCH = "rollback", "patch"


class State(StrEnum):
    """How far a change has come."""

    BEGUN = "begun"
    DONE = "done"
    UNDONE = "undone"
    UNCHANGED = "unchanged"  # done, and files and configuration are as before: a restart


@dataclass(frozen=True)
class Entry:
    """One change: what it is called, by whom, what changes.

    Args:
        id: sorts in the order in which changes began.
        cluster: the cluster's name.
        by: user@host of the operator.
        changes: a line each.
        task: what the operator typed, as update-memcached.
        nodes: the hosts that it concerns.
        target: of a rollback: the entry before which it goes back.
        token: of the lease that it was made under.
        state: how far it has come; entries of the time before states are done.
        ended_by: the entry of the later change that finished or undid it.
    """

    id: str
    cluster: str
    by: str
    changes: tuple[str, ...]
    task: str = ""
    nodes: tuple[str, ...] = ()
    target: str = ""
    token: str = ""
    state: State = State.DONE
    ended_by: str = ""

    @property
    def when(self) -> datetime:
        """The operator's time at which it began."""
        return _moment(self.id) or datetime.fromtimestamp(0, UTC)

    @property
    def sentence(self) -> str:
        """The changes in a few words."""
        first, rest = self.shown_changes[:1], len(self.changes) - 1
        return "; ".join(
            [*first, *([f"and {rest} more change{'s' * (rest > 1)}"] if rest > 0 else [])]
        )

    @property
    def shown_changes(self) -> tuple[str, ...]:
        """The changes without values of secrets, which earlier versions noted."""
        return tuple(map(masked, self.changes))

    @property
    def name(self) -> str:
        """What it is called in a sentence: deploy of 2026-11-29 14:02:11 UTC by anna@ops1."""
        return f"{self.task or 'apply'} of {self.when:%Y-%m-%d %H:%M:%S} UTC by {self.by}"

    @property
    def undoes(self) -> bool:
        """Whether it goes back to what stood before another entry."""
        return bool(self.target)

    def shown(self) -> dict[str, object]:
        """Return it as plain data, for programs."""
        begun, changes = self.when.isoformat(), list(self.shown_changes)
        return {"id": self.id, "task": self.task, "by": self.by, "begun": begun, "changes": changes}

    def note(self) -> str:
        """Return what is kept of it on nodes: one line."""
        every = asdict(self)
        return json.dumps({name: every[name] for name in _KEPT_OF_NOTE})


@dataclass(frozen=True)
class Damaged:
    """An entry that a node has and that cannot be read there."""

    id: str
    node: str
    why: str

    def __str__(self) -> str:
        return f"{self.id}: its note on {self.node} is damaged ({self.why})"


def is_id(name: str) -> bool:
    """Whether a folder's name is an entry's."""
    return _moment(name) is not None


def _moment(name: str) -> datetime | None:
    """Return when an entry began by its folder's name; None: that is none of an entry."""
    found = _ID.fullmatch(name)
    try:
        return datetime.strptime(found["time"], _TIME).replace(tzinfo=UTC) if found else None
    except ValueError:  # no day, or no time of a day
        return None


def number_of(name: str) -> int:
    """Return an entry's number; 0 of one of the time before numbers."""
    found = _ID.fullmatch(name)
    return int(found["number"] or 0) if found else 0


def next_id(seen: Iterable[str], now: datetime) -> str:
    """Return an id that sorts after all that were seen, whatever the time is here."""
    number = max(map(number_of, seen), default=0) + 1
    return f"s{number:08}-{now.strftime(_TIME)}"


def read(name: str, note: str, state: str = "") -> Entry:
    """Return an entry from its folder's name, its note and what is noted of its state.

    Raises:
        ValueError: the note is damaged.
    """
    try:
        found = json.loads(note)
        texts = {key: found[key] for key in ("cluster", "by")}
        texts |= {key: found.get(key, "") for key in ("task", "target", "token")}
        changes, nodes = (tuple(map(str, found.get(key, ()))) for key in ("changes", "nodes"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    if not is_id(name) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("it is no note of an entry")
    word, _, by = state.strip().partition(" ")
    known = State(word) if word in set(State) else State.DONE
    ended_by = by if is_id(by) else ""
    return Entry(name, changes=changes, nodes=nodes, state=known, ended_by=ended_by, **texts)


def merge(copies: Sequence[Entry]) -> Entry:
    """Return an entry of the copies on several nodes: one that knows its end is right about it.

    A node that was away keeps "begun" for as long, and hears later only how it ended, not by what.
    """
    ended = [copy for copy in copies if copy.state is not State.BEGUN]
    by = [copy for copy in ended if copy.ended_by]
    return [*by, *ended, *copies][0]


def unfinished(entries: Iterable[Entry], live: Collection[str] = ()) -> tuple[Entry, ...]:
    """Return the entries that were begun and are no run's any more, oldest first.

    `live` are the tokens of leases that are held now.
    """
    begun = (entry for entry in entries if entry.state is State.BEGUN and entry.token not in live)
    return tuple(sorted(begun, key=lambda entry: entry.id))


def counted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the entries that one can go back before, newest first.

    One that a later one finished is a part of that; one that was undone changed nothing.
    """
    none = {State.UNDONE, State.UNCHANGED}
    known = [entry for entry in entries if not entry.ended_by and entry.state not in none]
    return tuple(sorted(known, key=lambda entry: entry.id, reverse=True))


def first_of(entry: Entry, entries: Mapping[str, Entry]) -> Entry:
    """Return the first of the entries that came to their end with this one, else itself."""
    ended = [e for e in entries.values() if e.ended_by == entry.id and e.id < entry.id]
    parts = [e for e in ended if e.state is State.DONE]
    return min([entry, *(first_of(part, entries) for part in parts)], key=lambda each: each.id)


def finishing(task: str, left: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return which unfinished changes a task finishes when it comes to its end.

    deploy brings files and cluster to what is desired, whatever was begun; a rollback goes back
    before all of it. A service that is stopped on a node for its update is brought back by the same
    update, or by a rollback. A node that is out of service for newer packages, which have no way
    back, is brought on by patch alone. Other tasks finish what they themselves began.
    """
    if task == ROLLBACK:
        return tuple(entry for entry in left if entry.task != PATCH)
    if task == "deploy":
        return tuple(e for e in left if e.task != PATCH and not e.task.startswith("update-"))
    return tuple(entry for entry in left if entry.task == task)


def ended(entry: Entry, state: State, by: str = "") -> Entry:
    """Return an entry that came to its end."""
    return replace(entry, state=state, ended_by=by)
