"""drill: cause one chosen failure after the other under a client load, measure, and undo it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from pacefab.drill.faults import Fault
from pacefab.drill.figures import Figures, is_answered, measure, notice, recovery
from pacefab.drill.load import Load
from pacefab.drill.revert import BusyError, cause, undo
from pacefab.drill.scene import Scene, find_victim, find_vips, find_witness
from pacefab.drill.timeline import Trace
from pacefab.drill.watch import Watch, check_reachable
from pacefab.errors import RefusedError, UsageError
from pacefab.interrupts import undoing
from pacefab.inventory.objectives import Objectives
from pacefab.services.load import ClientLoad
from pacefab.transport.connection import Host
from pacefab.workflows.nodes.progress import Progress
from pacefab.workflows.nodes.view import ClusterView, Reach
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.transaction.head import operator
from pacefab.workflows.transaction.transaction import Transaction

_BEFORE_SECONDS = 4.0  # what is usual, seen before the failure
_NOTICE_SECONDS = 90.0  # a monitor comes once in 60, by default
_ANSWER_SECONDS = 30.0  # for VIPs to move; one that has not by then may have nowhere to go
_FILL_SECONDS = 60.0
_AFTER_SECONDS = 3.0  # beyond the time after which clients come back to a node
_CAUSE_SECONDS = 120.0  # stopping a node stops everything that runs on it
_SPARE_SECONDS = 50.0  # by which the node's own timer comes later than we do
_FENCED = (
    "fencing is enabled: a node that is cut off is fenced; once it is up again there is nothing "
    "left to undo on it (fab drill --undo shows that)"
)


@dataclass(frozen=True)
class DrillResult:
    """One drill: what was seen, and what it comes to."""

    trace: Trace
    figures: Figures


@dataclass(frozen=True)
class DrillReport:
    """All drills of one run. `unhealthy` says why the cluster is not healthy after it, if so."""

    cluster: str
    begun: str  # ISO 8601
    operator: str  # user@host
    versions: Mapping[str, str]  # of pacefab, Pacemaker and the service
    service: str
    load: ClientLoad
    rate: int  # of the load, operations per second
    objectives: Objectives
    results: tuple[DrillResult, ...]
    unhealthy: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every objective was met and the cluster is healthy again."""
        return not self.unhealthy and all(result.figures.passed for result in self.results)


@dataclass(frozen=True)
class _Failing:
    """One failure of a drill: what is broken, of which cluster, under which load.

    `undone` gets what there is to say once it is undone.
    """

    fault: Fault
    node: str
    seen: ClusterView
    client: ClientLoad
    progress: Progress
    undone: list[str]


