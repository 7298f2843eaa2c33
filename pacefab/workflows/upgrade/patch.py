"""patch: newer packages on every node of a cluster, one node after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pacefab import interrupts
from pacefab.errors import PacefabError, RefusedError
from pacefab.host import patches
from pacefab.host.model import HostFacts, Mark, Outcome
from pacefab.pacemaker import readiness
from pacefab.pacemaker.nouns.status import ClusterStatus, Transition
from pacefab.pacemaker.ownership import runners
from pacefab.services import registry
from pacefab.services.memcached import memcached
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.progress import Audience, Stopwatch, say_how_far
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members
from pacefab.workflows.transaction.entry import PATCH, State
from pacefab.workflows.transaction.transaction import Transaction
from pacefab.workflows.upgrade import cluster_findings, standby, walk
from pacefab.workflows.upgrade.due import PatchDue
from pacefab.workflows.upgrade.patched_node import Around, PatchedNode, look

STEP: Final = PATCH
_UNTOUCHED: Final = "not touched: one before failed"


@dataclass(frozen=True)
class DueNode:
    """A node of the round: what is due there, and what Pacemaker would do when it leaves.

    `begun`: an earlier run was cut off there.
    """

    name: str
    due: PatchDue
    moves: tuple[Transition, ...] = ()
    stops: tuple[str, ...] = ()
    begun: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """What would be done there, a line each."""
        first = ("an earlier run was cut off here: it goes on",) if self.begun else ()
        return (
            *first,
            *self.due.changes,
            *(f"Pacemaker: {move}" for move in self.moves),
            *(f"{name} runs nowhere meanwhile" for name in self.stops),
            *self.due.remarks,
        )


@dataclass(frozen=True)
class PatchRound:
    """How a run patches.

    Args:
        sections: the settings of an inventory's services; None: those that the cluster shows.
        nodes: the nodes to patch; None: all of them.
        until: the operator's time after which no further node is begun; None: there is none.
        timeout: seconds for a node to leave, to join, and for all to serve again.
        lock_seconds: how long another package manager's lock is waited for.
        dry_run: whether to show what would be done, and no more.
        allow_interruption: whether a resource may run nowhere while its node is away.
        limit: how many nodes are asked at a time.
        transaction: None: one of this run's own.
    """

    sections: Mapping[str, Any] | None = None
    nodes: frozenset[str] | None = None
    until: datetime | None = None
    timeout: int = 300
    lock_seconds: int = 120
    dry_run: bool = False
    allow_interruption: bool = False
    limit: int = 32
    transaction: Transaction | None = None

    def run(self, hosts: Mapping[str, Host], reach: Reach, audience: Audience) -> list[Outcome]:
        """Patch every node of the cluster, once agreed to; stop at the first that fails.

        A node that an earlier run left is brought to its end first.

        Raises:
            PacefabError: nothing was changed.
        """
        transaction = self.transaction or Transaction(STEP)
        own = replace(self, transaction=transaction)
        return transaction.run(lambda: own.run_once(hosts, reach, transaction, audience), audience)

    def run_once(
        self, hosts: Mapping[str, Host], reach: Reach, transaction: Transaction, audience: Audience
    ) -> list[Outcome]:
        """Do the same, with a transaction that may find that another run was quicker."""
        watch = Stopwatch(STEP, audience)
        seen = observe_members(hosts, self._look, self.limit, reach)
        transaction.check(seen, audience)
        for name in seen.strangers:
            audience.note(seen.membership.cluster, f"{name} is left alone: {seen.standing(name)}")
        for remote in (node for node in seen.status.nodes if node.remote):
            audience.note(seen.membership.cluster, f"{remote.called} is not patched")
        self._check(seen)
        round_ = self._round(seen)
        due = [node for node in round_ if node.due or node.begun]
        if self.dry_run or not (due or transaction.left):
            return [self._foretold(node, watch) for node in round_]
        if due:
            self._agree(seen, due, audience)
        transaction.hold(seen, audience)
        outcomes: list[Outcome] = []
        try:
            outcomes.extend(self._walk(seen, round_, transaction, watch))
        except KeyboardInterrupt as stop:
            say_how_far(stop, outcomes)
            raise
        if not due:
            self._end(seen, transaction, audience)
        return outcomes

    def _end(self, seen: ClusterView, transaction: Transaction, audience: Audience) -> None:
        """Note the end of a run that was cut off when nothing but this was left to do."""
        around = self._around(seen)
        around.check(around.without(), "nothing was changed")
        transaction.begin(seen.membership.cluster, ("every node is up to date",), seen.cib)
        transaction.end(State.UNCHANGED, audience)

    def _around(self, seen: ClusterView) -> Around:
        members = {name: seen.hosts[name] for name in seen.views}
        return Around(members, self._look, self.sections, self.limit, self.timeout)

    @property
    def _look(self) -> Look:
        return memcached.LOOK if self.sections is None else registry.look(self.sections)

    def _check(self, seen: ClusterView) -> None:
        """Raise what stands in the way of taking out any node."""
        for name, error in seen.silent.items():
            error.host = error.host or name
            raise error
        readiness.check_ready(seen.status, STEP)
        for name, facts in seen.member_facts.items():
            _check_manager(name, facts)
        unknown = sorted((self.nodes or frozenset()) - {*seen.views})
        if unknown:
            there = f"its nodes are {', '.join(seen.views)}"
            raise RefusedError(STEP, f"no node is called {', '.join(unknown)}", there)
        left = standby.found(seen.cib)
        others = left if self.nodes is None else [name for name in left if name not in self.nodes]
        if len(left) > 1 or (self.nodes is not None and others):
            advice = "bring them on first: fab patch without --node, or pcs node unstandby"
            raise RefusedError(STEP, f"an earlier run left {', '.join(left)}", advice)
        findings = [
            *cluster_findings.alone(seen.status),
            *(f for f in cluster_findings.set_aside(seen.status) if f.where not in left),
        ]
        if findings:
            said = "\n".join(f"{f.where}: {f.seen}: {f.why}" for f in findings)
            raise RefusedError(STEP, said, "; ".join(f.fix for f in findings))

    def _round(self, seen: ClusterView) -> list[DueNode]:
        """Return the nodes in their order, each with what is due; all are asked at once.

        Raises:
            PacefabError: one of them could not be asked.
        """
        managed = _managed(seen)
        names = [name for name in seen.views if self.nodes is None or name in self.nodes]
        hosts = {name: seen.hosts[name] for name in names}
        found = fan_out(hosts, lambda _, host: _asked(host, managed), limit=self.limit)
        for name, error in errors(found).items():
            error.host = error.host or name
            raise error
        due, left = values(found), standby.found(seen.cib)
        order = sorted(walk.order(names, seen.status), key=lambda name: name not in left)
        return [self._node_of(seen, name, due[name], begun=name in left) for name in order]

    def _node_of(self, seen: ClusterView, name: str, due: PatchDue, *, begun: bool) -> DueNode:
        """Return a node with what Pacemaker would do; one whose packages are broken is refused."""
        if due.facts.half_done and not begun:
            raise RefusedError(
                "see what would be upgraded",
                f"packages are half installed: {due.facts.half_done.splitlines()[0]}",
                "see: dpkg --audit; repair it: dpkg --configure -a",
                host=name,
            )
        after = standby.put(seen.cib, name)
        if after is None or not due:
            return DueNode(name, due, begun=begun)
        moves, placement = apply_cib.foresee(seen.host, after)
        stops = tuple(_stopped(seen.status, placement.running))
        return DueNode(name, due, moves, stops, begun)

    def _foretold(self, node: DueNode, watch: Stopwatch) -> Outcome:
        if node.due or node.begun:
            return watch.finish(node.name, Mark.PLANNED, *node.lines)
        return watch.finish(node.name, Mark.UNCHANGED, "up to date", *node.due.remarks)

    def _agree(self, seen: ClusterView, due: Sequence[DueNode], audience: Audience) -> None:
        """Show what would be done, and have it agreed to."""
        lines = [f"    {node.name}: {line}" for node in due for line in node.lines]
        audience.preview([f"{STEP} would, node by node:", *lines])
        stops = sorted({name for node in due for name in node.stops})
        if stops and not self.allow_interruption:
            raise RefusedError(
                STEP,
                f"while its node is away no other may run {', '.join(stops)}",
                "nothing was changed; let another node run it (pcs constraint), or accept that: "
                "--allow-interruption",
            )
        names = ", ".join(node.name for node in due)
        audience.ask(STEP, f"Patch {names} of {seen.membership.cluster}, one after the other?")

    def _walk(
        self,
        seen: ClusterView,
        nodes: Sequence[DueNode],
        transaction: Transaction,
        watch: Stopwatch,
    ) -> Iterator[Outcome]:
        failed = False
        for node in nodes:
            interrupts.check()
            watch.begin(node.name)
            if failed:
                yield watch.finish(node.name, Mark.SKIPPED, _UNTOUCHED)
            elif not (node.due or node.begun):
                yield watch.finish(node.name, Mark.UNCHANGED, "up to date", *node.due.remarks)
            elif self._is_over and not node.begun:
                said = f"not begun: it is past {self.until:%H:%M}; run this again another time"
                yield watch.finish(node.name, Mark.SKIPPED, said)
            else:
                outcome = self._node(seen, node, transaction, watch)
                failed = not outcome.mark.ok
                yield outcome

    @property
    def _is_over(self) -> bool:
        """Whether no further node is to be begun."""
        return self.until is not None and datetime.now(self.until.tzinfo) >= self.until

    def _node(
        self, seen: ClusterView, node: DueNode, transaction: Transaction, watch: Stopwatch
    ) -> Outcome:
        """Patch a node as one change of the history; one that did not end stays unfinished."""
        around = self._around(seen)
        try:
            now = around.without(*([node.name] if node.begun else []))
            around.check(now, "this node was not touched")
            changes = [f"{node.name}: {line}" for line in node.lines]
            transaction.begin(seen.membership.cluster, changes, now.cib)
            patched = PatchedNode(
                around, node.name, _managed(now), watch.progress, self.lock_seconds
            )
            self._bring(patched, transaction, watch)
            left = _left(patched.due, node.due)
            return watch.finish(node.name, Mark.CHANGED, *node.due.changes, *left)
        except PacefabError as error:
            return watch.fail(node.name, error)

    def _bring(self, node: PatchedNode, transaction: Transaction, watch: Stopwatch) -> None:
        try:
            node.run()
            node.look()
        except (PacefabError, KeyboardInterrupt):
            if not node.begun:
                transaction.end_undone(node.around.hosts, watch.progress)
            raise
        transaction.end(State.UNCHANGED, watch.progress)


def _asked(host: Host, managed: frozenset[str]) -> PatchDue:
    """Fetch a node's index of packages, and ask what is due there.

    Raises:
        RefusedError: it has no package manager of which that is known.
        PacefabError: the index could not be fetched.
    """
    step = patches.observe_index()
    patches.check_index(host.query([step], seconds=patches.INDEX_SECONDS)[step.name])
    return look(host, managed)


def _check_manager(node: str, facts: HostFacts) -> None:
    """Raise a RefusedError for a node whose package manager is another one than is known here."""
    if (manager := facts.supported_manager()) != patches.MANAGER:
        raise RefusedError(
            "see what would be upgraded",
            f"it has {manager}, and this is known of {patches.MANAGER} alone",
            f"one node after the other: pcs node standby {node}, {manager} upgrade, pcs node "
            f"unstandby {node}, fab status",
            host=node,
        )


def _managed(seen: ClusterView) -> frozenset[str]:
    """Return the units that Pacemaker runs."""
    return frozenset(unit for runner in runners(seen.cib) for unit in runner.units)


def _stopped(status: ClusterStatus, running: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Yield what runs now, and would run nowhere."""
    for name in sorted(status.primitives):
        fence = any(i.agent.startswith("stonith:") for i in status.instances(name))
        if status.started_on(name) and not running.get(name) and not fence:
            yield name


def _left(now: PatchDue, before: PatchDue) -> Iterator[str]:
    """Yield what an operator should know of a node that is done."""
    for path in now.facts.beside:
        if path not in before.facts.beside:
            yield f"{path.rpartition('.')[0]} is kept, the new one is {path}"
    for why in now.machine:  # as where the boot loader starts another kernel than the newest
        yield f"after its restart still: {why}"
    yield from now.remarks
