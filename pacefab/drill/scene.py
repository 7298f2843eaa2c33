"""The cluster in which a drill takes place: its health, the victim, the witness, the VIPs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from pacefab.drill.faults import Victim
from pacefab.drill.revert import check_undone
from pacefab.drill.timeline import WatchedVip
from pacefab.errors import PacefabError, RefusedError
from pacefab.pacemaker import readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import ClusterStatus
from pacefab.pacemaker.readiness import unfinished
from pacefab.services.memcached import memcached
from pacefab.services.memcached.probe import Target
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.memcached.targets import find_targets
from pacefab.services.vips.found import vip_addresses
from pacefab.transport.connection import Host
from pacefab.waiting import Pending, Waits, unheard, wait_until
from pacefab.workflows.checks.health import check_healthy, examine_memcached
from pacefab.workflows.checks.service_health import ask_services, site_of
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members

_POLL_SECONDS = 1.0
_REST_SECONDS = 60.0


@dataclass(frozen=True)
class Scene:
    """The cluster of the named hosts, asked again each time."""

    hosts: Mapping[str, Host]
    reach: Reach
    limit: int

    def ready(self, waits: Waits = unheard) -> ClusterView:
        """Return the cluster's nodes, once Pacemaker is at rest.

        Raises:
            RefusedError: it is not healthy, Pacemaker is not to run or to repair every memcached,
                or an earlier drill is not undone.
            PacefabError: it could not be asked, or found no rest within a minute.
        """
        fleet = observe_members(self.hosts, memcached.LOOK, self.limit, self.reach)
        readiness.check_ready(fleet.status, "drill")
        check_undone(fleet.hosts, self.limit)
        _check_word(fleet)
        check_healthy(fleet, "drill", "nothing was broken")
        apply_cib.settle(fleet.host, _at_work, _REST_SECONDS, waits=waits)
        return fleet

    def unhealthy(self, seconds: float, waits: Waits = unheard) -> tuple[str, ...]:
        """Wait at most `seconds` until the cluster is healthy; return why it is not then.

        Pacemaker also has to have nothing left to do: a VIP may still move back to the node that it
        prefers.
        """
        reasons: tuple[str, ...] = ()

        def look() -> bool | Pending:
            nonlocal reasons
            reasons = self._reasons()
            return Pending("; ".join(reasons)) if reasons else True

        wait_until(look, seconds, poll=_POLL_SECONDS, waits=waits)
        return reasons

    def _reasons(self) -> tuple[str, ...]:
        try:
            fleet = observe_members(self.hosts, memcached.LOOK, self.limit, self.reach)
            doing = _at_work(fleet.status)
            busy = (f"Pacemaker is at work: {doing}",) if doing else ()
            return examine_memcached(fleet).reasons or busy
        except PacefabError as error:
            return (str(error),)


def _check_word(seen: ClusterView) -> None:
    """Raise a RefusedError when operators have set something against memcached on a member.

    Pacemaker would not repair what a drill breaks, or with fewer instances than it reckons with.
    """
    ids = {memcached.RESOURCE, memcached.CLONE}
    members = {"", *seen.membership.names}
    causes = [c for c in seen.placement.concerning(ids) if c.deliberate and c.node in members]
    if causes:
        raise RefusedError(
            "drill",
            "\n".join(map(str, causes)),
            "nothing was broken; end that, then run this again",
        )


def _at_work(status: ClusterStatus) -> str:
    return unfinished(status, status.primitives)


def find_witness(fleet: ClusterView, victim: str) -> Host:
    """Return the node through which the cluster is watched: another one than the victim."""
    return next(fleet.hosts[node] for node in fleet.views if node != victim)


def targets(fleet: ClusterView) -> list[Target]:
    """Return where clients find each node's memcached now."""
    return find_targets(fleet.membership, fleet.member_facts)


def find_victim(fleet: ClusterView, node: str) -> Victim:
    """Return what a failure's script has to know about the node."""
    others = [member for member in fleet.membership.members if member.name != node]
    peers = tuple(address for member in others for address in member.addresses)
    port = next(target.port for target in targets(fleet) if target.node == node)
    return Victim(node, peers, port)


def find_versions(fleet: ClusterView) -> Mapping[str, str]:
    """Return the versions of what a drill depends on; several of one program are all named."""
    site = site_of(fleet, {"memcached": MemcachedSection()}, recognised=True)
    found_by = [i.figures for health in ask_services(fleet, site) for i in health.instances]
    versions = {str(figures.get("version", "")) for figures in found_by}
    found = fleet.cib.root.iterfind("configuration/crm_config//nvpair[@name='dc-version']")
    return {
        "pacefab": metadata.version("pacefab"),
        "Pacemaker": ", ".join(pair.get("value", "") for pair in found),
        "memcached": ", ".join(sorted(filter(None, versions))),
    }


def find_vips(cib: Cib) -> list[WatchedVip]:
    """Return the cluster's virtual addresses."""
    return [WatchedVip(resource, address) for resource, address in vip_addresses(cib).items()]