@dataclass(frozen=True)
class Drill:
    """How a run drills.

    Args:
        intent: of the one service that is broken.
        faults: the failures, in their order.
        node: the victim; empty: the promoted instance's for the first failure, where there is one,
            else the last node; then the one before it, …
        rate: the load's operations per second; None: the service's own.
        hold: seconds for which a failure goes on after Pacemaker has done what it does about it.
        timeout: seconds that the cluster has to recover in.
        objectives: what is expected.
        limit: hosts at a time.
    """

    intent: Intent
    faults: tuple[Fault, ...]
    node: str = ""
    rate: int | None = None
    hold: float = 5.0
    timeout: float = 120.0
    objectives: Objectives = field(default_factory=Objectives)
    limit: int = 32
    transaction: Transaction | None = None  # None: one of this run's own

    def run(
        self,
        hosts: Mapping[str, Host],
        reach: Reach,
        progress: Progress,
        confirm: Callable[[str, Sequence[str]], None],
    ) -> DrillReport:
        """Drill, until a failure leaves the cluster unhealthy.

        `confirm` gets the cluster's name and what would be done, and raises when that is not agreed
        to.

        Raises:
            PacefabError: nothing was done; or what was done is undone, or can be by `--undo`.
        """
        own = self.transaction or Transaction("drill")
        return own.run(lambda: self._run(hosts, reach, progress, confirm, own), progress)

    def _run(
        self,
        hosts: Mapping[str, Host],
        reach: Reach,
        progress: Progress,
        confirm: Callable[[str, Sequence[str]], None],
        transaction: Transaction,
    ) -> DrillReport:
        scene = Scene(hosts, reach, self.limit, self.intent)
        seen = scene.ready(partial(progress.waiting, "cluster"))
        for name in seen.strangers:
            progress.note(seen.membership.cluster, f"{name} is left alone: {seen.standing(name)}")
        load = scene.load(seen)
        victims = self._victims(seen, load)
        check_reachable(scene.service, load)
        if seen.status.fencing and any(fault.fenced for fault in self.faults):
            progress.note(seen.membership.cluster, _FENCED)
        faults = [fault.of(scene.service) for fault in self.faults]
        pairs = list(zip(faults, victims, strict=True))
        confirm(seen.membership.cluster, [f"{node}: {fault.what}" for fault, node in pairs])
        transaction.hold(seen, progress)
        begun, versions = _now(), scene.versions(seen)  # while every node can be asked
        results: list[DrillResult] = []
        unhealthy: tuple[str, ...] = ()
        with _undone_is_said() as undone:
            for fault, node in pairs:
                if results:
                    seen = scene.ready(partial(progress.waiting, seen.membership.cluster))
                    load = scene.load(seen)
                progress.note(node, f"{fault.name}: {fault.what}")
                failing = _Failing(fault, node, seen, load, progress, undone)
                trace = self._drill(failing)
                results.append(DrillResult(trace, measure(trace, self.objectives)))
                if results[-1].figures.recovered is not None:
                    scene.forget(seen, node)
                waits = partial(progress.waiting, seen.membership.cluster)
                if unhealthy := scene.unhealthy(self.timeout, waits):
                    break
        cluster = seen.membership.cluster
        return DrillReport(
            cluster, begun, operator(), versions, scene.service, load, self.rate or load.rate,
            self.objectives, tuple(results), unhealthy,
        )  # fmt: skip

    def _victims(self, seen: ClusterView, load: ClientLoad) -> list[str]:
        names = seen.membership.names
        if self.node and self.node not in names:
            others = (n for n in seen.status.nodes if n.name == self.node and n.remote)
            unknown = f"cluster {seen.membership.cluster} has no node {self.node}"
            if other := next(others, None):
                unknown = f"{self.node} is a {other.kind} node, and services run on members"
            raise UsageError("choose the node", unknown, f"give one of {', '.join(names)}")
        if len(names) < 2:  # noqa: PLR2004
            raise RefusedError("drill", "the cluster has one node", "no other node could take over")
        instances = seen.status.instances(load.resource)
        promoted = {node for i in instances if i.role == "Promoted" for node in i.nodes}
        last = list(reversed(names))
        turn = sorted(last, key=lambda name: name not in promoted)
        return [self.node or turn[place % len(turn)] for place in range(len(self.faults))]

    def _drill(self, failing: _Failing) -> Trace:
        """Cause one failure; return when the cluster has recovered, or had the time to."""
        fault, node, client = failing.fault, failing.node, failing.client
        watch = Watch(find_witness(failing.seen, node), client, find_vips(failing.seen.cib))
        begun, waits = _now(), partial(failing.progress.waiting, node)
        with Load(client, self.rate or client.rate) as load, watch:
            waits("the client load begins first")
            load.fill(_FILL_SECONDS)
            watch.rest(_BEFORE_SECONDS)
            waits("what Pacemaker and the clients do about it")
            with self._failure(failing) as caused:
                self._await_notice(fault, watch, caused)
                if fault.lasting:
                    self._await_answer(fault, watch, caused)
                    watch.rest(self.hold)
                else:
                    self._await_recovery(watch, caused, caused)
                ended = time.monotonic()
            waits("everything runs again as before, and clients are back")
            if fault.lasting:
                self._await_recovery(watch, caused, ended)
            watch.rest(client.back_seconds + _AFTER_SECONDS)
            windows = tuple(load.windows)  # counting ends the writing
            count = load.count(_FILL_SECONDS)
        waits("")
        return Trace(
            fault, node, begun, caused, ended, tuple(watch.samples), windows,
            count["stored"], count["lost"], count.get("redelivered"), client.keeps,
        )  # fmt: skip

    @contextmanager
    def _failure(self, failing: _Failing) -> Iterator[float]:
        """Cause the failure and, however the block ends, undo it; yield when it began."""
        fault, node, progress = failing.fault, failing.node, failing.progress
        host, ours = failing.seen.hosts[node], True
        wait = _ANSWER_SECONDS + self.hold if fault.lasting else self.timeout
        longest = _CAUSE_SECONDS + _NOTICE_SECONDS + wait + _SPARE_SECONDS
        caused = time.monotonic()
        try:
            cause(host, fault, find_victim(failing.seen, node, failing.client), longest)
            yield caused
        except BusyError:
            ours = False
            raise
        finally:
            if ours:
                progress.note(node, f"{fault.name}: undoing it")
                with undoing():
                    broken = undo(host)
                said = f"{node} {fault.undone}" if broken else "nothing was broken"
                failing.undone[:] = [said]
                progress.note(node, f"{fault.name}: undone")

    def _await_notice(self, fault: Fault, watch: Watch, caused: float) -> None:
        if fault.noticeable:
            watch.until(lambda seen: notice(seen, caused) is not None, _NOTICE_SECONDS)

    def _await_answer(self, fault: Fault, watch: Watch, caused: float) -> None:
        if fault.noticeable:
            watch.until(lambda seen: is_answered(seen, caused), _ANSWER_SECONDS)

    def _await_recovery(self, watch: Watch, caused: float, begin: float) -> None:
        watch.until(lambda seen: recovery(seen, caused, begin) is not None, self.timeout)


@contextmanager
def _undone_is_said() -> Iterator[list[str]]:
    """Have an interruption say what was undone before it ends the block."""
    undone: list[str] = []
    try:
        yield undone
    except KeyboardInterrupt as stop:
        for sentence in undone:
            stop.add_note(sentence)
        raise


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
