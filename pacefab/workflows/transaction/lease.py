"""The lease of a cluster: held by the nodes, for as long as one run changes something.

A run that changes something takes it on every node that it can reach, at least on as many as it
needs (`Reached.needed`: a majority of the cluster's nodes), one node first and in the same order
for all, so that of two runs one has it. It is renewed from here by threads, and on a node by the
changes that are at work there; it is given back when the run ends, and ends by itself when that
does not happen.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial

from pacefab import interrupts
from pacefab.errors import LostError, PacefabError, RefusedError, UnreachableError
from pacefab.transport import answers
from pacefab.transport import lease as leases
from pacefab.transport.command import LOCK, LOCK_WAITED_FOR, Section, shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.transport.lease import Grip
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.transaction.head import Head, Holder

WAIT_SECONDS = 60
"""How long another run's change is waited for, if nothing else was said."""
_TAKE_SECONDS = 90.0  # of which the node's lock is waited for 60
_RENEW_SECONDS = 8.0  # between two renewals; a slow node has three tries
_BUSY_SECONDS = 0.03  # between two looks whether a host is free; there are 0.15 s between questions
_ASK_SECONDS = 10.0
_POLL_SECONDS = 1.0


Note = Callable[[str, str], None]
"""Hears of a host, or of the cluster, what goes on there."""


class _HeldError(Exception):
    """Another run has the lease of a node."""

    def __init__(self, node: str, holder: Holder) -> None:
        super().__init__(node, holder)
        self.node = node
        self.holder = holder


