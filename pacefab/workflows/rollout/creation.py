"""create-NAME: one service's resources on a cluster that stands, each instance asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Clone, Configuration, primitive_ids, primitives
from pacefab.pacemaker.nouns.status import NodeStatus
from pacefab.pacemaker.ownership import find_rival
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.sections.change import Action
from pacefab.services import registry
from pacefab.services.service import Look, Service, Site
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.checks.service_health import RUNNING, instances
from pacefab.workflows.nodes.node_plan import NodePlan, check_clear
from pacefab.workflows.nodes.observe import no_membership
from pacefab.workflows.nodes.progress import Stopwatch
from pacefab.workflows.nodes.view import LEFT_OUT, ClusterView
from pacefab.workflows.rollout.planning import OtherRunner, Plan, Planner


@dataclass(frozen=True)
class Creation:
    """Plans the resources of one service; nodes stay as they are, and no host joins.

    `planner` plans the cluster alone, for an intent of that service alone. Without `update` what
    is there and different is refused.
    """

    planner: Planner
    update: bool = False

    @property
    def _service(self) -> Service[Any]:
        (name,) = self.planner.intent.chosen
        return registry.service(name)

    @property
    def _attempt(self) -> str:
        return f"create the resources of {self._service.name}"

    def look(self) -> Look:
        """Return what to look at on every node."""
        return self.planner.look()

    def plan(self, seen: ClusterView, _forming: tuple[str, ...] = ()) -> Plan:
        """Return what would change in the cluster. Errors of `plan_cluster`."""
        return self.plan_cluster(seen)

    def plan_node(self, _seen: ClusterView, _name: str) -> NodePlan:
        """Return what would change on one node: nothing."""
        return NodePlan()

    def plan_cluster(self, seen: ClusterView) -> Plan:
        """Return what would change in the cluster; nothing where others run the service already.

        Raises:
            RefusedError: there is no cluster, or one that cannot be changed; an instance would
                start on a node and not serve. Errors of `Planner.plan`.
        """
        if seen.formed is None:
            raise no_membership(next(iter(seen.hosts)))
        seen.check_quorum(self._attempt)
        facts = {n: found for n, found in seen.facts.items() if n not in seen.strangers}
        intent = self.planner.intent.among(seen.formed, facts)
        site = intent.site(facts)
        desired = intent.configuration(site)
        if found := _other_runner(self._service, seen.cib, desired):
            own, other = found
            started = {own: seen.status.started_on(other.runner.id)}
            probes = intent.probes(intent.site(facts, started))
            return Plan(
                seen.formed.cluster,
                silent=seen.silent,
                probes=probes,
                other=other,
                left_out=seen.left_out,
            )
        self._check_nodes(seen, site, desired)
        plan = self.planner.plan_cluster(seen)
        if not self.update:
            _check_update(plan, self._attempt)
        # What is there and equal is left alone: whose it is, too.
        change = plan.configuration
        unclaimed = change if change.changes else replace(change, adopted=())
        return replace(plan, configuration=unclaimed)

    def render(self, cib: Cib, plan: Plan) -> Cib | None:
        """Return the CIB that the plan leads to; None: from this one it would be another plan."""
        return self.planner.render(cib, plan)

    def _check_nodes(self, seen: ClusterView, site: Site, desired: Configuration) -> None:
        """Refuse what would start and then not serve; a start that fails bans the node."""
        own = primitive_ids(desired.resources)
        added = any(seen.cib.element(primitive) is None for primitive in own)
        own_nodes = (n for n in (*seen.views, *seen.remotes) if site.has(self._service.name, n))
        for name in own_nodes:
            try:
                self._check_node(seen, site, name, added=added)
            except PacefabError as error:
                error.host = error.host or name
                raise

    def _check_node(self, seen: ClusterView, site: Site, name: str, *, added: bool) -> None:
        service, view = self._service, seen.answered[name]
        section = self.planner.intent.sections[service.name]
        if problem := service.obstacle(section, site.of(service.name), name, added):
            advice = f"run first: fab -H {view.host} install-{service.name}"
            raise RefusedError(self._attempt, problem, advice)
        for unit in service.units if added else ():
            check_clear(view.facts, unit, view.opaque)


def _check_update(plan: Plan, attempted: str) -> None:
    """Raise a RefusedError when a plan changes what is there."""
    found = [change for change in plan.configuration.changes if change.action is not Action.ADD]
    if found:
        raise RefusedError(
            attempted,
            "\n".join(["it exists and is different:", *map(str, found)]),
            "nothing was changed; to bring it to the desired state: --update",
        )


def _other_runner(
    service: Service[Any], cib: Cib, desired: Configuration
) -> tuple[str, OtherRunner] | None:
    """Return what runs the service under another id or by another class, and which of ours it is.

    A second one is never made: two resources on one unit stop each other's process.
    """
    units = frozenset(service.units)
    for primitive in chain.from_iterable(map(primitives, desired.resources)):
        runner = find_rival(cib, primitive)
        if runner and runner.units & units:
            return primitive.id, OtherRunner(service.name, runner)
    return None


def summary(plan: Plan, change: ConfigurationPlan) -> Iterator[str]:
    """Yield what is said of the cluster: what was created or changed, or that all is there."""
    for made in change.changes:
        if made.action is Action.ADD:
            yield f"{made.id} created"
        else:
            yield from map(str, made.differences or (made,))
    if plan.other:
        yield str(plan.other)
    elif not change.changes:
        names = [resource.id for resource in plan.desired.resources]
        yield f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} there, as desired"


@dataclass(frozen=True)
class Lines:
    """The line of each node: what its instance answered, or why it was not asked."""

    seen: ClusterView
    plan: Plan
    results: Sequence[ProbeResult]
    mark: Mark
    watch: Stopwatch

    def report(self, reported: Collection[str]) -> list[Outcome]:
        """Report the nodes that have not been `reported` yet."""
        nodes = [node for node in self.seen.status.nodes if node.name not in reported]
        lines = map(self._line, nodes)
        return [line for line in lines if line]

    def _line(self, node: NodeStatus) -> Outcome | None:
        if said := list(self._said(node.name)):
            return self.watch.finish(node.name, self.mark, *said)
        if other := self.plan.other:
            why = f"{other.runner.id} is not Started here"
            return self.watch.finish(node.name, Mark.SKIPPED, why)
        if not any(isinstance(resource, Clone) for resource in self.plan.desired.resources):
            return None
        names = sorted(primitive_ids(self.plan.desired.resources))
        causes = filter(None, (self.plan.placement.chosen(name, node.name) for name in names))
        if cause := next(causes, None):
            return self.watch.finish(node.name, Mark.SKIPPED, str(cause))
        if node.remote or node.name in self.plan.left_out:
            why = f"a {node.kind} node, not asked" if node.remote else LEFT_OUT
            return self.watch.finish(node.name, Mark.SKIPPED, why)
        return None if node.word == "online" else self.watch.fail(node.name, self._away(node))

    def _said(self, node: str) -> Iterator[str]:
        """Yield what the instances of a node answered, and what is worth knowing of them."""
        own = [result for result in self.results if result.probe.of == node]
        askers: dict[str, list[str]] = {}
        for probe in (result.probe for result in own):
            serves = f"serves at {probe.at}" if probe.at else "serves"
            said = f"{self._called(probe.resource)}{self._state(probe.resource, node)}, {serves}"
            askers.setdefault(said, []).append(probe.node)
        for said, nodes in askers.items():
            yield f"{said} (asked from {', '.join(dict.fromkeys(nodes))})"
        yield from dict.fromkeys(notice for result in own for notice in result.reading.notices)

    def _called(self, resource: str) -> str:
        """Return how a line names its resource: where the service has several."""
        several = len(primitive_ids(self.plan.desired.resources)) > 1
        return f"{resource}: " if several else ""

    def _state(self, resource: str, node: str) -> str:
        """Return the word for an instance that has just served."""
        other = self.plan.other
        found = dict(instances(self.seen.status, other.runner.id if other else resource))
        state = found.get(node, "")
        return state if state in RUNNING else "Started"

    def _away(self, node: NodeStatus) -> PacefabError:
        return self.seen.silent.get(node.name) or CommandError(
            "ask its instance from another node",
            f"the node is {node.word}",
            "bring it back: pcs cluster start, pcs status",
        )
