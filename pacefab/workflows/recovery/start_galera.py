"""start-galera: a Galera that waits for nodes that do not come back, started without them.

Pacemaker and its agent do the work: the node with the highest number is marked as the agent itself
would mark it, once the others have reported. A node that was left out is kept from running its
database (a location constraint): it may have transactions that the others never got, and its data
may even be "safe to bootstrap", so that the agent would choose it, however old they are, at the
next start of all. When it is back, the same task lets it join again, with a whole copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pacefab.errors import RefusedError
from pacefab.host.model import Outcome
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import same_name
from pacefab.pacemaker.placement import galera
from pacefab.pacemaker.placement.galera import GaleraResource
from pacefab.services.galera.cold_start import ATTEMPT
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.workflows.nodes.progress import Audience, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members
from pacefab.workflows.recovery.cold_start import ColdStart
from pacefab.workflows.recovery.left_out import Return, left_out
from pacefab.workflows.transaction.transaction import Transaction

STEP = "start-galera"


@dataclass(frozen=True)
class StartGalera:
    """How a run starts Galera; the cluster has `timeout` seconds.

    `without` are the nodes to start without; `accepted`: what only they have may be lost.
    """

    without: tuple[str, ...] = ()
    accepted: bool = False
    timeout: int = 120
    dry_run: bool = False
    limit: int = 32
    transaction: Transaction | None = None  # None: one of this run's own

    def run(self, hosts: Mapping[str, Host], reach: Reach, audience: Audience) -> list[Outcome]:
        """Start Galera, or let nodes that were left out join again; once agreed to.

        Raises:
            PacefabError: nothing was changed, or it says how far that went.
        """
        own = self.transaction or Transaction(STEP)
        return own.run(lambda: self._run(hosts, reach, audience, own), audience)

    def _run(
        self,
        hosts: Mapping[str, Host],
        reach: Reach,
        audience: Audience,
        transaction: Transaction,
    ) -> list[Outcome]:
        watch = Stopwatch(STEP, audience)
        seen = observe_members(hosts, Look(), self.limit, reach)
        _check_quorum(seen)
        resource = self._resource(seen)
        lost = tuple(self._member(resource, name) for name in self.without)
        if running := resource.promoted(seen.status):
            back = Return(seen, resource, lost, self.timeout, self.dry_run, transaction)
            return [back.run(running, watch, audience)]
        before = [name for name in left_out(seen.cib, resource) if name in resource.reports]
        every = tuple(dict.fromkeys((*lost, *before)))
        accepted = self.accepted or set(lost) <= set(before)  # what those have is given up already
        start = ColdStart(seen, resource, every, accepted, self.timeout, self.dry_run, transaction)
        return [start.run(watch, audience)]

    def _resource(self, seen: ClusterView) -> GaleraResource:
        """Return the resource that is to be started: of several the one that does not run.

        Raises:
            RefusedError: there is none, or more than one.
        """
        every = galera.find(seen.cib)
        if not every:
            what = f"{seen.membership.cluster} has no resource of the agent {galera.AGENT}"
            raise RefusedError(ATTEMPT, what, "fab create-galera makes it")
        down = [resource for resource in every if not resource.promoted(seen.status)]
        if len(down) > 1:
            named = ", ".join(resource.id for resource in down)
            advice = "keep all but one from running (pcs resource disable), then run this again"
            raise RefusedError(ATTEMPT, f"several do not run: {named}", advice)
        return (down or every)[0]

    def _member(self, resource: GaleraResource, name: str) -> str:
        """Return Pacemaker's name of a node that is to be left out.

        Raises:
            RefusedError: Galera has no such node.
        """
        members = list(resource.reports)
        near = (member for member in members if same_name(member, name))
        found = name if name in members else next(near, None)
        if found is None:
            raise RefusedError(
                ATTEMPT,
                f"{resource.id} has no node {name}: its nodes are {', '.join(members)}",
                "name one of these in --without",
            )
        return found


def _check_quorum(seen: ClusterView) -> None:
    """Raise a RefusedError where Pacemaker starts nothing, for want of quorum."""
    policy = _property(seen.cib, "no-quorum-policy")
    if seen.status.quorum or policy == "ignore":
        return
    members = [node for node in seen.status.nodes if not node.remote]  # others have no vote
    online = [node.name for node in members if node.online]
    away = [node.name for node in members if not node.online]
    raise RefusedError(
        ATTEMPT,
        f"the cluster has no quorum, so Pacemaker starts nothing: {', '.join(away) or 'no node'} "
        f"is not there, {', '.join(online) or 'none'} is",
        "start one more node (pcs cluster start NODE); where those that are missing are certainly "
        f"off and do not come back, on {seen.doorway}: pcs quorum expected-votes "
        f"{max(len(online), 1)}",
    )


def _property(cib: Cib, name: str) -> str:
    path = f"configuration/crm_config/cluster_property_set/nvpair[@name='{name}']"
    pair = cib.root.find(path)
    return "" if pair is None else str(pair.get("value"))
