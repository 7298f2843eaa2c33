"""Which of the replayed resources a service of pacefab describes, with its settings.

Only what the service would create just so becomes a service; the rest stays a resource.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pacefab.addresses import is_address, no_hosts
from pacefab.legacy.bash.files import Text
from pacefab.legacy.bash.world import World
from pacefab.legacy.cluster.model import (
    CLONE,
    PROMOTABLE,
    ReplayedCluster,
    ReplayedConstraint,
    ReplayedResource,
)
from pacefab.legacy.draft.haproxy_file import PATH, read_balancer
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.unknown import is_known

_VIP_NAME = re.compile(r"vip-([A-Za-z][A-Za-z0-9_-]*)$")
_VIP_PARAMETERS = {"ip", "nic", "cidr_netmask"}
_MEMCACHED_FILE = "/etc/sysconfig/memcached"
_PROMOTE = {"name": "promote", "interval": "0s", "timeout": "300s", "on-fail": "block"}
_LB = "lb-haproxy"


@dataclass
class FoundServices:
    """Services with their sections, where each came from, and what they stand for."""

    sections: dict[str, dict[str, object]] = field(default_factory=dict)
    places: dict[str, list[Place]] = field(default_factory=dict)
    resources: set[str] = field(default_factory=set)
    constraints: list[ReplayedConstraint] = field(default_factory=list)
    entries: list[ReportLine] = field(default_factory=list)

    def ids(self) -> set[str]:
        """Return the ids that constraints may name, of what became services."""
        return {
            resource if resource.startswith("vip-") else f"{resource}-clone"
            for resource in self.resources
        }


def find_services(
    cluster: ReplayedCluster, world: World, nodes: Mapping[str, str]
) -> FoundServices:
    """Return the services among the resources; `nodes`: addresses by name, empty when unknown."""
    search = _Search(cluster, world, nodes)
    finders = {"lb-haproxy": search.haproxy, "galera": search.galera, "memcached": search.memcached}
    balanced = search.is_balanced()
    for name, resource in cluster.resources.items():
        if name in finders and not cluster.group_of(name):
            finders[name](resource)
        elif search.is_vip(resource) and (not balanced or search.tied(name)):
            search.vip(resource, balanced=balanced)
    return search.found


def _is_reachable(parameters: Mapping[str, str]) -> bool:
    """Return whether other hosts could reach a VIP with these parameters."""
    address, length = parameters.get("ip", ""), parameters.get("cidr_netmask", "0")
    if not is_address(address) or no_hosts(address) or not length.isdigit():
        return False
    return int(length[:4]) <= ipaddress.ip_address(address).max_prefixlen


def _is_plain(resource: ReplayedResource) -> bool:
    """Return whether nothing is set that a service would not set."""
    return not (resource.meta or resource.disabled)


class _Search:
    """One search, with what it has found so far."""

    def __init__(self, cluster: ReplayedCluster, world: World, nodes: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._world = world
        self._nodes = nodes
        self.found = FoundServices()

    def is_vip(self, resource: ReplayedResource) -> bool:
        """Return whether the service vips describes a resource."""
        return (
            resource.agent == "ocf:heartbeat:IPaddr2"
            and bool(_VIP_NAME.match(resource.id))
            and _is_reachable(resource.parameters)
            and set(resource.parameters) <= _VIP_PARAMETERS
            and _is_plain(resource)
            and not (resource.operations or resource.copies or self._cluster.group_of(resource.id))
        )

    def is_balanced(self) -> bool:
        """Return whether there is a load balancer to which VIPs are tied as the service does it."""
        balancer = self._cluster.resources.get(_LB)
        if balancer is None or not self._is_clone(balancer, "systemd:haproxy"):
            return False
        return bool(self._balancer_file()) and any(map(self.tied, self._cluster.resources))

    def tied(self, name: str) -> list[ReplayedConstraint]:
        """Return the two constraints that tie a VIP to the load balancer; none without both."""
        desired = [
            ("order", (name, f"{_LB}-clone"),
             {"first_action": "start", "then_action": "start", "kind": "Optional"}),
            ("colocation", (name, f"{_LB}-clone"), {"score": "INFINITY"}),
        ]  # fmt: skip
        same = [
            constraint
            for constraint in self._cluster.constraints
            if (constraint.kind, constraint.resources, constraint.options) in desired
        ]
        return same if len(same) == len(desired) else []

    def vip(self, resource: ReplayedResource, *, balanced: bool) -> None:
        """Take a VIP in."""
        found = _VIP_NAME.match(resource.id)
        assert found is not None  # noqa: S101  # is_vip
        section = self.found.sections.setdefault(
            "vips", {"with_load_balancer": balanced, "addresses": []}
        )
        made: dict[str, object] = {"name": found[1], "address": resource.parameters["ip"]}
        if nic := resource.parameters.get("nic"):
            made["nic"] = nic
        if netmask := resource.parameters.get("cidr_netmask"):
            made["netmask"] = int(netmask) if netmask.isdigit() else netmask
        addresses = section["addresses"]
        assert isinstance(addresses, list)  # noqa: S101  # made above
        addresses.append(made)
        self.found.places.setdefault("vips", []).append(resource.place)
        self.found.resources.add(resource.id)
        self.found.constraints += self.tied(resource.id) if balanced else []

    def _is_clone(self, resource: ReplayedResource, agent: str) -> bool:
        return (
            resource.agent == agent
            and resource.copies == CLONE
            and resource.clone_meta in ({}, {"interleave": "true"})
            and not (resource.parameters or resource.operations)
            and _is_plain(resource)
        )

    def _take(self, service: str, resource: ReplayedResource, section: dict[str, object]) -> None:
        self.found.sections[service] = section
        self.found.places[service] = [resource.place]
        self.found.resources.add(resource.id)
        if resource.copies == CLONE and not resource.clone_meta:
            self._say(
                Fate.DOUBTFUL, resource.place, f"{resource.id} without interleave=true",
                "dependent resources would wait for all nodes, not their own; the service sets it",
            )  # fmt: skip

    def _say(self, fate: Fate, place: Place, text: str, reason: str, advice: str = "") -> None:
        self.found.entries.append(ReportLine(fate, place, text, reason, advice))

    def memcached(self, resource: ReplayedResource) -> None:
        """Take memcached in, with what its file of settings was given."""
        if not self._is_clone(resource, "systemd:memcached"):
            return
        section: dict[str, object] = {}
        text = self._known_file(_MEMCACHED_FILE)
        for key, name in (
            ("PORT", "port"),
            ("CACHESIZE", "memory"),
            ("MAXCONN", "max_connections"),
        ):
            value = (
                re.search(rf'^{key}="?(\d{{1,9}})"?\s*$', text.text, re.MULTILINE) if text else None
            )
            if value and value[1] != {"PORT": "11211"}.get(key):
                section[name] = int(value[1])
        self._take("memcached", resource, section)

    def _known_file(self, path: str) -> Text | None:
        text = self._world.files.written.get(path)
        return text if text is not None and is_known(text.text) else None

    def _balancer_file(self) -> Text | None:
        text = self._world.files.written.get(PATH)
        vips = self._vips()
        return text if text and read_balancer(text.text, vips, list(self._nodes)).proxies else None

    def _vips(self) -> dict[str, str]:
        """Return the names of VIPs by their addresses."""
        return {
            resource.parameters["ip"]: resource.id.removeprefix("vip-")
            for resource in self._cluster.resources.values()
            if self.is_vip(resource)
        }

    def haproxy(self, resource: ReplayedResource) -> None:
        """Take the load balancer in, with the proxies that its file has."""
        if not self._is_clone(resource, "systemd:haproxy"):
            return
        text = self._balancer_file()
        if text is None:
            self._say(
                Fate.DOUBTFUL, resource.place, resource.id,
                f"{PATH} cannot be derived from the scripts: it remains a plain resource",
                "keep your haproxy.cfg, or write services: haproxy: proxies by hand",
            )  # fmt: skip
            return
        balancer = read_balancer(text.text, self._tied_vips(), list(self._nodes))
        section: dict[str, object] = {"stats": balancer.stats} if balancer.stats else {}
        section["proxies"] = balancer.proxies
        self._take("haproxy", resource, section)
        place = self._written_at(PATH, text)
        self.found.places["haproxy"].append(place)
        for what in balancer.passwords:
            self._say(
                Fate.DOUBTFUL,
                place,
                f"{PATH}: {self._world.unknowns.show(what)}",
                "a secret in clear text",
                "give it as the secret haproxy_stats (PACEFAB_SECRET_HAPROXY_STATS or --secrets)",
            )
        for what in balancer.skipped:
            shown = self._world.unknowns.show(what)
            self._say(
                Fate.UNTRANSLATED,
                place,
                f"{PATH}: {shown}",
                "this part of haproxy.cfg has no place in the service haproxy",
                "check whether it is needed",
            )

    def _written_at(self, path: str, text: Text) -> Place:
        """Return the command that writes a file; `text` itself begins in the line after it."""
        files = self._world.effects.files
        return next((file.place for file in files if file.path == path), text.place)

    def _tied_vips(self) -> dict[str, str]:
        balanced = self.is_balanced()
        return {
            address: name
            for address, name in self._vips().items()
            if not balanced or self.tied(f"vip-{name}")
        }

    def galera(self, resource: ReplayedResource) -> None:
        """Take Galera in, where it is promoted everywhere and its members are the nodes."""
        everywhere = str(len(self._nodes))
        operations = [{"interval": "0s", **operation} for operation in resource.operations]
        same = (
            resource.agent == "ocf:heartbeat:galera"
            and resource.copies == PROMOTABLE
            and resource.clone_meta == {"promoted-max": everywhere, "ordered": "true"}
            and operations == [_PROMOTE]
            and _is_plain(resource)
            and set(resource.parameters)
            <= {"enable_creation", "wsrep_cluster_address", "additional_parameters"}
        )
        section = self._galera_section(resource.parameters) if same else None
        if section is not None:
            self._take("galera", resource, section)

    def _galera_section(self, parameters: Mapping[str, str]) -> dict[str, object] | None:
        members = parameters.get("wsrep_cluster_address", "").removeprefix("gcomm://").split(",")
        section: dict[str, object] = {}
        if set(members) == set(self._nodes):
            section["members"] = "names"
        elif set(members) != set(self._nodes.values()):
            return None
        settings = _settings(parameters.get("additional_parameters", "").split())
        if settings is None:
            return None
        return {**section, "settings": settings} if settings else section


def _settings(words: Sequence[str]) -> dict[str, object] | None:
    """Return --NAME=VALUE words as settings of mysqld; None when one is of another form."""
    settings: dict[str, object] = {}
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not equals or not re.match(r"[a-z][a-z0-9_-]*$", name):
            return None
        settings[name] = int(value) if re.match(r"\d{1,15}$", value) else value
    return settings
