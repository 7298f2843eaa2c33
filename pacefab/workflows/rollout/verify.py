"""verify-NAME: everything that must hold for a service to be of use; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pacefab.errors import PacefabError, RefusedError
from pacefab.host import selinux
from pacefab.host.model import HostFacts
from pacefab.pacemaker.model import Configuration
from pacefab.pacemaker.word import Cause
from pacefab.services.checks import Check, Inspection
from pacefab.services.service import DesiredNode, Look, Service, Site
from pacefab.transport.command import shell
from pacefab.transport.connection import Host
from pacefab.workflows.checks import node_state
from pacefab.workflows.checks.probing import ProbeResult, inspect
from pacefab.workflows.checks.service_health import (
    InstanceHealth,
    ServiceHealth,
    ask_services,
    recognise,
    site_of,
)
from pacefab.workflows.checks.verification import Verification
from pacefab.workflows.nodes.called import check_names
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
    clients: tuple[str, ...] = ()  # networks whose clients reach the service

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
        check_names(f"verify {self.service.name}", seen, intent.membership)
        found = _Verifying(self, intent, seen)
        checks = [
            *_reached(seen),
            *found.own(),
            *found.resources(),
            *found.nodes(),
            *found.answers(),
        ]
        explained = tuple(map(found.explained, checks))
        return Verification(
            self.service.name, seen.membership.cluster, explained, tuple(found.notices())
        )

    def _shown(self, seen: ClusterView) -> Intent:
        """Return what the cluster shows of the service; one with defaults, where it shows none."""
        name = self.service.name
        section = self.service.found(seen.cib) or self.service.default
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
    _known: dict[str, list[str]] = field(default_factory=dict)  # firewalls by node

    @cached_property
    def _site(self) -> Site:
        recognised = self.verify.intent is None
        now = site_of(self.seen, self.intent.sections, recognised=recognised)
        known = self.intent.among(self.seen.formed, now.facts).site(now.facts)
        places = now.places if recognised else known.places
        return replace(known, placed=now.placed, recognised=recognised, places=places)

    @cached_property
    def _plan(self) -> Plan | PacefabError | None:
        """What would have to change for all to be as an inventory says; None: there is none."""
        if self.verify.intent is None:
            return None
        try:
            owned, clients = self.verify.firewall, self.verify.clients
            planner = Planner(self.intent, firewall=owned, clients=clients, whole=False)
            return planner.plan(replace(self.seen, strangers={}, hosts=self._nodes))
        except PacefabError as error:
            return error

    @property
    def _nodes(self) -> dict[str, Host]:
        return {name: self.seen.hosts[name] for name in (*self.seen.views, *self.seen.remotes)}

    @cached_property
    def _health(self) -> ServiceHealth:
        (found,) = ask_services(self.seen, self._site, {self._name})
        return found

    @property
    def _name(self) -> str:
        return self.verify.service.name

    def own(self) -> Iterator[Check]:
        """Yield what the service itself has to be checked, its own questions put all at once."""
        section = self.intent.sections[self._name]
        try:
            every = tuple(
                self.verify.service.checks(section, self._site.of(self._name), self.seen.cib)
            )
        except PacefabError as error:
            yield _refused(error.host or self._name, error)
            return
        asked = [item for item in every if isinstance(item, Inspection)]
        answered = iter(inspect(self.seen.hosts, asked))
        for item in every:
            yield from (item,) if isinstance(item, Check) else next(answered)

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
        if self._health.instances and not self._health.exists:
            cause = f"fab create-{name} makes it"
            yield Check("resource", name, ok=False, seen="the cluster has none of it", cause=cause)
            return
        for instance in self._health.instances:
            where = f"{instance.resource} on {instance.node or 'no node'}"
            cause = "see: pcs status; fab status says why where Pacemaker knows it"
            chosen = None if instance.runs else self._chosen(instance)
            seen = f"{instance.state}: {chosen.said}" if chosen else instance.state
            yield Check("runs", where, instance.runs or chosen is not None, seen, cause)

    def _chosen(self, instance: InstanceHealth) -> Cause | None:
        """Return what an operator has set, so that an instance does not run."""
        placement, name = self.seen.placement, instance.resource
        nodes = [instance.node] if instance.node else placement.against.get(name, ())
        causes = (placement.chosen(name, node) for node in nodes)
        return next((cause for cause in causes if cause), None)

    def nodes(self) -> Iterator[Check]:
        """Yield whether each node has what the service needs, and Pacemaker alone starts it."""
        plan = self._plan
        for node in (n for n in self._nodes if self._site.has(self._name, n)):
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
            where = node if len(desired.units) == 1 else f"{name} on {node}"
            yield Check("unit not enabled", where, fits, unit.enabled or unit.load, cause)
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
        yield from _allowed(facts, node, desired, cause)

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
        seen = result.wrong or "as it should"
        return Check("answers", where, not result.wrong, seen, of=of)

    def explained(self, check: Check) -> Check:
        """Return a check with the likely cause of its failure, where nothing better is known."""
        if check.ok or check.cause or not check.of:
            return check
        return replace(check, cause=self._cause(check.of))

    def _cause(self, node: str) -> str:
        """Return why an instance that Pacemaker calls running probably does not answer."""
        if node not in self._nodes:
            return f"{node} gave no answer over SSH either: is it up?"
        unit = next(iter(self.verify.service.units), "pacemaker")
        if firewalls := self._firewalls(node):
            return f"a firewall on {node} ({', '.join(firewalls)}) drops it, or it hangs"
        return f"it hangs, or a firewall in between drops it: journalctl -u {unit} on {node}"

    def _firewalls(self, node: str) -> list[str]:
        """Return the programs that have rules on a node which drop or reject something."""
        if node not in self._known:
            found = self.seen.hosts[node].query([shell("firewall", _FIREWALL)])
            self._known[node] = found["firewall"].out.split()
        return self._known[node]

    def notices(self) -> Iterator[str]:
        """Yield what is worth knowing and no failure."""
        for instance in self._health.instances:
            for result in instance.results:
                yield from (f"{instance.node}: {said}" for said in result.reading.notices)
        yield from node_state.notices(self._site, self.seen.cib, {self._name})


# firewalld keeps its rules in nftables or iptables; each of the three may be absent.
_FIREWALL = r"""
systemctl is-active --quiet firewalld && echo firewalld
nft list ruleset 2>/dev/null | grep -Eq ' (drop|reject)' && echo nftables
iptables-save 2>/dev/null | grep -Eq -- '-j (DROP|REJECT)' && echo iptables
true
"""


def _reached(seen: ClusterView) -> Iterator[Check]:
    for name, error in (*seen.silent.items(), *seen.outside.items()):
        yield Check("node can be asked", name, ok=False, seen=error.seen, cause=error.next_step)


def _refused(where: str, error: PacefabError) -> Check:
    return Check("can be as described", where, ok=False, seen=error.seen, cause=error.next_step)


def _allowed(facts: HostFacts, node: str, desired: DesiredNode, cause: str) -> Iterator[Check]:
    """Yield whether SELinux allows what the service does, where it enforces a policy."""
    found = facts.selinux
    if found is None:
        return
    off, ports = selinux.missing_booleans(found, desired.booleans), desired.labelled
    for name in (name for name in desired.booleans if name in found.booleans):
        said = "off" if name in off else "on"
        yield Check("SELinux boolean", f"{name} on {node}", name not in off, said, cause)
    missing = selinux.missing_ports(found, ports)
    for port in ports if found.ports is not None else ():
        seen = f"not {port.type}" if port in missing else port.type
        yield Check("SELinux type", f"port {port} on {node}", port not in missing, seen, cause)
    for path in (file.path for file in desired.files if file.path in found.mislabelled):
        seen = f"not {found.mislabelled[path]}"
        yield Check("SELinux label", f"{path} on {node}", ok=False, seen=seen, cause=cause)
