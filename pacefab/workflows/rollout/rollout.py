"""deploy: observe, plan, show, apply, settle, verify; the previous state is restored on failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from pacefab.errors import PacefabError, RefusedError, add_ending
from pacefab.host.model import Mark, Outcome
from pacefab.interrupts import pause, undoing
from pacefab.pacemaker import readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.readiness import StartFailedError
from pacefab.transport.command import Step
from pacefab.transport.connection import Host
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.cleanup import clean_up
from pacefab.workflows.nodes.in_force import share
from pacefab.workflows.nodes.journal import last_words
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.progress import Audience, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_cluster
from pacefab.workflows.rollout import absent, creation, history
from pacefab.workflows.rollout.absent import Losses
from pacefab.workflows.rollout.history import Entry
from pacefab.workflows.rollout.node_changes import NodeChanges
from pacefab.workflows.rollout.planning import Plan, Plans

_OVERTAKEN = "another user changed the cluster meanwhile; planned again"
_AGAIN_SECONDS = 2.0  # after which a host that was lost is asked once more
_FORMED = "planned again, now that the cluster stands"


class Reader(Audience, Protocol):
    """Who watches, is shown plans, and is asked."""

    def show(self, plan: Plan, reason: str) -> None:
        """See a plan; `reason` says why it is shown again, empty the first time."""


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

    def observe(self, hosts: Mapping[str, Host]) -> ClusterView:
        """Ask the hosts what a plan needs to know. Errors of `observe_cluster`."""
        return observe_cluster(hosts, self.planner.look(), self.limit, self.reach)

    def plan(self, seen: ClusterView) -> Plan:
        """Return what would change. Errors of `Planner.plan`."""
        return self.planner.plan(seen, self.what_forms(seen))

    def run(self, hosts: Mapping[str, Host], audience: Reader) -> list[Outcome]:
        """Plan, show, ask, apply, settle, verify.

        Raises:
            PacefabError: nothing was changed, or the old state was put back.
        """
        losses, watch = Losses(hosts, audience), Stopwatch(self.step, audience)
        outcomes = _RolloutRun(self, hosts, audience, watch, losses).execute()
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

    def execute(self) -> list[Outcome]:
        seen = self.rollout.observe(self.hosts)
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
            for notice in () if self.rollout.by_node else (*plan.notices, *plan.lacks):
                self.audience.note(plan.cluster, notice)
            return [*self._unchanged(seen, plan, tuple(map(str, plan.pending))), *left]
        if silent:
            said = f"nothing was changed: to {absent.go_on(silent)}"
            return [self.watch.finish(plan.cluster, Mark.SKIPPED, said), *left]
        asked = self._permit(plan)
        entry = history.new_entry(plan.cluster, plan.summary)
        return [*self._apply(seen, plan, entry, asked=asked), *left]

    def _silent(self, seen: ClusterView) -> dict[str, PacefabError]:
        """Return the named hosts that did not answer."""
        return {name: error for name, error in seen.silent.items() if name in self.hosts}

    def _permit(self, plan: Plan, reason: str = "") -> bool:
        """Show the plan, and have it agreed to; what is not to be asked about is only noted.

        Returns whether it was asked about.

        Raises:
            PacefabError: it may not be applied.
        """
        asked = self.rollout.asks_of_additions or plan.alters
        if asked:
            self.audience.show(plan, reason)
        else:
            self.audience.note(plan.cluster, plan.additions)
        if plan.configuration.changes and (halted := plan.placement.halted):
            raise RefusedError(
                self.rollout.step,
                f"{halted.said}: what is to be changed would not come about",
                f"nothing was changed; end it, then run this again: {halted.way_out}",
            )
        if plan.interruptions and not self.rollout.allow_interruption:
            raise RefusedError(
                self.rollout.step,
                "it would interrupt what runs:\n" + "\n".join(map(str, plan.interruptions)),
                "the cluster was not changed; in a maintenance window: --allow-interruption",
            )
        if asked:
            self.audience.ask(self.rollout.step, f"Apply this to {plan.cluster}?")
        return asked

    def _apply(self, seen: ClusterView, plan: Plan, entry: Entry, *, asked: bool) -> list[Outcome]:
        form = self.rollout.form(self.hosts) if plan.forming else tuple
        nodes = NodeChanges(self.rollout.planner, seen, self.audience, self.watch, entry.id)
        keep, limit = self.rollout.keep_on_failure, self.rollout.limit
        try:
            changed = nodes.change(plan.nodes, limit)
            lost = {} if plan.forming else nodes.lost
            self.losses.add(
                {o.host: o.error for o in changed if o.error and o.host in lost}, seen.hosts
            )
            failed = [o for o in changed if not o.mark.ok and o.host not in lost]
            if failed:
                notes = ("not touched", *nodes.restore(limit, keep=keep))
                return [*changed, self.watch.finish(plan.cluster, Mark.SKIPPED, *notes)]
            # Only now: a node that joins starts at once what it has just been given.
            formed = form()
            now = None if asked or changed or plan.forming else (seen, plan)
            return [*formed, *changed, *self._change_cluster(plan, entry, nodes.done, now)]
        except (PacefabError, KeyboardInterrupt) as error:
            add_ending(error, "; ".join(nodes.restore(limit, keep=keep)))
            raise

    def _change_cluster(
        self,
        shown: Plan,
        entry: Entry,
        done: Mapping[str, NodePlan],
        now: tuple[ClusterView, Plan] | None,
    ) -> list[Outcome]:
        """Patch the CIB as shown; what is not as shown any more is shown again.

        `now` is how it is, where nothing has come between: no question, no change of a node. What
        failed on nodes that have been changed since is tried again. Where the CIB stays as it
        is, the history has that apply too.

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
            tried = clean_up(seen.host, seen.status, nodes)
            if not plan:
                if nodes:
                    run_steps(seen.host, [history.plan_store(entry, seen.cib)], note=_quietly)
                if tried or shown.forming:
                    apply_cib.settle_configuration(
                        seen.host, plan.desired, self.rollout.timeout, waits
                    )
                return self._unchanged(seen, plan, self._pending(done))
            if plan.cluster_summary != shown.cluster_summary:
                self._permit(plan, _FORMED if shown.forming else _OVERTAKEN)
            try:
                before = self._patch(seen, plan, entry)
            except _OvertakenError:
                self.audience.note(plan.cluster, _OVERTAKEN)
                shown, now = plan, None
                continue
            return self._follow(seen, plan, before, done)

    def _look_again(self) -> tuple[ClusterView, Plan]:
        """Ask the hosts that are left; one that is lost on the way is no reason to go back."""
        seen = self.rollout.observe(self.losses.left)
        if self._silent(seen):
            pause(_AGAIN_SECONDS)
            seen = self.rollout.observe(self.losses.left)
        self.losses.add(self._silent(seen), self.hosts)
        return seen, self.rollout.planner.plan_cluster(seen)

    def _patch(self, seen: ClusterView, plan: Plan, entry: Entry) -> Cib:
        """Put the plan into the CIB at once; return the CIB it was made from."""

        def again(cib: Cib) -> Cib:
            new = self.rollout.planner.render(cib, plan)
            if new is None:
                raise _OvertakenError
            return new

        def keep(cib: Cib) -> list[Step]:
            history.store_here(entry, cib)
            return [history.plan_store(entry, cib)]

        return apply_cib.patch(seen.host, seen.cib, again, keep, check=self.rollout.check_cib)

    def _follow(
        self, seen: ClusterView, plan: Plan, before: Cib, done: Mapping[str, NodePlan]
    ) -> list[Outcome]:
        """Wait until the cluster has followed and the services serve.

        Raises:
            PacefabError: they do not; the old configuration was put back.
        """
        waits = partial(self.audience.waiting, plan.cluster)
        seconds = self.rollout.timeout
        try:
            deadline = time.monotonic() + seconds
            apply_cib.settle_plan(seen.host, plan.configuration, plan.desired, seconds, waits)
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
                self._restore_cluster(seen, plan.configuration, before, error)
            raise
        change = plan.configuration
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
        seen = self.rollout.observe(self.losses.left)
        known = [name for name in seen.answered if name in done]
        now = {name: self.rollout.planner.plan_node(seen, name).pending for name in known}
        return tuple(map(str, share(now)))

    def _unchanged(
        self, seen: ClusterView, plan: Plan, pending: Sequence[str] = ()
    ) -> list[Outcome]:
        """Report a cluster with nothing to change; its services are asked all the same.

        Raises:
            CommandError: they do not serve.
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
        nothing = ConfigurationPlan()
        return self._report(seen, plan, nothing, Mark.UNCHANGED, results, pending)

    def _restore_cluster(
        self,
        seen: ClusterView,
        change: ConfigurationPlan,
        before: Cib,
        error: PacefabError | KeyboardInterrupt,
    ) -> None:
        """Put back what the change changed, and say so in the error."""
        if self.rollout.keep_on_failure:
            return
        said = "it failed" if isinstance(error, PacefabError) else "interrupted"
        self.audience.note(seen.doorway, f"{said}: putting the previous configuration back")
        waits = partial(self.audience.waiting, seen.doorway)
        apply_cib.restore_after(error, seen.host, before, change, waits)


def _quietly(_said: str) -> None:
    """Show nothing: nothing here takes long."""
