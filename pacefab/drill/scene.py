"""Where a drill takes place: a healthy cluster, and who does what in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pacefab.drill.faults import Victim
from pacefab.drill.revert import check_undone
from pacefab.drill.timeline import WatchedVip
from pacefab.errors import PacefabError
from pacefab.pacemaker import live
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import ClusterStatus
from pacefab.pacemaker.readiness import unfinished
from pacefab.services.vips import found
from pacefab.transport.connection import Host
from pacefab.waiting import Pending, wait_until
from pacefab.workflows.checks.health import check_healthy, examine_fleet
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.fleet import Fleet, Reach, gather

_POLL_SECONDS = 1.0
_REST_SECONDS = 60.0


@dataclass(frozen=True)
class Scene:
    """The cluster of the named hosts, asked anew each time."""

    hosts: Mapping[str, Host]
    reach: Reach
    limit: int

    def ready(self) -> Fleet:
        """Return the cluster's nodes, once Pacemaker is at rest.

        Raises:
            RefusedError: it is not healthy, or an earlier drill is not undone.
            PacefabError: it could not be asked, or found no rest within a minute.
        """
        fleet = gather(self.hosts, self.reach, self.limit)
        live.check_ready(fleet.view.status, "drill")
        check_undone(fleet.hosts, self.limit)
        check_healthy(fleet, "drill", "nothing was broken")
        apply_cib.settle(fleet.host, _at_work, _REST_SECONDS)
        return fleet

    def unhealthy(self, seconds: float) -> tuple[str, ...]:
        """Wait at most `seconds` until the cluster is healthy; return why it is not then.

        Pacemaker also has to have nothing left to do: a VIP may yet move back to the node that it
        prefers.
        """
        reasons: tuple[str, ...] = ()

        def look() -> bool | Pending:
            nonlocal reasons
            reasons = self._reasons()
            return Pending("; ".join(reasons)) if reasons else True

        wait_until(look, seconds, poll=_POLL_SECONDS)
        return reasons

    def _reasons(self) -> tuple[str, ...]:
        try:
            fleet = gather(self.hosts, self.reach, self.limit)
            doing = _at_work(apply_cib.query_progress(fleet.host))
            busy = (f"Pacemaker is at work: {doing}",) if doing else ()
            return examine_fleet(fleet).reasons or busy
        except PacefabError as error:
            return (str(error),)


def _at_work(status: ClusterStatus) -> str:
    return unfinished(status, status.primitives)


def find_witness(fleet: Fleet, victim: str) -> Host:
    """Return the node through which the cluster is watched: another one than the victim."""
    return next(host for node, host in fleet.hosts.items() if node != victim)


def find_victim(fleet: Fleet, node: str) -> Victim:
    """Return what a failure's script has to know about the node."""
    others = [member for member in fleet.membership.members if member.name != node]
    peers = tuple(address for member in others for address in member.addresses)
    port = next(target.port for target in fleet.targets() if target.node == node)
    return Victim(node, peers, port)


def find_vips(cib: Cib) -> list[WatchedVip]:
    """Return the cluster's virtual addresses."""
    return [WatchedVip(resource, address) for resource, address in found.addresses(cib).items()]
