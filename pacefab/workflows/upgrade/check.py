"""upgrade --check: whether a cluster can go to the next release; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pacefab.errors import PacefabError, RefusedError
from pacefab.host import releases
from pacefab.host.releases import ReleaseFacts
from pacefab.pacemaker.upgrade.findings import Severity, UpgradeFinding, examine
from pacefab.pacemaker.upgrade.rules import PACEMAKER_3
from pacefab.services import registry
from pacefab.services.checks import Check
from pacefab.services.memcached import memcached
from pacefab.transport.answers import understood
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.checks.health import examine_services
from pacefab.workflows.checks.service_health import recognise
from pacefab.workflows.checks.verification import Verification
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members
from pacefab.workflows.rollout.planning import Plan
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.upgrade import (
    cluster_findings,
    known_releases,
    node_findings,
    service_findings,
    walk,
)
from pacefab.workflows.upgrade.known_releases import Release
from pacefab.workflows.upgrade.node_findings import UpgradeNode
from pacefab.workflows.upgrade.repairs import Repairs

SHOWN: Final = ("pacemaker", "corosync", "pcs", "resource-agents")
"""Packages that every node has; their versions are in the report, with those of services."""
SERVICES: Final = ("memcached", "haproxy", "galera-4", *service_findings.PACKAGES)
_PACEMAKER_3: Final = (3, 0)
_SECONDS: Final = 90  # for a node's answer; a mirror that is away takes 15 s, each
Checked = tuple[str, str, tuple[UpgradeFinding, ...]]
"""What was looked at, where, and what was found there."""


@dataclass(frozen=True)
class UpgradeCheck(Verification):
    """What was found of an upgrade to `target`.

    `findings` are in the order in which they were looked for; `plan` is of the fixes that are
    changes of the CIB, None: there is none, or it could not be had. `order` has the nodes that are
    still to go, as they should.
    """

    target: str = ""
    nodes: tuple[UpgradeNode, ...] = ()
    checked: tuple[Checked, ...] = ()
    plan: Plan | None = None
    order: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What did the checks, as the operator types it."""
        return "upgrade --check"

    @property
    def findings(self) -> tuple[tuple[str, UpgradeFinding], ...]:
        """Everything that was found, with the name of what was looked at."""
        return tuple((name, one) for name, _, found in self.checked for one in found)

    def of(self, severity: Severity) -> tuple[UpgradeFinding, ...]:
        """Return the findings of one severity."""
        return tuple(one for _, one in self.findings if one.severity is severity)


def check(
    hosts: Mapping[str, Host],
    reach: Reach,
    limit: int,
    sections: Mapping[str, Any] | None = None,
    to: str | None = None,
) -> UpgradeCheck:
    """Ask nodes and cluster what an upgrade would meet; harmless.

    Args:
        hosts: as they are named; the rest of their cluster is asked too.
        reach: the way to a node of the cluster by its name.
        limit: how many nodes are asked at a time.
        sections: the settings of an inventory's services; without, those that the cluster shows.
        to: the codename of the release; without, the one after that of the oldest node.

    Raises:
        UsageError: there is no such release.
        RefusedError: a node is of a distribution whose upgrade is not known here.
        PacefabError: no host could report the cluster's state.
    """
    goal = known_releases.called(to) if to else None
    look = memcached.LOOK if sections is None else registry.look(sections)
    seen = observe_members(hosts, look, limit, reach)
    own = {name: _release(name, facts.distribution) for name, facts in seen.member_facts.items()}
    target = goal or known_releases.following(min(own.values(), key=known_releases.RELEASES.index))
    steps = {name: known_releases.distance(one, target) for name, one in own.items()}
    found, failed = _ask(seen, target)
    nodes = [UpgradeNode(n, facts, own[n], target, steps[n]) for n, facts in found.items()]
    known = recognise(seen.cib) if sections is None else sections
    checked = (
        *_reached({**seen.silent, **failed}),
        *_of_cluster(seen, known),
        *_of_nodes(nodes),
        *_of_services(nodes),
        *_of_configuration(seen, target),
    )
    plan, notices = _plan(seen, checked)
    checks, said = tuple(checks_of(checked)), (*notices, *notices_of(checked))
    return UpgradeCheck(
        "upgrade", seen.membership.cluster, checks, said, str(target), tuple(nodes), checked, plan,
        walk.order([node.name for node in nodes if node.steps > 0], seen.status),
    )  # fmt: skip


