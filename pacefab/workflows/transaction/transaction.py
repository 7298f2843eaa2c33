"""One run's change of a cluster: the lease is its own, the nodes know what it began.

A flow looks, plans, and has its plan agreed to. Then it calls `hold` (which raises where another
run was quicker: the flow begins again, and has the lease by then), `begin` before the first change
of any node, and `end`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeVar

from pacefab import interrupts
from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.pacemaker import cib_text, live
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.restore import plan_restore
from pacefab.transport.command import LOCK, Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out
from pacefab.workflows.transaction import entry as entries
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.transaction import here, log
from pacefab.workflows.transaction.entry import Entry, State
from pacefab.workflows.transaction.head import Head
from pacefab.workflows.transaction.lease import WAIT_SECONDS, Lease, check_lease

T = TypeVar("T")
Reach = Callable[[str], Host | None]

_STEP_SECONDS = 90.0  # of which the node's lock is waited for 60
_AS_BEFORE = "the old state was put back"
_NOT_ALL = "not all of it was put back"
_DIFFERS = "the configuration is not as it was before"
_OTHERS = "its changes were put back, what others have changed since it began was not"
_UNKNOWN = (
    "whether the configuration is as it was before is not known, as no node with quorum says it"
)
OVERTAKEN = "another user changed the cluster meanwhile; planned again"
# What is needed to repair a cluster, and replaces neither files nor resources of the inventory.
_HARMLESS = {"start-galera", "bootstrap", "add-node", "remove-node", "drill-undo"}


class OvertakenError(Exception):
    """Another run changed something between this one's look and its lease, which it has now."""


class Observed(Protocol):
    """The hosts that were looked at, and what they said of changes."""

    @property
    def voters(self) -> Mapping[str, Host]:
        """Every host that answered and has a word in it."""

    @property
    def left_out(self) -> Sequence[str]:
        """The nodes of the cluster that were not asked."""

    @property
    def needed(self) -> int:
        """How many hosts have to agree to a change: a majority of the cluster's nodes."""

    @property
    def heads(self) -> Mapping[str, Head]:
        """What each host said of changes."""


class Notes(Protocol):
    """Somebody who watches."""

    def note(self, host: str, text: str) -> None:
        """Hear of something that is going on right now."""


@dataclass(frozen=True)
class Hosts:
    """Hosts that were looked at one by one, whatever cluster they are of."""

    hosts: Mapping[str, Host]
    heads: Mapping[str, Head] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    @property
    def voters(self) -> Mapping[str, Host]:
        """All of them."""
        return self.hosts

    @property
    def needed(self) -> int:
        """All of them."""
        return len(self.hosts)


