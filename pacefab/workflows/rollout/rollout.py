"""deploy: observe, plan, show, apply, settle, verify; the previous state is restored on failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from pacefab.errors import PacefabError, add_ending
from pacefab.host.model import Mark, Outcome
from pacefab.interrupts import pause, undoing
from pacefab.pacemaker import readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.readiness import StartFailedError
from pacefab.transport.connection import Host
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.cleanup import CleanedUp
from pacefab.workflows.nodes.journal import last_words
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.progress import Stopwatch
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_cluster
from pacefab.workflows.rollout import absent, creation
from pacefab.workflows.rollout.absent import Losses
from pacefab.workflows.rollout.agreement import Agreement, Reader
from pacefab.workflows.rollout.corosync_change import bring_again, no_password
from pacefab.workflows.rollout.early_start import started_early, stop_forgotten
from pacefab.workflows.rollout.going_back import corosync_change, restore_cluster
from pacefab.workflows.rollout.node_changes import NodeChanges, still_pending
from pacefab.workflows.rollout.planning import Plan, Plans
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.transaction.entry import State
from pacefab.workflows.transaction.transaction import OVERTAKEN, Transaction

_AGAIN_SECONDS = 2.0  # after which a host that was lost is asked once more
_FORMED = "planned again, now that the cluster stands"


@dataclass(frozen=True)
class Rollout:
    """How a run brings a cluster to what is desired; it has `timeout` seconds to follow and serve.

    `what_forms` says in sentences what is missing for the nodes to be one cluster; `form` asks for
    what that takes, and returns what does it. Without `asks_of_additions`, a plan that only adds
    something is applied without showing and asking.
    """

    planner: Plans
    what_forms: Callable[[ClusterView], tuple[str, ...]] = lambda _: ()
    form: Callable[[Mapping[str, Host]], Callable[[], Sequence[Outcome]]] = lambda _: tuple
    check: Callable[[Plan], None] = lambda _: None  # raises when the plan is not to be applied
    check_cib: bool = True  # by crm_verify; what stood before may not pass it
    allow_interruption: bool = False
    asks_of_additions: bool = True
    keep_on_failure: bool = False
    timeout: int = 300
    limit: int = 32
    step: str = "deploy"
    reach: Reach | None = None  # given: nodes of the cluster that were not named are asked too
    by_node: bool = False  # each node has a line, with what its instances answered
    transaction: Transaction | None = None  # given: of a run that this is a part of
    target: str = ""  # of a rollback: the entry before which it goes back
    secret: Callable[[str], str] = no_password  # for a quorum device's host

    def observe(self, hosts: Mapping[str, Host]) -> ClusterView:
        """Ask the hosts what a plan needs to know. Errors of `observe_cluster`."""
        return observe_cluster(hosts, self.planner.look(), self.limit, self.reach)

    def plan(self, seen: ClusterView) -> Plan:
        """Return what would change. Errors of `Planner.plan`."""
        plan = self.planner.plan(seen, self.what_forms(seen))
        return replace(plan, unfinished=heads.unfinished(seen.heads.values()))

    def run(self, hosts: Mapping[str, Host], audience: Reader) -> list[Outcome]:
        """Plan, show, ask, apply, settle, verify.

        Raises:
            PacefabError: it failed, and says what became of what was changed.
        """
        losses, watch = Losses(hosts, audience), Stopwatch(self.step, audience)
        transaction = self.transaction or Transaction(self.step)
        run = _RolloutRun(self, hosts, audience, watch, losses, transaction)
        outcomes = transaction.run(run.execute, audience)
        return [*outcomes, *losses.report(outcomes, watch)]


class _OvertakenError(Exception):
    """The CIB is no longer the one that the plan was made from, and the plan another one now."""


@dataclass(frozen=True)
class _RolloutRun:
    """One run of a rollout."""

    rollout: Rollout
    hosts: Mapping[str, Host]
    audience: Reader
    watch: Stopwatch
    losses: Losses
    transaction: Transaction = field(default_factory=lambda: Transaction("deploy"))
    cleaned: CleanedUp = field(default_factory=CleanedUp)

    @cached_property
    def agreement(self) -> Agreement:
        """What the operator has agreed to."""
        rollout = self.rollout
        return Agreement(
            rollout.step, self.audience, rollout.asks_of_additions, rollout.allow_interruption
        )

    def execute(self) -> list[Outcome]:
        seen = self.rollout.observe(self.hosts)
        self.transaction.check(seen, self.audience)
        silent = self._silent(seen)
        if silent and not self.rollout.reach:
            raise absent.incomplete(silent)
        plan = self.rollout.plan(seen)
        self.rollout.check(plan)
        left = [
            *self.watch.fail_all(silent),
            *(() if plan.forming else absent.left_alone(seen, self.watch)),
        ]
        if not plan:
            notices = (*plan.notices, *plan.lacks, *plan.corosync.left)
            for notice in () if self.rollout.by_node else notices:
                self.audience.note(plan.cluster, notice)
            return [*self._finished(seen, plan), *left]
        if silent:
            said = f"nothing was changed: to {absent.go_on(silent)}"
            return [self.watch.finish(plan.cluster, Mark.SKIPPED, said), *left]
        asked = self.agreement.reach(plan)
        self.transaction.hold(seen, self.audience)
        before = seen.cib if seen.formed and seen.running else None
        self.transaction.begin(plan.cluster, plan.summary, before, self.rollout.target)
        return [*self._apply(seen, plan, asked=asked), *left]

    def _finished(self, seen: ClusterView, plan: Plan) -> list[Outcome]:
        """Report that nothing is to be changed; what was not finished is, once services answer."""
        pending = tuple(map(str, plan.pending))
        if not (self.transaction.left or heads.behind(seen.heads)):
            return self._unchanged(seen, plan, pending)
        self.transaction.hold(seen, self.audience)
        done = self._unchanged(seen, plan, pending)
        self._end(seen)
        return done

    def _silent(self, seen: ClusterView) -> dict[str, PacefabError]:
        """Return the named hosts that did not answer."""
        return {name: error for name, error in seen.silent.items() if name in self.hosts}

    def _apply(self, seen: ClusterView, plan: Plan, *, asked: bool) -> list[Outcome]:
        entry = self.transaction.entry_id
        conf = corosync_change(seen, plan, self.audience, self.rollout.secret)
        nodes = NodeChanges(self.rollout.planner, seen, self.audience, self.watch, entry, conf)
        keep, limit = self.rollout.keep_on_failure, self.rollout.limit
        try:
            form = self.rollout.form(self.hosts) if plan.forming else tuple
            conf.prepare()
            changed = nodes.change(plan.nodes, limit)
            lost = {} if plan.forming else nodes.lost
            self.losses.add(
                {o.host: o.error for o in changed if o.error and o.host in lost}, seen.hosts
            )
            failed = [o for o in changed if not o.mark.ok and o.host not in lost]
            if failed:
                notes = ["not touched", *nodes.restore(limit, keep=keep)]
                notes += filter(None, [self._undone(seen, nodes)])
                return [*changed, self.watch.finish(plan.cluster, Mark.SKIPPED, *notes)]
            # Only now: a node that joins starts at once what it has just been given.
            formed = conf.apply(form)
            now = None if asked or changed or plan.forming else (seen, plan)
            done = [*formed, *changed, *self._change_cluster(plan, nodes.done, now)]
        except (PacefabError, KeyboardInterrupt) as error:
            add_ending(error, "; ".join(nodes.restore(limit, keep=keep)))
            add_ending(error, self._undone(seen, nodes))
            raise
        self._end(seen)
        return done

    def _end(self, seen: ClusterView) -> None:
        """Note that all is done; what an unfinished change started and left behind is stopped."""
        if self.transaction.left:
            stop_forgotten(seen.voters, self.audience.note)
            bring_again(seen.hosts, self.transaction.left, self.audience)
        self.transaction.end(State.DONE, self.audience)

    def _undone(self, seen: ClusterView, nodes: NodeChanges) -> str:
        """Note that all is as it was before, where it is; return how the change ended, in words."""
        kept = self.rollout.keep_on_failure and not nodes.stuck
        if nodes.stuck or (kept and nodes.done):
            self.transaction.stuck()
        return self.transaction.end_undone(seen.hosts, self.audience, kept=kept)

    def _change_cluster(
        self,
        shown: Plan,
        done: Mapping[str, NodePlan],
        now: tuple[ClusterView, Plan] | None,
    ) -> list[Outcome]:
        """Patch the CIB as shown; what is not as shown any more is shown again.

        `now` is how it is, where nothing has come between: no question, no change of a node. What
        failed on nodes that have been changed since is tried again.

        Raises:
            PacefabError: the CIB is what it was before.
        """
        self.watch.begin(shown.cluster)
        waits = partial(self.audience.waiting, shown.cluster)
        nodes = [name for name, node in done.items() if node]
        while True:
            # By now the nodes have their packages, and with them the agents that check parameters.
            seen, plan = now or self._look_again()
            seen.host.note = self.audience.note
            tried = self.cleaned.clean_up(seen.host, seen.status, nodes)
            if not plan:
                if tried or shown.forming or shown.corosync.restart:
                    apply_cib.settle_configuration(
                        seen.host, plan.desired, self.rollout.timeout, waits, self.cleaned
                    )
                mark = Mark.CHANGED if shown.corosync else Mark.UNCHANGED
                return self._unchanged(seen, plan, self._pending(done), mark)
            if plan.cluster_summary != shown.cluster_summary:
                self.agreement.ask(plan, _FORMED if shown.forming else OVERTAKEN)
            try:
                with started_early(seen.voters, plan):
                    before = self._patch(seen, plan)
            except _OvertakenError:
                self.audience.note(plan.cluster, OVERTAKEN)
                shown, now = plan, None
                continue
            return self._follow(seen, plan, before, done)

    def _look_again(self) -> tuple[ClusterView, Plan]:
        """Ask the hosts that are left; one that is lost on the way is no reason to go back.

        Raises:
            PacefabError: all are lost. Errors of `Rollout.observe` and `Planner.plan_cluster`.
        """
        seen = self.rollout.observe(self.losses.left)
        if self._silent(seen):
            pause(_AGAIN_SECONDS)
            seen = self.rollout.observe(self.losses.left)
        self.losses.add(self._silent(seen), self.hosts)
        return seen, self.rollout.planner.plan_cluster(seen)

    def _patch(self, seen: ClusterView, plan: Plan) -> Cib:
        """Put the plan into the CIB at once; return the CIB it was made from."""

        def again(cib: Cib) -> Cib:
            new = self.rollout.planner.render(cib, plan)
            if new is None:
                raise _OvertakenError
            self.transaction.keep(cib)
            return new

        return apply_cib.patch(seen.host, seen.cib, again, check=self.rollout.check_cib)

    def _follow(
        self, seen: ClusterView, plan: Plan, before: Cib, done: Mapping[str, NodePlan]
    ) -> list[Outcome]:
        """Wait until the cluster has followed and the services serve.

        Raises:
            PacefabError: they do not; the old configuration was put back.
        """
        waits = partial(self.audience.waiting, plan.cluster)
        seconds, change = self.rollout.timeout, plan.configuration
        try:
            deadline = time.monotonic() + seconds
            apply_cib.settle_plan(seen.host, change, plan.desired, seconds, waits, self.cleaned)
            self.losses.add(seen.host.lost, seen.hosts)
            # Where nodes have lines, instances are asked where they listen, now that they run.
            again = self.rollout.by_node or self.losses.errors
            found = self._look_again() if again else (seen, plan)
            now, shown, results = absent.serve(
                self.losses, self._look_again, found, deadline, waits
            )
        except (PacefabError, KeyboardInterrupt) as error:
            with undoing():
                if isinstance(error, StartFailedError):
                    error.seen += last_words(seen.hosts, error)
                if not self.rollout.keep_on_failure:
                    back = restore_cluster(seen, change, before, error, self.audience)
                    self.transaction.is_back = back
            raise
        return self._report(now, shown, change, Mark.CHANGED, results, self._pending(done))

    def _report(
        self,
        seen: ClusterView,
        plan: Plan,
        change: ConfigurationPlan,
        mark: Mark,
        results: Sequence[ProbeResult],
        notes: Sequence[str],
    ) -> list[Outcome]:
        """Report the cluster as done, and each node where nodes have lines."""
        # A node that keeps another CIB than the rest has an error, and nothing goes back for it.
        stale = bool(change) and not self.rollout.by_node
        seen = self.losses.compare(self.rollout.observe, seen, stale=stale)
        whole = [r for r in results if not (self.rollout.by_node and r.probe.of)]
        answered = (f"{len(whole)} questions to the services answered",) if whole else ()
        if not self.rollout.by_node:
            return [self.watch.finish(plan.cluster, mark, *answered, *notes)]
        said = creation.summary(plan, change)
        first = self.watch.finish(plan.cluster, mark, *said, *answered, *notes)
        lines = creation.Lines(seen, plan, results, mark, self.watch)
        return [first, *lines.report({*self._silent(seen), *seen.outside, *self.losses.errors})]

    def _pending(self, done: Mapping[str, NodePlan]) -> tuple[str, ...]:
        """Return what is still not in force, now that the cluster has followed."""
        if not any(node.pending for node in done.values()):
            return ()
        return still_pending(self.rollout.planner, self.rollout.observe(self.losses.left), done)

    def _unchanged(
        self,
        seen: ClusterView,
        plan: Plan,
        pending: Sequence[str] = (),
        mark: Mark = Mark.UNCHANGED,
    ) -> list[Outcome]:
        """Report a cluster with nothing to change; its services are asked all the same.

        Errors of `absent.serve`.
        """
        seconds = self.rollout.timeout
        deadline = time.monotonic() + seconds
        waits = partial(self.audience.waiting, plan.cluster)
        if self.rollout.by_node:
            missing = partial(readiness.missing, configuration=plan.desired)
            try:
                apply_cib.settle(seen.host, missing, seconds, seen.status, waits)
            except StartFailedError as error:
                error.seen += last_words(seen.hosts, error)
                raise
        found = (seen, plan)
        seen, plan, results = absent.serve(self.losses, self._look_again, found, deadline, waits)
        return self._report(seen, plan, ConfigurationPlan(), mark, results, pending)