def _release(name: str, distribution: str) -> Release:
    found = known_releases.of(*distribution.partition(" ")[::2])
    if found is None:
        supported = ", ".join(map(str, known_releases.RELEASES))
        raise RefusedError(
            "find the release after this one",
            f"it is {distribution}",
            f"known here: {supported}",
            host=name,
        )
    return found


def _ask(
    seen: ClusterView, target: Release
) -> tuple[dict[str, ReleaseFacts], dict[str, PacefabError]]:
    """Return what each member that answered says of itself, in one round, and who did not."""

    def work(name: str, host: Host) -> ReleaseFacts:
        units = sorted(seen.views[name].managed_units)
        steps = releases.observe(target.codename, (*SHOWN, *SERVICES), units)
        sections = host.ask(steps, side_by_side=True, seconds=_SECONDS)
        with understood("read what the node says of its packages", "run it again", name):
            return releases.parse(sections)

    asked = fan_out({name: seen.hosts[name] for name in seen.views}, work)
    return values(asked), errors(asked)


def _reached(lost: Mapping[str, PacefabError]) -> Iterator[Checked]:
    why = "what is not known of a node cannot be upgraded"
    found = tuple(UpgradeFinding(n, e.seen, why, e.next_step) for n, e in lost.items())
    yield "answers of nodes", "the cluster", found


def _of_cluster(seen: ClusterView, sections: Mapping[str, Any]) -> Iterator[Checked]:
    status, where = seen.status, "the cluster"
    health = examine_services(seen, sections)
    yield "health", where, tuple(cluster_findings.unhealthy(health.reasons))
    yield "set aside", where, tuple(cluster_findings.set_aside(status))
    yield "nodes to go on with", where, tuple(cluster_findings.alone(status))
    yield "remote nodes", where, tuple(cluster_findings.remote(status))
    left = heads.unfinished(seen.heads.values())
    yield "changes", where, tuple(cluster_findings.unfinished(left))


def _of_nodes(nodes: Iterable[UpgradeNode]) -> Iterator[Checked]:
    every = list(nodes)
    for name, rule in node_findings.RULES.items():
        for node in every:
            yield name, node.name, tuple(rule(node))


def _of_services(nodes: Iterable[UpgradeNode]) -> Iterator[Checked]:
    every = list(nodes)
    yield "begun upgrade", "the cluster", tuple(cluster_findings.begun(every))
    for name, rule in service_findings.RULES.items():
        yield name, "the services", tuple(rule(every))


def _of_configuration(seen: ClusterView, target: Release) -> Iterator[Checked]:
    """Yield what the rules of the Pacemaker that is to come find; of an older one, nothing."""
    if target.packages.get("pacemaker", (0, 0)) >= _PACEMAKER_3:
        for name, found in examine(seen.cib, PACEMAKER_3).findings.items():
            yield name, "the CIB", found


def _plan(seen: ClusterView, checked: Iterable[Checked]) -> tuple[Plan | None, tuple[str, ...]]:
    """Return the plan of the fixes, else why there is none although there should be."""
    if not any(one.planned for _, _, found in checked for one in found):
        return None, ()
    try:
        return Repairs().plan_cluster(seen), ()
    except PacefabError as error:
        return None, (f"the fixes could not be planned: {error.seen}: {error.next_step}",)


def checks_of(checked: Iterable[Checked]) -> Iterator[Check]:
    """Yield a check for each finding but notices, and one for each look that found none."""
    for name, where, found in checked:
        against = [one for one in found if one.severity is not Severity.NOTICE]
        for one in against:
            yield Check(name, one.where, ok=False, seen=f"{one.seen}: {one.why}", cause=one.fix)
        if not against:
            yield Check(name, where, ok=True, seen="nothing found")


def notices_of(checked: Iterable[Checked]) -> Iterator[str]:
    """Yield the notices, each as a sentence."""
    for _, _, found in checked:
        for one in (one for one in found if one.severity is Severity.NOTICE):
            yield f"{one.where}: {one.seen}: {one.why}; {one.fix}"