class Transaction:
    """What one run may change, and what it has begun.

    `wait` is how many seconds another run's change is waited for; `reach` reaches nodes of the
    cluster that were not named.
    """

    def __init__(self, task: str, wait: int = WAIT_SECONDS, reach: Reach | None = None) -> None:
        self.task = task
        self.entry: Entry | None = None
        self.lease = Lease(task, wait)
        self._reach = reach
        self._running = False
        self._heads: Mapping[str, Head] = {}
        self._left: tuple[Entry, ...] = ()
        self._before: Cib | None = None
        self._named: set[str] = set()
        self.is_stuck = False  # something could not be put back, or was not to be
        self.is_back = False  # what was changed of the configuration was put back
        self.replaced: set[str] = set()  # nodes whose files are, by a flow that may only restart

    def run(self, work: Callable[[], T], progress: Notes) -> T:
        """Do the work, again where another run was quicker; then the lease is given back.

        Within another `run` of the same transaction it is a part of that.
        """
        if self._running:
            return work()
        self._running = True
        try:
            while True:
                try:
                    return work()
                except OvertakenError:
                    progress.note(self.task, OVERTAKEN)
        finally:
            self._running = False
            self.lease.release()

    @property
    def entry_id(self) -> str:
        """The entry of the history under which files are kept; empty: there is none."""
        return self.entry.id if self.entry else ""

    @property
    def left(self) -> tuple[Entry, ...]:
        """The unfinished changes that this run brings to their end, oldest first."""
        return entries.finishing(self.task, self._left)

    def check(self, seen: Observed, progress: Notes) -> None:
        """Name the changes that were begun and not finished, as far as any node knows them.

        Raises:
            RefusedError: this task does not go on while they are not.
        """
        self._left = heads.unfinished({**self._heads, **seen.heads}.values())
        for entry in self._left:
            if entry.id not in self._named:
                progress.note(self.task, f"not finished: {entry.name}: {entry.sentence}")
            self._named.add(entry.id)
        others = [e for e in self._left if e not in self.left and not _is_whole(e)]
        if others and self.task not in _HARMLESS:
            seen_ = "\n".join(f"not finished: {entry.name}" for entry in others)
            raise RefusedError(self.task, seen_, f"nothing was changed; {ways_on(others)}")

    def hold(self, seen: Observed, progress: Notes) -> None:
        """Take the lease, unless this run has it.

        Raises:
            OvertakenError: another run was quicker; this one has the lease now.
            RefusedError: another run has it, or too few nodes answer.
        """
        self.check(seen, progress)
        if self.lease.hosts:
            return
        reached = {name: self._reach(name) for name in seen.left_out} if self._reach else {}
        others = {name: host for name, host in reached.items() if host is not None}
        hosts = dict(sorted({**seen.voters, **others}.items()))  # whichever of them were named
        self._heads = self.lease.take(hosts, seen.needed, progress.note)
        self._catch_up(progress)
        self.check(seen, progress)  # nodes that were not named may know of more
        for name, head in self._heads.items():
            if name in seen.heads and not head.follows(seen.heads[name]):
                raise OvertakenError

    def _catch_up(self, progress: Notes) -> None:
        """Note the end of earlier changes on nodes that were away when they ended."""
        for name, missed in heads.behind(self._heads).items():
            step = log.plan_end(missed)
            host = {name: self.lease.hosts[name]}
            for error in errors(fan_out(host, partial(_run, [step]))).values():
                progress.note(name, f"could not note the end of earlier changes: {error.seen}")

    def begin(
        self, cluster: str, changes: Sequence[str], before: Cib | None, target: str = ""
    ) -> Entry:
        """Note on every node that the change begins, with the CIB as it is.

        Raises:
            PacefabError: one of them could not note it; none did, and nothing was changed.
        """
        known = {name for head in self._heads.values() for name in head.ids}
        own = () if self.entry is None else (self.entry.id,)
        nodes = tuple(self.lease.hosts)
        entry = Entry(
            entries.next_id({*known, *own}, datetime.now(UTC)),
            cluster, heads.operator(), tuple(changes), self.task, nodes, target,
            self.lease.token, State.BEGUN,
        )  # fmt: skip
        if before:
            here.store(entry, before)
        self.entry, self._before = entry, before
        try:
            self._on_all([log.plan_begin(entry, before)])
        except (PacefabError, KeyboardInterrupt):
            self.entry = None
            with interrupts.undoing():
                self._tried([log.plan_withdraw(entry)])
            raise
        return entry

    def keep(self, before: Cib) -> None:
        """Keep the CIB that the change is made from, where it is another than when it began.

        Raises:
            PacefabError: a node could not keep it.
        """
        same = self._before is not None and self._before.version[:2] == before.version[:2]
        if self.entry is None or same:
            return
        here.store(self.entry, before)
        self._on_all([log.plan_keep(self.entry, before)], "the configuration was not changed")
        self._before = before

    def stuck(self) -> None:
        """Note that something of the change could not be put back, or was not to be."""
        self.is_stuck = True

    def end_undone(self, hosts: Mapping[str, Host], progress: Notes, *, kept: bool = False) -> str:
        """Note that all is as it was before, where it is; return how the change ended, in words.

        What is `kept` because the operator asked for it is as it is to be. Nothing is said of a
        change that left nothing of the configuration to put back.
        """
        if self.entry is None:
            return ""
        with interrupts.undoing():
            left = _NOT_ALL if self.is_stuck else self._left_over(hosts)
            if not left:
                self.end(State.UNDONE, progress)
                return self._put_back if self.is_back else ""
            if kept:
                self.end(State.DONE, progress, whole=False)
                return "what was changed stays (--keep-on-failure): fab rollback undoes it"
        return f"{left}: the change is not finished: fab status names it, and how to end it"

    @property
    def _put_back(self) -> str:
        """What is as it was; of a rollback the old state would be where it was to go."""
        goes_back = self.entry is not None and self.entry.undoes
        return "the state before this rollback was put back" if goes_back else _AS_BEFORE

    def _left_over(self, hosts: Mapping[str, Host]) -> str:
        """Return what is not as it was when the change began, by the first node that says it."""
        if self._before is None:
            return ""
        for host in hosts.values():
            with contextlib.suppress(PacefabError):
                now = live.read_cib(host.query(cib_text.observe()))
                if now.quorum:
                    same = not plan_restore(now, self._before).changes
                    return "" if same else _OTHERS if self.is_back else _DIFFERS
        return _UNKNOWN

    def end(self, state: State, progress: Notes, *, whole: bool = True) -> None:
        """Note on every node how the change came to its end, and what it brought to its end.

        One that is not `whole` ended before all was done, as it reported, and brought nothing else
        to its end. One that did has the others' changes, so it is not `UNCHANGED`. A node that
        cannot note it is named: the others know it.
        """
        ended: list[Entry] = []
        by = self.entry.id if self.entry else ""
        finishes = whole and state is not State.UNDONE
        state = State.DONE if state is State.UNCHANGED and self.left else state
        if self.entry:
            ended.append(entries.ended(self.entry, state))
        if finishes:
            ended += [self._ended(entry, by) for entry in self.left]
            self._left = ()
        self.entry = None if state is State.UNDONE else self.entry
        if not ended:
            return
        with interrupts.undoing():
            for name, error in self._tried([log.plan_end(ended)]).items():
                progress.note(name, f"could not note the end of the change: {error.seen}")

    def _ended(self, entry: Entry, by: str) -> Entry:
        """Return how an earlier change ends by this one."""
        target = self.entry.target if self.entry else ""
        undone = bool(target) and entry.id >= target and not entry.undoes
        return entries.ended(entry, State.UNDONE if undone else State.DONE, by)

    def _on_all(self, steps: Sequence[Step], unchanged: str = "nothing was changed") -> None:
        """Run steps on every node of the lease. Raises the first error of any."""
        for name, error in self._tried(steps).items():
            error.host = error.host or name
            error.next_step = f"{unchanged}; {error.next_step}"
            raise error

    def _tried(self, steps: Sequence[Step]) -> dict[str, PacefabError]:
        """Run steps on every node of the lease; return the errors."""
        return errors(fan_out(self.lease.hosts, partial(_run, steps)))


def _is_whole(entry: Entry) -> bool:
    """Whether each host of a change is whole by itself, so that others may go on."""
    return entry.task.startswith("install-")


def ways_on(left: Iterable[Entry]) -> str:
    """Return the two commands that end changes which were not finished."""
    first = next(iter(left))
    again = "fab deploy" if first.undoes or not first.task else f"fab {first.task}"
    if first.undoes:
        return "go on with it: fab rollback; or go forward: fab deploy"
    if first.task == entries.PATCH:  # packages do not go back
        return f"finish it: {again}"
    return f"finish it: {again} (as it was begun); or undo it: fab rollback"


def _run(steps: Sequence[Step], _name: str, host: Host) -> None:
    sections = host.change(steps, seconds=_STEP_SECONDS, idle=True)
    if not sections[LOCK].ok:
        advice = "wait until that one is done, then run this again"
        raise RefusedError("note the change", "a change is at work there right now", advice)
    check_lease(sections)
    for step in steps:
        section = sections.get(step.name)
        if section is None or not section.ok:
            seen = section.text if section else "it was cut off"
            advice = "free some space there (df -h /var/lib/pacefab), then run this again"
            raise CommandError("note the change in the history", seen, advice)
