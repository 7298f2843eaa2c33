"""The cluster in which a drill takes place: its health, the victim, the witness, the VIPs."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

from pacefab.drill.faults import Victim
from pacefab.drill.revert import check_undone
from pacefab.drill.timeline import WatchedVip
from pacefab.errors import PacefabError, RefusedError, UsageError
from pacefab.pacemaker import readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.readiness import unfinished
from pacefab.services import registry
from pacefab.services.activity import ActivityQuestion
from pacefab.services.load import ClientLoad
from pacefab.services.vips.found import vip_addresses
from pacefab.transport.connection import Host
from pacefab.waiting import Pending, Waits, unheard, wait_until
from pacefab.workflows.checks import places
from pacefab.workflows.checks.health import check_healthy, examine_services
from pacefab.workflows.checks.service_health import ask_services, site_of
from pacefab.workflows.nodes import apply_cib, cleanup
from pacefab.workflows.nodes.called import check_names
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members
from pacefab.workflows.rollout.desired import Intent

_POLL_SECONDS = 1.0
_REST_SECONDS = 60.0


@dataclass(frozen=True)
class Scene:
    """The cluster of the named hosts, asked again each time; the intent's one service is broken."""

    hosts: Mapping[str, Host]
    reach: Reach
    limit: int
    intent: Intent

    @property
    def service(self) -> str:
        """The service that is broken."""
        (name,) = self.intent.chosen
        return name

    def load(self, seen: ClusterView) -> ClientLoad:
        """Return what the service's clients do.

        Raises:
            UsageError: its description has no load, or a secret is missing.
        """
        facts = {name: found for name, found in seen.facts.items() if name not in seen.strangers}
        site = self.intent.among(seen.formed, {}).site(facts)
        place = places.find(seen, registry.service(self.service))
        site = replace(site, places={self.service: place} if place else {})
        section = self.intent.sections[self.service]
        found = registry.service(self.service).load(section, site.of(self.service))
        if found is None:
            raise UsageError(
                f"drill {self.service}",
                "its description has no client load",
                "choose another one: --service NAME",
            )
        return found

    def ready(self, waits: Waits = unheard) -> ClusterView:
        """Return the cluster's nodes, once Pacemaker is at rest.

        Raises:
            RefusedError: it is not healthy, Pacemaker is not to run or to repair every instance,
                or an earlier drill is not undone.
            PacefabError: it could not be asked, or found no rest within a minute.
        """
        seen = self._observe()
        readiness.check_ready(seen.status, "drill")
        check_undone(seen.hosts, self.limit)
        self._check_word(seen)
        check_healthy(seen, "drill", "nothing was broken", self._there(seen))
        apply_cib.settle(seen.host, _at_work, _REST_SECONDS, waits=waits)
        return seen

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
            seen = self._observe()
            doing = _at_work(seen.status)
            busy = (f"Pacemaker is at work: {doing}",) if doing else ()
            return examine_services(seen, self._there(seen)).reasons or busy
        except PacefabError as error:
            return (str(error),)

    def forget(self, seen: ClusterView, nodes: Container[str]) -> None:
        """Have Pacemaker forget what failed on nodes; the drill's report has it.

        Raises:
            PacefabError: the cluster could not be asked.
        """
        cleanup.forget(seen.host, apply_cib.query_progress(seen.host), nodes)

    def activities(self, seen: ClusterView) -> dict[str, list[ActivityQuestion]]:
        """Return how each node's instances are asked whether they are active, by node."""
        there = self._there(seen)
        site = site_of(seen, there, recognised=True)
        return {
            node: [
                found
                for name, section in there.items()
                if (found := registry.service(name).activity(section, site.of(name), node))
            ]
            for node in seen.views
        }

    def _observe(self) -> ClusterView:
        look = registry.look(self.intent.sections)
        seen = observe_members(self.hosts, look, self.limit, self.reach)
        check_names(f"drill {self.service}", seen, self.intent.membership)
        return seen

    def _there(self, seen: ClusterView) -> dict[str, Any]:
        """Return the sections of the service and of all others that the cluster has."""
        return {
            name: section
            for name, section in self.intent.sections.items()
            if name == self.service or registry.service(name).primitives(seen.cib)
        }

    def _check_word(self, seen: ClusterView) -> None:
        """Raise a RefusedError when operators have set something against the service on a member.

        Pacemaker would not repair what a drill breaks, or with fewer instances than it reckons
        with.
        """
        described, section = registry.service(self.service), self.intent.sections[self.service]
        ids = {*described.primitives(seen.cib), *described.ids(section)}
        members = {"", *seen.membership.names}
        causes = [c for c in seen.placement.concerning(ids) if c.deliberate and c.node in members]
        if causes:
            raise RefusedError(
                "drill",
                "\n".join(map(str, causes)),
                "nothing was broken; end that, then run this again",
            )

    def versions(self, seen: ClusterView) -> Mapping[str, str]:
        """Return the versions of what a drill depends on; several of one program are all named."""
        site = site_of(seen, self._there(seen), recognised=True)
        asked = ask_services(seen, site, {self.service})
        figures = [instance.figures for health in asked for instance in health.instances]
        every = {str(found.get("version", "")) for found in figures}
        found = seen.cib.root.iterfind("configuration/crm_config//nvpair[@name='dc-version']")
        return {
            "pacefab": metadata.version("pacefab"),
            "Pacemaker": ", ".join(pair.get("value", "") for pair in found),
            self.service: ", ".join(sorted(filter(None, every))),
        }


def _at_work(status: ClusterStatus) -> str:
    return unfinished(status, status.primitives)


def find_witnesses(seen: ClusterView, victim: str, sides: Sequence[str]) -> tuple[Host, ...]:
    """Return the nodes through which the cluster is watched: others than the victim.

    Where either of two `sides` may be fenced, the victim is the last one: it may be what is left.
    """
    others = [node for node in seen.views if node != victim]
    last = [victim] if len(sides) > 1 else []
    return tuple(seen.hosts[node] for node in (*others, *last))


def find_victim(seen: ClusterView, node: str, load: ClientLoad) -> Victim:
    """Return what a failure's script has to know about the node."""
    others = [member for member in seen.membership.members if member.name != node]
    peers = tuple(address for member in others for address in member.addresses)
    port = next(server.port for server in load.servers if server.node == node)
    return Victim(node, peers, port, load)


def find_vips(cib: Cib) -> list[WatchedVip]:
    """Return the cluster's virtual addresses."""
    return [WatchedVip(resource, address) for resource, address in vip_addresses(cib).items()]
