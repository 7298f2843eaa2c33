"""verify-NAME: everything that must hold for a service to be of use; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pacefab.errors import PacefabError, RefusedError
from pacefab.pacemaker.model import Configuration
from pacefab.services.service import DesiredNode, Look, Service, Site
from pacefab.transport.connection import Host
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.checks.service_health import (
    ServiceHealth,
    ask_services,
    recognise,
    site_of,
)
from pacefab.workflows.checks.verification import Check, Verification
from pacefab.workflows.checks.verify import drops
from pacefab.workflows.nodes.in_force import share
from pacefab.workflows.nodes.node_plan import NodePlan, missing_packages
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.planning import Plan, Planner


@dataclass(frozen=True)
class Verify:
    """How a service is verified: against `intent`, an inventory's word of it, where there is one.

    Without, the cluster shows what the service is, and nothing says how its files should be.
    """

    service: Service[Any]
    intent: Intent | None = None
    firewall: bool = False  # whether open ports are ours to manage
    limit: int = 32

    def run(self, hosts: Mapping[str, Host], reach: Reach) -> Verification:
        """Check resources, nodes and answers; harmless.

        Raises:
            PacefabError: no host could report the cluster's state, or nothing shows the service.
        """
        default = self.service.default
        look = Look() if default is None else self.service.look(default)
        seen = observe_members(
            hosts, self.intent.look() if self.intent else look, self.limit, reach
        )
        intent = self.intent or self._shown(seen)
        if self.intent is None and intent.look() != seen.look:
            seen = observe_members(hosts, intent.look(), self.limit, reach)
        found = _Verifying(self, intent, seen)
        checks = (*_reached(seen), *found.resources(), *found.nodes(), *found.answers())
        return Verification(
            seen.membership.cluster, {}, checks, tuple(found.notices()), self.service.name
        )

    def _shown(self, seen: ClusterView) -> Intent:
        """Return what the cluster shows of the service."""
        name, section = self.service.name, self.service.found(seen.cib)
        if section is None:
            raise RefusedError(
                f"find the service {name}",
                f"cluster {seen.membership.cluster} has no resource of it",
                f"fab create-{name} makes it",
            )
        every = {**recognise(seen.cib), name: section}
        return Intent(seen.membership, every, (name,), Configuration(), secret=lambda _: "unknown")


@dataclass(frozen=True)
class _Verifying:
    """One verification, of a cluster as it was seen."""

    verify: Verify
    intent: Intent
    seen: ClusterView

    @cached_property
    def _site(self) -> Site:
        recognised = self.verify.intent is None
        now = site_of(self.seen, self.intent.sections, recognised=recognised)
        known = self.intent.among(self.seen.formed, now.facts).site(now.facts)
        return replace(known, placed=now.placed, recognised=recognised)

    @cached_property
    def _plan(self) -> Plan | PacefabError | None:
        """What would have to change for all to be as an inventory says; None: there is none."""
        if self.verify.intent is None:
            return None
        try:
            planner = Planner(self.intent, firewall=self.verify.firewall, whole=False)
            return planner.plan(replace(self.seen, strangers={}, hosts=self._members))
        except PacefabError as error:
            return error

    @property
    def _members(self) -> dict[str, Host]:
        return {name: self.seen.hosts[name] for name in self.seen.views}

    @cached_property
    def _health(self) -> ServiceHealth:
        (found,) = ask_services(self.seen, self._site, {self._name})
        return found

    @property
    def _name(self) -> str:
        return self.verify.service.name

    def resources(self) -> Iterator[Check]:
        """Yield whether Pacemaker has the resources as described, and runs them."""
        plan, name = self._plan, self._name
        if isinstance(plan, PacefabError):
            where = plan.host or self.seen.membership.cluster
            yield _refused(where, plan)
        elif plan is not None:
            changes = {change.id: str(change) for change in plan.configuration.changes}
            cause = f"fab create-{name} sets it right"
            for resource in plan.desired.resources:
                said = changes.pop(resource.id, "")
                yield Check("resource as described", resource.id, not said, said or "equal", cause)
            for key, said in changes.items():
                yield Check("resource as described", key, ok=False, seen=said, cause=cause)
        for instance in self._health.instances:
            where = f"{instance.resource or name} on {instance.node or 'no node'}"
            cause = "see: pcs status; fab status says why where Pacemaker knows it"
            yield Check("runs", where, instance.runs, instance.state, cause)

    def nodes(self) -> Iterator[Check]:
        """Yield whether each node has what the service needs, and Pacemaker alone starts it."""
        plan = self._plan
        for node in self.seen.views:
            try:
                desired = self.intent.node(self._site, node)
            except PacefabError as error:
                yield _refused(node, error)
                continue
            yield from self._units(node, desired)
            if isinstance(plan, Plan):
                yield from self._described(node, desired, plan.nodes[node])

    def _units(self, node: str, desired: DesiredNode) -> Iterator[Check]:
        facts = self._site.facts[node]
        for name in desired.units:
            unit = facts.unit(name)
            fits = not unit.starts_at_boot and unit.load != "masked"
            cause = f"only Pacemaker may start it: fab install-{self._name}"
            yield Check(
                "unit not enabled", f"{name} on {node}", fits, unit.enabled or unit.load, cause
            )
        for name in desired.helpers:
            unit = facts.unit(name)
            if unit.load == "loaded" or not self._site.recognised:
                cause = f"fab install-{self._name} starts it"
                yield Check("helper runs", f"{name} on {node}", unit.running, unit.active, cause)

    def _described(self, node: str, desired: DesiredNode, plan: NodePlan) -> Iterator[Check]:
        facts, cause = self._site.facts[node], f"fab install-{self._name} sets it right"
        missing = set(missing_packages(facts, desired))
        for name in dict.fromkeys([*desired.packages, *sorted(missing)]):
            version = facts.packages.get(name)
            yield Check(
                "package installed", f"{name} on {node}", name not in missing,
                version or ("absent" if name in missing else "there"), cause,
            )  # fmt: skip
        changed = {file.path for file, _ in plan.files}
        for file in desired.files:
            fits = file.path not in changed
            seen = "as described" if fits else "differs: fab plan shows how"
            yield Check("file as described", f"{file.path} on {node}", fits, seen, cause)
        for name, value in desired.kernel.items():
            now = facts.kernel.get(name, value)
            yield Check("kernel setting", f"{name} on {node}", now == value, now, cause)
        for setting in share({node: plan.pending}):
            yield Check(
                "settings in force", node, ok=False, seen=setting.what,
                cause=f"in force after: {setting.in_force_after}",
            )  # fmt: skip
        if not plan.pending:
            yield Check("settings in force", node, ok=True, seen="all that are written")

    def answers(self) -> Iterator[Check]:
        """Yield what every probe found, put from every node that is to put it."""
        health = self._health
        if health.error:
            yield Check(
                "can be asked", self._name, ok=False, seen=health.error, cause="see: pcs status"
            )
        for instance in health.instances:
            for result in instance.results:
                yield self._answer(result, instance.node)
        for result in health.whole:
            yield self._answer(result, "")

    def _answer(self, result: ProbeResult, of: str) -> Check:
        where = f"{result.probe.name} (asked from {result.probe.node})"
        cause = self._cause(of) if result.wrong and of else ""
        return Check("answers", where, not result.wrong, result.wrong or "as it should", cause)

    def _cause(self, node: str) -> str:
        """Return why an instance that Pacemaker calls running probably does not answer."""
        if node not in self.seen.views:
            return f"{node} gave no answer over SSH either: is it up?"
        unit = next(iter(self.verify.service.units), "pacemaker")
        if firewalls := drops(self.seen.hosts[node]):
            return f"a firewall on {node} ({', '.join(firewalls)}) drops it, or it hangs"
        return f"it hangs, or a firewall in between drops it: journalctl -u {unit} on {node}"

    def notices(self) -> Iterator[str]:
        """Yield what is worth knowing and no failure."""
        for instance in self._health.instances:
            for result in instance.results:
                yield from (f"{instance.node}: {said}" for said in result.reading.notices)


def _reached(seen: ClusterView) -> Iterator[Check]:
    for name, error in (*seen.silent.items(), *seen.outside.items()):
        yield Check("node can be asked", name, ok=False, seen=error.seen, cause=error.next_step)


def _refused(where: str, error: PacefabError) -> Check:
    return Check("can be as described", where, ok=False, seen=error.seen, cause=error.next_step)
