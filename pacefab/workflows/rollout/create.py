"""create-memcached: the clone, once for the cluster, settled and answering on every node."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.host.model import Mark, Outcome
from pacefab.interrupts import undoing
from pacefab.pacemaker import readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.metadata import Metadata, complete_configuration
from pacefab.pacemaker.model import ClusterStatus, Configuration, NodeStatus
from pacefab.pacemaker.ownership import Runner
from pacefab.pacemaker.pcs import render_pcs
from pacefab.pacemaker.plan import Action, ConfigurationPlan, plan_configuration
from pacefab.pacemaker.readiness import StartFailedError, missing
from pacefab.pacemaker.render import render_configuration
from pacefab.services.memcached import memcached
from pacefab.services.memcached.probe import Answer, Target
from pacefab.transport.connection import Host
from pacefab.waiting import Pending, Waits, wait_until
from pacefab.workflows.checks.serving import (
    ask_from_neighbours,
    observe_memcached,
    other_runner,
    present,
)
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.journal import last_words
from pacefab.workflows.nodes.node_plan import check_clear
from pacefab.workflows.nodes.observe import NodeView
from pacefab.workflows.nodes.progress import Audience, Progress, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, Reach
from pacefab.workflows.rollout.rollout import left_alone

STEP = "create-memcached"
_ATTEMPT = "create the memcached clone"
_DESIRED = Configuration(resources=(memcached.desired_clone(),))

Answers = Mapping[Target, tuple[str, Answer]]  # target -> who asked it, what it said


@dataclass(frozen=True)
class Create:
    """How a run creates the clone; the cluster has `timeout` seconds to follow."""

    update: bool = False
    timeout: int = 60
    dry_run: bool = False
    keep_on_failure: bool = False
    limit: int = 32

    def run(self, hosts: Mapping[str, Host], reach: Reach, audience: Audience) -> list[Outcome]:
        """Create the clone unless it is there; return a line for the cluster and one per node.

        To change one that is there has to be agreed to.

        Raises:
            PacefabError: nothing was changed, or the old state was put back.
        """
        watch = Stopwatch(STEP, audience)
        fleet = observe_memcached(hosts, reach, self.limit)
        cluster = fleet.membership.cluster
        readiness.check_ready(fleet.status, _ATTEMPT)
        if other := other_runner(fleet.cib):
            return self._leave(fleet, other, watch)
        desired = complete_configuration(_DESIRED, _metadata(fleet))
        change = _plan(fleet.cib, desired)
        _check_nodes(fleet, managed=not _adds(change))
        self._check_update(change)
        if self.dry_run:
            return [self._preview(fleet, change, watch)]
        silent = {name: fleet.silent[name] for name in hosts if name in fleet.silent}
        absent = [*watch.fail_all(silent), *left_alone(fleet, watch)]
        if change.changes and not all(outcome.mark.ok for outcome in absent):
            said = "nothing was changed: name only nodes that can be reached"
            return [watch.finish(cluster, Mark.SKIPPED, said), *absent]
        self._ask(fleet, change, watch, audience)
        status, answers = self._bring_about(fleet, change, desired, audience)
        mark = Mark.CHANGED if change.changes else Mark.UNCHANGED
        first = watch.finish(cluster, mark, *_summary(change))
        reported = {outcome.host for outcome in absent}
        nodes = [node for node in status.nodes if node.name not in reported]
        lines = (_node_line(fleet, node, answers, mark, watch) for node in nodes)
        return [first, *absent, *lines]

    def _bring_about(
        self,
        fleet: ClusterView,
        change: ConfigurationPlan,
        desired: Configuration,
        progress: Progress,
    ) -> tuple[ClusterStatus, Answers]:
        """Change the CIB, and return once every node has started and answered.

        Raises:
            PacefabError: it did not come up in time; what was changed is put back.
        """
        deadline = time.monotonic() + self.timeout
        before = fleet.cib
        known = None if change.changes else replace(fleet.status, placement=fleet.placement)
        waits = partial(progress.waiting, fleet.membership.cluster)
        if change.changes:
            progress.note(fleet.membership.cluster, _action(fleet, change))
            before = apply_cib.patch(fleet.host, before, lambda cib: _again(cib, desired, change))
        try:
            status = apply_cib.settle(
                fleet.host, lambda now: missing(now, desired), self.timeout, known, waits
            )
            started = status.started_on(memcached.RESOURCE)
            return status, _serve(fleet, started, deadline, waits)
        except (PacefabError, KeyboardInterrupt) as error:
            with undoing():
                if isinstance(error, StartFailedError):
                    error.seen += last_words(fleet.hosts, error)
                self._restore(fleet, before, change, error, waits)
            raise

    def _leave(self, fleet: ClusterView, other: Runner, watch: Stopwatch) -> list[Outcome]:
        """Ask memcached where another resource than ours runs it; a second one is never made.

        Raises:
            CommandError: it does not serve where Pacemaker calls it Started.
        """
        cluster, started = fleet.membership.cluster, fleet.status.started_on(other.id)
        said = f"memcached is there, under the id {other.top} ({other.agent}); left as it is"
        first = watch.finish(cluster, Mark.UNCHANGED, said)
        if self.dry_run:
            return [first]
        waits = partial(watch.progress.waiting, cluster)
        answers = _serve(fleet, started, time.monotonic() + self.timeout, waits)
        nodes = [node for node in fleet.status.nodes if node.name in started]
        rest = (node.name for node in fleet.status.nodes if node.name not in started)
        return [
            first,
            *(_node_line(fleet, node, answers, Mark.UNCHANGED, watch) for node in nodes),
            *(watch.finish(name, Mark.SKIPPED, f"{other.id} is not Started here") for name in rest),
        ]

    def _check_update(self, change: ConfigurationPlan) -> None:
        if change.changes and not _adds(change) and not self.update and not self.dry_run:
            raise RefusedError(
                _ATTEMPT,
                "\n".join(["it exists and is different:", *_differences(change)]),
                "nothing was changed; to bring it to the desired state: create-memcached --update",
            )

    def _preview(self, fleet: ClusterView, change: ConfigurationPlan, watch: Stopwatch) -> Outcome:
        cluster = fleet.membership.cluster
        if not change.changes:
            return watch.finish(cluster, Mark.UNCHANGED, *_summary(change))
        notes = (f"would: {line}" for line in _effects(fleet, change))
        return watch.finish(cluster, Mark.PLANNED, *notes)

    def _ask(
        self, fleet: ClusterView, change: ConfigurationPlan, watch: Stopwatch, audience: Audience
    ) -> None:
        if change.changes and not _adds(change):
            lines = (f"    {line}" for line in _effects(fleet, change))
            audience.preview([f"{STEP} would:", *lines])
            audience.ask(STEP, f"Change {memcached.CLONE} of {fleet.membership.cluster}?")
            watch.begin()

    def _restore(
        self,
        fleet: ClusterView,
        before: Cib,
        change: ConfigurationPlan,
        error: PacefabError | KeyboardInterrupt,
        waits: Waits,
    ) -> None:
        """Put the resource back as it was, wait until it is, and say so in the error."""
        if change.changes and not self.keep_on_failure:
            apply_cib.restore_after(error, fleet.host, before, change, waits)


def _metadata(fleet: ClusterView) -> Mapping[str, Metadata]:
    """Return what memcached's agent says of itself.

    Raises:
        RefusedError: the doorway does not have it: it has no such unit.
    """
    found = fleet.metadata([memcached.AGENT])
    if not found:
        raise RefusedError(
            f"read the metadata of {memcached.AGENT}",
            f"{fleet.doorway} has no {memcached.UNIT}",
            "install the service on every node first: fab -H … install-memcached",
        )
    return found


def _plan(cib: Cib, desired: Configuration) -> ConfigurationPlan:
    return plan_configuration(cib, desired, whole=False)


def _adds(change: ConfigurationPlan) -> bool:
    return any(part.action is Action.ADD for part in change.changes)


def _differences(change: ConfigurationPlan) -> list[str]:
    return [str(difference) for part in change.changes for difference in part.differences]


def _effects(fleet: ClusterView, change: ConfigurationPlan) -> list[str]:
    """Return what would be done, and what Pacemaker would do then."""
    actions = apply_cib.simulate(fleet.host, render_configuration(fleet.cib, change))
    return [_action(fleet, change), *_differences(change), *map(str, actions)]


def _again(cib: Cib, desired: Configuration, shown: ConfigurationPlan) -> Cib | None:
    """Return the CIB to change to; it must be the change that the operator was shown."""
    change = _plan(cib, desired)
    if not change.changes:
        return None
    if change.changes != shown.changes:
        raise RefusedError(
            _ATTEMPT, "another user changed the resource in between", "run this again"
        )
    return render_configuration(cib, change)


def _check_nodes(fleet: ClusterView, *, managed: bool) -> None:
    """Refuse what would start and then not serve; a start that fails bans the node."""
    for node, view in fleet.views.items():
        try:
            _check_node(view, managed=managed)
        except PacefabError as error:
            error.host = node
            raise


def _check_node(view: NodeView, *, managed: bool) -> None:
    if problem := _node_problem(view, managed=managed):
        advice = f"run first: fab -H {view.host} install-memcached"
        raise RefusedError(_ATTEMPT, problem, advice)
    if not managed:
        memcached.check_port(present(view), view.facts)
        check_clear(view.facts, memcached.UNIT, view.opaque)


def _node_problem(view: NodeView, *, managed: bool) -> str:
    facts, settings = view.facts, present(view)
    if facts.packages[memcached.PACKAGE] is None:
        return "memcached is not installed"
    if facts.unit(memcached.UNIT).load == "masked":
        return "memcached.service is masked: Pacemaker could not start it"
    if not memcached.listen_endpoints(settings, "*"):
        said = f"memcached is set to {settings.describe()}: no other node could reach it"
        return "; ".join(filter(None, (said, memcached.unread(facts))))
    running = memcached.running_settings(facts)
    if running and not managed and not memcached.same(running, settings):
        return f"memcached runs outside Pacemaker ({running.describe()}) and would be adopted so"
    return ""


def _serve(fleet: ClusterView, started: Collection[str], deadline: float, waits: Waits) -> Answers:
    """Ask until every node on which it is Started has answered another one."""

    def look() -> Answers | Pending:
        answers = ask_from_neighbours(fleet)
        silent = [
            f"{asker} asked {target.node} at {target}: {answer.error}"
            for target, (asker, answer) in answers.items()
            if target.node in started and not answer.served
        ]
        return Pending("\n".join(silent)) if silent else answers

    found = wait_until(look, deadline - time.monotonic(), waits=waits)
    if isinstance(found, Pending):
        raise CommandError(
            "set and get a key at every node",
            found.seen,
            "Pacemaker calls it Started, yet it does not serve: fab verify-memcached shows why",
        )
    return found


def _node_line(
    fleet: ClusterView,
    node: NodeStatus,
    answers: Answers,
    mark: Mark,
    watch: Stopwatch,
) -> Outcome:
    for target, (asker, answer) in answers.items():
        if target.node == node.name and answer.served:
            said = f"Started, serves at {target} (asked from {asker})"
            barred = [f"no key was set: {answer.barred}"] if answer.barred else []
            return watch.finish(node.name, mark, said, *barred)
    if cause := fleet.placement.chosen(memcached.RESOURCE, node.name):
        return watch.finish(node.name, Mark.SKIPPED, str(cause))
    if node.remote:
        return watch.finish(node.name, Mark.SKIPPED, "a node by Pacemaker Remote, not asked")
    return watch.fail(node.name, _unasked(fleet, node.name, node.word))


def _unasked(fleet: ClusterView, node: str, word: str) -> PacefabError:
    if word != "online":
        seen, following = f"the node is {word}", "bring it back: pcs cluster start, pcs status"
    else:
        seen = "no other node could be reached to ask it"
        following = "name another node of the cluster with -H"
    return fleet.silent.get(node) or CommandError(
        "ask memcached from another node", seen, following
    )


def _action(fleet: ClusterView, change: ConfigurationPlan) -> str:
    if _adds(change):
        (line,) = render_pcs(change, _metadata(fleet))
        return f"create {memcached.CLONE}, as: {line}"
    return f"update {memcached.CLONE}"


def _summary(change: ConfigurationPlan) -> tuple[str, ...]:
    if not change.changes:
        return (f"{memcached.CLONE} is there, as desired",)
    return (f"{memcached.CLONE} created",) if _adds(change) else tuple(_differences(change))
