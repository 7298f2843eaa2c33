"""One failure from its cause to its end, and what was seen meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial

from pacefab.drill.boots import Boots, sides_of
from pacefab.drill.faults import Fault
from pacefab.drill.figures import is_answered, notice, recovery
from pacefab.drill.fitting import stays_off
from pacefab.drill.load import Load
from pacefab.drill.recorder import Recorder
from pacefab.drill.revert import BusyError, cause, order, undo
from pacefab.drill.scene import find_victim, find_vips, find_witnesses
from pacefab.drill.timeline import Trace
from pacefab.drill.watch import Watch
from pacefab.errors import PacefabError
from pacefab.host import boots
from pacefab.interrupts import undoing
from pacefab.pacemaker.fencing import timing
from pacefab.services.activity import ActivityQuestion
from pacefab.services.load import ClientLoad
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out, values
from pacefab.waiting import Pending, wait_until
from pacefab.workflows.checks import fencing_scene
from pacefab.workflows.nodes.progress import Progress
from pacefab.workflows.nodes.view import ClusterView

_BEFORE_SECONDS = 4.0  # what is usual, seen before the failure
_NOTICE_SECONDS = 90.0  # a monitor comes once in 60, by default
_ANSWER_SECONDS = 30.0  # for VIPs to move; one that has not by then may have nowhere to go
_FILL_SECONDS = 60.0
_AFTER_SECONDS = 3.0  # beyond the time after which clients come back to a node
_CAUSE_SECONDS = 120.0  # stopping a node stops everything that runs on it
_SPARE_SECONDS = 50.0  # by which the node's own timer comes later than we do
_FENCE_SECONDS = 180.0  # for a node to be off, where its device does not say how long it may take
_ORDER_SECONDS = 30.0  # beyond that
_QUIET_SECONDS = 20.0  # after which a node that is back already is not fenced any more
_BOOT_SECONDS = 480.0  # for a machine to be up again
_BOOT_POLL_SECONDS = 1.0
_BOOT_ASK_SECONDS = 5.0
_RECORD_SECONDS = 1800.0  # longer than any drill


@dataclass(frozen=True)
class Course:
    """One failure of a drill: what is broken, of which cluster, under which load.

    Args:
        fault: the failure.
        node: the victim.
        seen: the cluster, before it.
        client: its load, `rate` operations per second.
        activities: by node: how its instances are asked whether they are active.
        hold: seconds for which it goes on after Pacemaker has done what it does about it.
        timeout: seconds that the cluster has to recover in.
        progress: hears of it.
        undone: gets what there is to say once it is undone.
    """

    fault: Fault
    node: str
    seen: ClusterView
    client: ClientLoad
    rate: int
    activities: Mapping[str, Sequence[ActivityQuestion]]
    hold: float
    timeout: float
    progress: Progress
    undone: list[str] = field(default_factory=list)

    def run(self) -> Trace:
        """Cause the failure; return when the cluster has recovered, or had the time to.

        Raises:
            PacefabError: it could not be caused, or seen; it is undone, or can be by `--undo`.
        """
        client, recorder = self.client, self._recorder()
        witnesses = find_witnesses(self.seen, self.node, self._sides)
        watch = Watch(witnesses, client, find_vips(self.seen.cib))
        begun, waits = now_text(), partial(self.progress.waiting, self.node)
        before = self._boots(self.seen.views)
        with _recording(recorder), Load(client, self.rate) as load, watch:
            waits("the client load begins first")
            load.fill(_FILL_SECONDS)
            watch.rest(_BEFORE_SECONDS)
            waits("what Pacemaker and the clients do about it")
            with self._failure() as caused:
                switched = self._await_end(watch, caused, before)
                ended = time.monotonic()
            waits("everything runs again as before, and clients are back")
            recorder.start(switched)
            if self.fault.lasting or switched:
                self._await_recovery(watch, caused, caused if switched else ended)
            watch.rest(client.back_seconds + _AFTER_SECONDS)
            windows = tuple(load.windows)  # counting ends the writing
            count = load.count(_FILL_SECONDS)
            recordings = recorder.read()
        waits("")
        return Trace(
            self.fault, self.node, begun, caused, ended, tuple(watch.samples), windows,
            count["stored"], count["lost"], count.get("redelivered"), client.keeps,
            fencing=self.seen.status.fencing,
            boots=Boots(before, self._boots(before), self._sides if self.fault.fenced else ()),
            recordings=tuple(recordings.values()),
        )  # fmt: skip

    @cached_property
    def _fenced(self) -> bool:
        """Whether it is to end with a node's power being cut."""
        return self.fault.fenced and self.seen.status.fencing

    @cached_property
    def _sides(self) -> tuple[str, ...]:
        names = self.seen.membership.names
        return sides_of(self.fault, self.node, names) if self._fenced else (self.node,)

    @cached_property
    def _staying(self) -> tuple[str, ...]:
        """The nodes that stay off once they are fenced."""
        return tuple(node for node in self._sides if stays_off(self.seen, node))

    @cached_property
    def _patience(self) -> float:
        """Return the seconds after which a node that is to be fenced is off, or will not be."""
        if not self._fenced:
            return _NOTICE_SECONDS + _ANSWER_SECONDS + self.hold
        scene = fencing_scene.scene_of(self.seen, self.seen.cib)
        longest = [timing.until_off(scene, side) or _FENCE_SECONDS for side in self._sides]
        return max(longest) + _ORDER_SECONDS

    def _recorder(self) -> Recorder:
        hosts = {node: self.seen.hosts[node] for node in self.seen.views}
        once = [vip for vip in find_vips(self.seen.cib) if not self._is_cloned(vip.resource)]
        vips = {vip.resource: vip.address for vip in once}
        return Recorder(hosts, vips, self.activities, _RECORD_SECONDS)

    def _is_cloned(self, resource: str) -> bool:
        """Whether a VIP is on several nodes at once by design, which share its clients."""
        return len(self.seen.status.started_on(resource)) > 1

    def _boots(self, nodes: Iterable[str]) -> dict[str, str]:
        """Return what each node says of its start; "" of one that does not answer."""
        hosts = {node: self.seen.hosts[node] for node in nodes}
        asked = fan_out(hosts, lambda _, host: _boot(host))
        return {**dict.fromkeys(hosts, ""), **values(asked)}

    @contextmanager
    def _failure(self) -> Iterator[float]:
        """Cause the failure and, however the block ends, undo it; yield when it began."""
        ours: list[str] = []
        longest = _CAUSE_SECONDS + self._patience + _SPARE_SECONDS
        if not self._fenced and not self.fault.lasting:
            longest += self.timeout
        try:
            # The other one of two nodes may be the one that is fenced: it needs a note too.
            for side in sorted(self._sides, key=lambda name: name == self.node):
                fault = self.fault if side == self.node else self.fault.noted
                ours.append(side)
                caused = time.monotonic()
                victim = find_victim(self.seen, side, self.client)
                cause(self.seen.hosts[side], fault, victim, longest)
            if self.fault.order:
                caused = time.monotonic()
                order(self._peer, self.fault, self.node)
            yield caused
        except BusyError:
            ours.pop()
            raise
        finally:
            self._undo(ours)

    @property
    def _peer(self) -> Host:
        """The node that has another one fenced: not the one that watches, if there is a third."""
        return self.seen.hosts[[node for node in self.seen.views if node != self.node][-1]]

    def _undo(self, nodes: Sequence[str]) -> None:
        """Undo it; where a node stays off, the rest goes on, and what is left is reported."""
        name = self.fault.name
        self.undone.clear()
        for node in nodes:
            self.progress.note(node, f"{name}: undoing it")
            try:
                with undoing():
                    broken = undo(self.seen.hosts[node])
            except PacefabError as error:
                if not self._fenced:
                    raise
                self.progress.note(node, f"{name}: not undone: {error.seen}; {error.next_step}")
                continue
            self.undone.append(f"{node} {self.fault.undone}" if broken else "nothing was broken")
            self.progress.note(node, f"{name}: undone")

    def _await_end(self, watch: Watch, caused: float, before: Mapping[str, str]) -> tuple[str, ...]:
        """Return once the failure is to be undone; return the nodes that were fenced."""
        if self._fenced:
            return self._await_fencing(watch, caused, before)
        if self.fault.noticeable:
            watch.until(lambda seen: notice(seen, caused) is not None, _NOTICE_SECONDS)
        if not self.fault.lasting:
            self._await_recovery(watch, caused, caused)
        elif self.fault.noticeable:
            watch.until(lambda seen: is_answered(seen, caused), _ANSWER_SECONDS)
        if self.fault.lasting or not self.fault.noticeable:
            watch.rest(self.hold)
        return ()

    def _await_fencing(
        self, watch: Watch, caused: float, before: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Return the nodes that were fenced once one of them answers again.

        None: one is off for good, it is late for that, or the node was back before the others had
        it fenced.
        """

        def look() -> tuple[str, ...] | Pending:
            watch.rest(0.0)  # raises what ended it
            now = self._boots(self._sides)
            if switched := tuple(n for n, boot in now.items() if boot and boot != before[n]):
                return switched
            done = all(now.values()) and self._is_late(watch, caused)
            off = any(watch.has_lost(node) and not now[node] for node in self._staying)
            return () if off or done else Pending("a node is fenced, and boots")

        waits = partial(self.progress.waiting, self.node)
        limit = self._patience + _BOOT_SECONDS
        found = wait_until(look, limit, poll=_BOOT_POLL_SECONDS, waits=waits)
        if self._staying and not found:  # that all runs as before is not to be waited for
            watch.until(lambda seen: is_answered(seen, caused), _ANSWER_SECONDS)
        return () if isinstance(found, Pending) else found

    def _is_late(self, watch: Watch, caused: float) -> bool:
        passed = time.monotonic() - caused
        quiet = self.fault.recovers and passed > _QUIET_SECONDS
        recovered = quiet and recovery(tuple(watch.samples), caused, caused) is not None
        return recovered or passed > self._patience

    def _await_recovery(self, watch: Watch, caused: float, begin: float) -> None:
        watch.until(lambda seen: recovery(seen, caused, begin) is not None, self.timeout)


@contextmanager
def _recording(recorder: Recorder) -> Iterator[None]:
    """Record on all nodes during the block; nothing of it is left there."""
    try:
        recorder.start(tuple(recorder.hosts))
        yield
    finally:
        with undoing():
            recorder.remove()


def _boot(host: Host) -> str:
    return boots.read(host.query([boots.observe()], seconds=_BOOT_ASK_SECONDS))


def now_text() -> str:
    """Return the time of day, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
