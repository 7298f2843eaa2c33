"""deploy: observe, plan, show, apply, settle, verify; the previous state is restored on failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from pacefab.errors import PacefabError, RefusedError, add_ending
from pacefab.host.model import Mark, Outcome
from pacefab.interrupts import undoing
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.readiness import StartFailedError
from pacefab.transport.command import Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.checks import probing
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import change_node, restore_node, run_steps
from pacefab.workflows.nodes.cleanup import clean_up
from pacefab.workflows.nodes.in_force import share
from pacefab.workflows.nodes.journal import last_words
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.progress import Audience, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, none_answered, observe_cluster
from pacefab.workflows.rollout import history
from pacefab.workflows.rollout.history import Entry
from pacefab.workflows.rollout.planning import Plan, Plans

_OVERTAKEN = "another user changed the cluster meanwhile; planned again"
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
    something is applied without asking.
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

    def observe(self, hosts: Mapping[str, Host]) -> ClusterView:
        """Ask the hosts what a plan needs to know. Errors of `observe_cluster`."""
        return observe_cluster(hosts, self.planner.look(), self.limit)

    def plan(self, seen: ClusterView) -> Plan:
        """Return what would change. Errors of `Planner.plan`."""
        return self.planner.plan(seen, self.what_forms(seen))

    def run(self, hosts: Mapping[str, Host], audience: Reader) -> list[Outcome]:
        """Plan, show, ask, apply, settle, verify.

        Raises:
            PacefabError: nothing was changed, or the old state was put back.
        """
        return _RolloutRun(self, hosts, audience, Stopwatch(self.step, audience)).execute()


class _OvertakenError(Exception):
    """The CIB is no longer the one that the plan was made from, and the plan another one now."""


@dataclass(frozen=True)
class _RolloutRun:
    """One run of a rollout."""

    rollout: Rollout
    hosts: Mapping[str, Host]
    audience: Reader
    watch: Stopwatch

    def execute(self) -> list[Outcome]:
        seen = self.rollout.observe(self.hosts)
        if seen.silent:
            raise _incomplete(none_answered(seen.silent))
        plan = self.rollout.plan(seen)
        self.rollout.check(plan)
        left = () if plan.forming else left_alone(seen, self.watch)
        if not plan:
            for notice in plan.notices:
                self.audience.note(plan.cluster, notice)
            return [self._unchanged(seen, plan, tuple(map(str, plan.pending))), *left]
        self._permit(plan)
        entry = history.new_entry(plan.cluster, plan.summary)
        return [*self._apply(seen, plan, entry), *left]

    def _permit(self, plan: Plan, reason: str = "") -> None:
        """Show the plan, and have it agreed to.

        Raises:
            PacefabError: it may not be applied.
        """
        self.audience.show(plan, reason)
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
        if self.rollout.asks_of_additions or plan.alters:
            self.audience.ask(self.rollout.step, f"Apply this to {plan.cluster}?")

    def _apply(self, seen: ClusterView, plan: Plan, entry: Entry) -> list[Outcome]:
        form = self.rollout.form(self.hosts) if plan.forming else tuple
        done: dict[str, NodePlan] = {}
        try:
            changed = self._change_nodes(seen, plan, entry, done)
            if not all(outcome.mark.ok for outcome in changed):
                notes = ("not touched", *self._restore_nodes(seen, done))
                return [*changed, self.watch.finish(plan.cluster, Mark.SKIPPED, *notes)]
            # Only now: a node that joins starts at once what it has just been given.
            formed = form()
            return [
                *formed,
                *changed,
                self._change_cluster(plan, entry, done),
            ]
        except (PacefabError, KeyboardInterrupt) as error:
            add_ending(error, "; ".join(self._restore_nodes(seen, done)))
            raise

    def _change_nodes(
        self, seen: ClusterView, plan: Plan, entry: Entry, done: dict[str, NodePlan]
    ) -> list[Outcome]:
        """Change all nodes side by side, noting in `done` what was; return a line for each."""

        def work(name: str, node: NodePlan) -> None:
            if node:
                self.watch.begin(name)
                node = self._change_node(seen, name, node, entry)
            done[name] = node
            mark = Mark.CHANGED if node else Mark.UNCHANGED
            outcomes[name] = self.watch.finish(name, mark, *node.remarks)

        outcomes: dict[str, Outcome] = {}
        failed = errors(fan_out(plan.nodes, work, limit=self.rollout.limit, patient=True))
        outcomes |= {outcome.host: outcome for outcome in self.watch.fail_all(failed)}
        return [outcomes[name] for name in plan.nodes]

    def _change_node(self, seen: ClusterView, name: str, node: NodePlan, entry: Entry) -> NodePlan:
        return change_node(
            seen.hosts[name],
            node,
            replan=lambda: self.rollout.planner.plan_node(seen.again(name), name),
            note=partial(self.audience.note, name),
            entry=entry.id,
        )

    def _change_cluster(self, shown: Plan, entry: Entry, done: Mapping[str, NodePlan]) -> Outcome:
        """Patch the CIB as shown; what is not as shown any more is shown again.

        What failed on nodes that have been changed since is tried again. Where the CIB stays as it
        is, the history has that apply too.

        Raises:
            PacefabError: the CIB is what it was before.
        """
        self.watch.begin(shown.cluster)
        waits = partial(self.audience.waiting, shown.cluster)
        nodes = [name for name, node in done.items() if node]
        while True:
            # By now the nodes have their packages, and with them the agents that check parameters.
            seen = self.rollout.observe(self.hosts)
            tried = clean_up(seen.host, seen.status, nodes)
            plan = self.rollout.planner.plan_cluster(seen)
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
                shown = plan
                continue
            return self._follow(seen, plan, before, done)

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
    ) -> Outcome:
        """Wait until the cluster has followed and the services serve.

        Raises:
            PacefabError: they do not; the old configuration was put back.
        """
        waits = partial(self.audience.waiting, plan.cluster)
        seconds = self.rollout.timeout
        try:
            deadline = time.monotonic() + seconds
            apply_cib.settle_plan(seen.host, plan.configuration, plan.desired, seconds, waits)
            asked = probing.serve(seen.hosts, plan.probes, deadline, waits)
        except (PacefabError, KeyboardInterrupt) as error:
            with undoing():
                if isinstance(error, StartFailedError):
                    error.seen += last_words(seen.hosts, error)
                self._restore_cluster(seen, plan.configuration, before, error)
            raise
        notes = (*_answered(asked), *self._pending(done))
        return self.watch.finish(plan.cluster, Mark.CHANGED, *notes)

    def _pending(self, done: Mapping[str, NodePlan]) -> tuple[str, ...]:
        """Return what is still not in force, now that the cluster has followed."""
        if not any(node.pending for node in done.values()):
            return ()
        seen = self.rollout.observe(self.hosts)
        known = [name for name in seen.answered if name in done]
        now = {name: self.rollout.planner.plan_node(seen, name).pending for name in known}
        return tuple(map(str, share(now)))

    def _unchanged(self, seen: ClusterView, plan: Plan, pending: Sequence[str] = ()) -> Outcome:
        """Report a cluster with nothing to change; its services are asked all the same.

        Raises:
            CommandError: they do not serve.
        """
        deadline = time.monotonic() + self.rollout.timeout
        waits = partial(self.audience.waiting, plan.cluster)
        asked = probing.serve(seen.hosts, plan.probes, deadline, waits)
        return self.watch.finish(plan.cluster, Mark.UNCHANGED, *_answered(asked), *pending)

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

    def _restore_nodes(self, seen: ClusterView, done: Mapping[str, NodePlan]) -> list[str]:
        """Put the old files back; return what is to be said about it."""
        if self.rollout.keep_on_failure:
            return ["files stay as they are now (--keep-on-failure)"]

        def work(name: str, node: NodePlan) -> None:
            restore_node(seen.hosts[name], node, note=partial(self.audience.note, name))

        changed = {name: done[name] for name in seen.answered if name in done and done[name].files}
        with undoing():
            back = fan_out(changed, work, limit=self.rollout.limit)
        restored = [f"previous files restored on {', '.join(values(back))}"] if values(back) else []
        return restored + [
            f"previous files not restored on {name}: {error}"
            for name, error in errors(back).items()
        ]


def left_alone(seen: ClusterView, watch: Stopwatch) -> list[Outcome]:
    """Return a line for each host that is no member and is not made one by this run."""
    return [
        watch.fail(name, error)
        if seen.standing(name).listed
        else watch.finish(name, Mark.SKIPPED, str(seen.standing(name)))
        for name, error in (seen.outside.items() if seen.formed else ())
    ]


def _quietly(_said: str) -> None:
    """Show nothing: nothing here takes long."""


def _answered(probes: int) -> tuple[str, ...]:
    return (f"{probes} questions to the services answered",) if probes else ()


def _incomplete(error: PacefabError) -> PacefabError:
    error.next_step = f"nothing was changed; {error.next_step}; or name fewer hosts with -H"
    return error