class Lease:
    """The lease of one run; `wait` is how many seconds another run's change is waited for."""

    def __init__(self, task: str, wait: int = WAIT_SECONDS) -> None:
        self.task = task
        self.wait = wait
        self.token = uuid.uuid4().hex
        self._holder = heads.this_run(task, self.token)
        self._hosts: dict[str, Host] = {}
        self._tried: dict[str, Host] = {}
        self._stop = threading.Event()
        self._renewed: dict[str, float] = {}
        self._needed = 0

    @property
    def hosts(self) -> Mapping[str, Host]:
        """The hosts on which it is held."""
        return self._hosts

    def take(self, hosts: Mapping[str, Host], needed: int, note: Note) -> dict[str, Head]:
        """Take it on all hosts that answer; return what each said just before that.

        The order of the hosts should be the same for all runs. `note` hears whose change is waited
        for.

        Raises:
            RefusedError: another run has it for longer than is waited, or too few hosts answer.
        """
        deadline = time.monotonic() + self.wait
        over: frozenset[str] = frozenset()
        while True:
            try:
                found = self._take(hosts, needed, over, note)
            except _HeldError as error:
                self.release()
                held = error
            else:
                self._start()
                return found
            if held.holder.dead:
                over |= {held.holder.token}
                continue
            self._await_end(hosts[held.node], held, deadline, note)

    def release(self) -> None:
        """Give it back, wherever it was taken; a host that does not hear of it forgets it."""
        self._stop.set()
        self._stop = threading.Event()
        tried, self._tried, self._hosts, self._renewed = self._tried, {}, {}, {}
        for host in tried.values():
            host.grip = None
        give_back = shell(leases.SECTION, leases.RELEASE, leases.FILE, self.token)
        with interrupts.undoing():
            fan_out(tried, lambda _, host: host.ask([give_back], seconds=_ASK_SECONDS))
        if tried:
            answers.forget()  # they say that this run holds the cluster

    def _take(
        self, hosts: Mapping[str, Host], needed: int, over: frozenset[str], note: Note
    ) -> dict[str, Head]:
        """Take it on the first host that answers, then on the others at once.

        Raises:
            _HeldError: another run has it on one of them.
            RefusedError: too few hosts answer.
        """
        order = list(hosts)
        found: dict[str, Head] = {}
        failed: dict[str, PacefabError] = {}
        while order and not found:
            first, order = order[0], order[1:]
            self._take_on({first: hosts[first]}, over, note, found, failed)
        self._take_on({name: hosts[name] for name in order}, over, note, found, failed)
        if len(found) < max(needed, 1):
            self.release()
            raise self._too_few(found, needed, failed)
        for name in found:
            self._hosts[name] = hosts[name]
            hosts[name].grip = Grip(self.token, self._is_firm, self._holder.note())
            self._renewed[name] = _now()
        self._needed = needed
        return found

    def _take_on(
        self,
        hosts: Mapping[str, Host],
        over: frozenset[str],
        note: Note,
        found: dict[str, Head],
        failed: dict[str, PacefabError],
    ) -> None:
        self._tried |= hosts
        asked = fan_out(hosts, lambda name, host: self._take_one(name, host, over, note))
        for name, error in errors(asked).items():
            if isinstance(error, RefusedError):
                raise error
            if isinstance(error, UnreachableError):  # nothing was begun there
                self._tried.pop(name)
        failed |= errors(asked)
        for name, answer in values(asked).items():
            if isinstance(answer, _HeldError):
                raise answer
            found[name] = answer

    def _take_one(
        self, name: str, host: Host, over: frozenset[str], note: Note
    ) -> Head | _HeldError:
        """Take it on a host, once no script is at work there."""
        head = heads.parse(host.ask([heads.observe()]))
        if held := self._held(name, head, over):
            return held
        last = next(iter(over & {head.token}), "")
        words = (leases.FILE, self.token, last, self._holder.note())
        take = shell("take", leases.READ + leases.TAKE, *words)
        sections = host.change(
            [heads.observe(), take],
            seconds=_TAKE_SECONDS,
            on_line=partial(_hear, note, name, set()),
            idle=True,
        )
        if not sections[LOCK].ok:
            raise RefusedError(
                self.task,
                "a change is at work there right now (/run/pacefab.lock)",
                "wait until that one is done, then run this again",
                host=name,
            )
        head = heads.parse(sections)
        if sections["take"].status == leases.HELD:
            return self._held(name, head, over) or _HeldError(name, Holder(*["another run"] * 3))
        if not sections["take"].ok:
            advice = f"look at {leases.FILE} there, and at its disk (df)"
            raise RefusedError("take the lease", sections["take"].text, advice, host=name)
        return head

    def _held(self, name: str, head: Head, over: frozenset[str]) -> _HeldError | None:
        holder = head.holder
        free = holder is None or holder.token in {self.token, *over}
        return None if holder is None or free else _HeldError(name, holder)

    def _await_end(self, host: Host, held: _HeldError, deadline: float, note: Note) -> None:
        """Wait until the other run's lease has ended. Same errors as `take`."""
        said = f"{held.holder} holds the cluster"
        if time.monotonic() < deadline:
            note(held.node, f"{said}; waiting for its end, at most {self.wait} s")
        while time.monotonic() < deadline:
            interrupts.pause(_POLL_SECONDS)
            try:
                now = heads.parse(host.ask([heads.observe()])).holder
            except (LostError, UnreachableError):  # the others say how it is now
                return
            if now is None or now.token != held.holder.token or now.dead:
                return
        raise RefusedError(
            self.task,
            f"{held.node}: {said}",
            "nothing was changed; wait for its end (a run that died holds the cluster for "
            f"{leases.SECONDS} s more), or have this one wait: --wait SECONDS",
        )

    def _too_few(
        self, found: Mapping[str, Head], needed: int, failed: Mapping[str, PacefabError]
    ) -> RefusedError:
        away = "\n".join(map(str, failed.values()))
        seen = f"{len(found)} of {needed} nodes that are needed for it answer"
        advice = "nothing was changed; bring back the others, then run this again"
        return RefusedError(f"{self.task}: hold the cluster", f"{seen}\n{away}".strip(), advice)

    def _start(self) -> None:
        for name, host in self._hosts.items():
            threading.Thread(
                target=self._renew, args=(self._stop, name, host), name=f"lease {name}", daemon=True
            ).start()

    def _renew(self, stop: threading.Event, name: str, host: Host) -> None:
        """Renew it on a host until it is given back.

        Each host has a thread. While a script of ours is at work there, this waits: a change renews
        it by itself, and nobody who asks a host that is being lost is to wait for this as well.
        """
        step = shell(leases.SECTION, leases.RENEW, leases.FILE, self.token)
        while not stop.wait(_RENEW_SECONDS):
            while host.busy:
                if stop.wait(_BUSY_SECONDS):
                    return
            with interrupts.undoing(), contextlib.suppress(PacefabError):
                renewed = host.ask([step], seconds=_ASK_SECONDS)[step.name].ok
                if renewed and not stop.is_set():
                    self._renewed[name] = _now()

    def _is_firm(self) -> bool:
        """Whether as many hosts as are needed had it moments ago, so that no other run has."""
        since = _now() - leases.SECONDS / 2
        return sum(when > since for when in list(self._renewed.values())) >= max(self._needed, 1)


def _now() -> float:
    """Return seconds that pass while this machine sleeps, too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _hear(note: Note, name: str, heard: set[str], line: str) -> None:
    """Note once that a script is at work on the host."""
    if line.strip() == LOCK_WAITED_FOR and not heard:
        heard.add(line)
        note(name, LOCK_WAITED_FOR)


def check_lease(sections: Mapping[str, Section]) -> None:
    """Raise a RefusedError when a node did not begin a change: the lease is not this run's."""
    section = sections.get(leases.SECTION)
    if section is None or section.ok:
        return
    if section.err:
        advice = f"look at {leases.FILE} there, and at its disk (df /run)"
        raise RefusedError("renew the lease", section.err, advice)
    note = section.out.strip()
    said = f"{heads.read_holder(note)} holds the cluster by now" if note else "it has ended"
    raise RefusedError(
        "change the node",
        f"this run was cut off or stopped for too long to keep its lease: {said}",
        "see how far it came: fab status; then run this again",
    )
