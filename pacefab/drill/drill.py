"""drill: cause one chosen failure after the other under a client load, measure, and undo it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from pacefab.drill.course import Course, now_text
from pacefab.drill.faults import Fault
from pacefab.drill.figures import Figures, measure
from pacefab.drill.fitting import check_fenced, check_fits, why_not
from pacefab.drill.scene import Scene
from pacefab.drill.timeline import Trace
from pacefab.drill.watch import check_reachable
from pacefab.errors import RefusedError, UsageError
from pacefab.inventory.objectives import Objectives
from pacefab.services.load import ClientLoad
from pacefab.transport.connection import Host
from pacefab.workflows.checks.fencing_proofs import share
from pacefab.workflows.nodes.progress import Progress
from pacefab.workflows.nodes.view import ClusterView, Reach
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.transaction.head import operator
from pacefab.workflows.transaction.transaction import Transaction

_FENCED = "fencing is enabled: a node that the others lose is fenced, which ends the failure"


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
        every: whether faults that the cluster cannot have are left out; else they are refused.
        limit: hosts at a time.
    """

    intent: Intent
    faults: tuple[Fault, ...]
    node: str = ""
    rate: int | None = None
    hold: float = 5.0
    timeout: float = 120.0
    objectives: Objectives = field(default_factory=Objectives)
    every: bool = False
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
        pairs = self._choose(scene, seen, load, progress)
        confirm(seen.membership.cluster, [f"{node}: {fault.what}" for fault, node in pairs])
        transaction.hold(seen, progress)
        begun, versions = now_text(), scene.versions(seen)  # while every node can be asked
        results: list[DrillResult] = []
        unhealthy: tuple[str, ...] = ()
        with _undone_is_said() as undone:
            for fault, node in pairs:
                if results:
                    seen = scene.ready(partial(progress.waiting, seen.membership.cluster))
                    load = scene.load(seen)
                progress.note(node, f"{fault.name}: {fault.what}")
                course = Course(
                    fault, node, seen, load, self.rate or load.rate, scene.activities(seen),
                    self.hold, self.timeout, progress, undone,
                )  # fmt: skip
                trace = course.run()
                results.append(DrillResult(trace, measure(trace, self.objectives)))
                if trace.boots.gone:  # it is known by now that these are fenced
                    share({name: seen.hosts[name] for name in seen.views})
                if results[-1].figures.recovered is not None:
                    scene.forget(seen, {node, *trace.boots.sides})
                waits = partial(progress.waiting, seen.membership.cluster)
                if unhealthy := scene.unhealthy(0 if trace.boots.silent else self.timeout, waits):
                    break
        cluster = seen.membership.cluster
        return DrillReport(
            cluster, begun, operator(), versions, scene.service, load, self.rate or load.rate,
            self.objectives, tuple(results), unhealthy,
        )  # fmt: skip

    def _choose(
        self, scene: Scene, seen: ClusterView, load: ClientLoad, progress: Progress
    ) -> list[tuple[Fault, str]]:
        """Return each failure with its victim.

        Raises:
            PacefabError: one of them cannot be caused, or seen from here.
        """
        faults = self._fitting(seen, progress)
        victims = self._victims(seen, load, len(faults))
        check_reachable(scene.service, load)
        if seen.status.fencing and any(fault.fenced for fault in faults):
            progress.note(seen.membership.cluster, _FENCED)
        for fault, node in zip(faults, victims, strict=True):
            check_fenced(fault, seen, node)
        return [(f.of(scene.service), node) for f, node in zip(faults, victims, strict=True)]

    def _fitting(self, seen: ClusterView, progress: Progress) -> list[Fault]:
        """Return the faults that this cluster can have; of `every` one, the others are left out."""
        if not self.every:
            for fault in self.faults:
                check_fits(fault, seen)
            return list(self.faults)
        reasons = {fault.name: why_not(fault, seen) for fault in self.faults}
        for name, why in reasons.items():
            if why:
                progress.note(seen.membership.cluster, f"{name} is left out: {why}")
        return [fault for fault in self.faults if not reasons[fault.name]]

    def _victims(self, seen: ClusterView, load: ClientLoad, count: int) -> list[str]:
        names = seen.membership.names
        if self.node and self.node not in names:
            others = (n for n in seen.status.nodes if n.name == self.node and n.remote)
            unknown = f"cluster {seen.membership.cluster} has no node {self.node}"
            if other := next(others, None):
                unknown = f"{self.node} is a {other.kind} node, and drills break members"
            raise UsageError("choose the node", unknown, f"give one of {', '.join(names)}")
        if len(names) < 2:  # noqa: PLR2004
            raise RefusedError("drill", "the cluster has one node", "no other node could take over")
        served = list(dict.fromkeys(server.node for server in load.servers))
        names = tuple(name for name in names if name in served)
        if not names or self.node not in {"", *names}:
            said = f"clients reach the service on {', '.join(served)}, and drills break members"
            advice = "nothing was broken; choose a member that has it, or another service"
            raise RefusedError("choose the node", said, advice)
        instances = seen.status.instances(load.resource)
        promoted = {node for i in instances if i.role == "Promoted" for node in i.nodes}
        last = list(reversed(names))
        turn = sorted(last, key=lambda name: name not in promoted)
        return [self.node or turn[place % len(turn)] for place in range(count)]


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
