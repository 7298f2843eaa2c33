"""What is desired of a cluster, given what its nodes are: the start of the one flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from pacefab.host.model import HostFacts, Program
from pacefab.pacemaker import metadata
from pacefab.pacemaker.configuration import map_primitives
from pacefab.pacemaker.corosync.plan import CorosyncSettings
from pacefab.pacemaker.fencing.sbd import SbdSettings
from pacefab.pacemaker.model import (
    Configuration,
    Member,
    Membership,
    Primitive,
)
from pacefab.pacemaker.ownership import desired_runner
from pacefab.pacemaker.placement.remote import ServicePlace, kept_to_members
from pacefab.services import agents, registry, sbd
from pacefab.services.probes.probe import Probe
from pacefab.services.service import DesiredNode, Look, Port, Service, Site

NodeValues = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Intent:
    """What is desired, of every service or of those named.

    `sections` are the services' settings in the inventory's order, all of them: one service's
    description may look at another's. `chosen` are those to act on.
    """

    membership: Membership
    sections: Mapping[str, Any]
    chosen: tuple[str, ...]
    base: Configuration  # what no service describes: properties, defaults, fencing, others' own
    secret: Callable[[str], str]
    recognised: bool = False  # no inventory gave the settings; see `Site`
    beside_remotes: bool = False  # there are remote nodes, which services are to keep off
    places: Mapping[str, ServicePlace] = field(default_factory=dict)  # of services that have one
    corosync: CorosyncSettings | None = None  # None: corosync.conf is as it is
    sbd: SbdSettings | None = None  # None: it is as it is

    def only(self, service: str) -> Intent:
        """Return what is desired of one service alone."""
        return replace(self, chosen=(service,), base=Configuration(), corosync=None, sbd=None)

    def among(self, known: Membership | None, facts: Mapping[str, HostFacts]) -> Intent:
        """Return the intent for the nodes of the cluster, if there is one, and those to join it.

        Of its members the cluster itself knows the addresses; a node that is still to join has the
        inventory's, else its only one.
        """
        whole = known or Membership(self.membership.cluster, ())
        joining = (
            _addressed(member, facts)
            for member in self.membership.members
            if member.name not in whole.names and (known is None or member.name in facts)
        )
        membership = replace(whole, members=(*whole.members, *joining))
        places = {
            name: replace(place, nodes=located(place, membership, facts).members)
            for name, place in self.places.items()
        }
        return replace(self, membership=membership, places=places)

    def look(self) -> Look:
        """Return what to look at on every node."""
        services = registry.look({name: self.sections[name] for name in self.chosen})
        own = sbd.LOOK if self.sbd else Look()
        return replace(
            services,
            packages=_union((services.packages, self._packages, own.packages)),
            units=_union((services.units, own.units)),
            files=_union((services.files, own.files)),
            programs=_union((self._programs, services.programs)),
            agents=self._agents(),
            remotes=tuple(self._remotes),
        )

    @property
    def _remotes(self) -> dict[str, Member]:
        """The remote nodes on which services are to run."""
        every = chain.from_iterable(place.nodes for place in self.places.values())
        return {node.name: node for node in every if node.name not in self.membership.names}

    @property
    def addresses(self) -> list[str]:
        """The addresses that the cluster's hosts use: those of members, and of such remote nodes.

        To be read of an intent `among` nodes.
        """
        hosts = (*self.membership.members, *self._remotes.values())
        return [address for host in hosts for address in host.addresses]

    @property
    def _packages(self) -> tuple[str, ...]:
        return self.corosync.packages if self.corosync else ()

    @property
    def _programs(self) -> tuple[Program, ...]:
        called = agents.programs(self.base)
        return sbd.brought(called) if self.sbd else called

    def _agents(self) -> tuple[str, ...]:
        """Return the agents that are probably used; which are is known with the nodes' facts."""
        services = [service for service, _ in self._services()]
        units = (f"systemd:{u.removesuffix('.service')}" for s in services for u in s.units[:1])
        return _union(
            (metadata.agents(self.base), (s.agents[0] for s in services if s.agents), units)
        )

    def secrets(self) -> tuple[str, ...]:
        """Return the names of the secrets that the services need."""
        return _union(service.secrets(section) for service, section in self._services())

    def site(
        self,
        facts: Mapping[str, HostFacts],
        placed: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> Site:
        """Return what descriptions may know, nodes' facts included.

        `placed` says where Pacemaker is to run what, by primitive; not given: on every node.
        """
        clones = {name: registry.service(name).promoted for name in self.sections}
        promoted = {name: clone for name, clone in clones.items() if clone}
        cluster = self.membership.cluster
        return Site(
            self.membership,
            facts,
            self.sections,
            self.secret,
            placed,
            self.recognised,
            promoted,
            {name: Membership(cluster, place.nodes) for name, place in self.places.items()},
        )

    def node(self, site: Site, name: str) -> DesiredNode:
        """Return what all services, and agents of the rest, need on one node.

        Errors of the descriptions.
        """
        services = [(s, section) for s, section in self._services() if site.has(s.name, name)]
        desired = [
            service.node(section, site.of(service.name), name) for service, section in services
        ]
        if name not in self._remotes:
            links = tuple(Port(n, "udp") for n in (self.corosync.ports if self.corosync else ()))
            rest = DesiredNode(packages=self._packages, programs=self._programs, ports=links)
            watched = [sbd.node(self.sbd, site.facts[name])] if self.sbd else []
            desired = [rest, *watched, *desired]
        return DesiredNode(
            packages=_union(own.packages for own in desired),
            files=_union(own.files for own in desired),
            units=_union(own.units for own in desired),
            helpers=_union(own.helpers for own in desired),
            at_boot=_union(own.at_boot for own in desired),
            ports=_union(own.ports for own in desired),
            processes=_union(own.processes for own in desired),
            remarks=_union(own.remarks for own in desired),
            programs=_union(own.programs for own in desired),
            at_start=_union(own.at_start for own in desired),
            booleans=_union(own.booleans for own in desired),
            labelled=_union(own.labelled for own in desired),
            kernel={name: to for own in desired for name, to in own.kernel.items()},
        )

    def configuration(self, site: Site) -> Configuration:
        """Return what is desired of the CIB, services in the inventory's order, then the rest."""
        parts = [
            self._placed(service.name, service.configuration(section, site.of(service.name)))
            for service, section in self._services()
        ]
        return merge([*(_named(part, site.facts) for part in parts), self.base])

    def probes(self, site: Site) -> tuple[Probe, ...]:
        """Return the questions that show whether the services serve."""
        every = (s.probes(section, site.of(s.name)) for s, section in self._services())
        return tuple(chain.from_iterable(every))

    def _placed(self, service: str, part: Configuration) -> Configuration:
        """Return a service's part as it is to run where it has its place, or on members alone.

        A clone would run everywhere.
        """
        place = self.places.get(service)
        if place is not None:
            kept = [one for resource in part.resources for one in place.constraints(resource)]
        elif self.beside_remotes:
            kept = list(map(kept_to_members, part.resources))
        else:
            return part
        return replace(part, constraints=(*part.constraints, *kept))

    def _services(self) -> list[tuple[Service[Any], Any]]:
        return [(registry.service(name), self.sections[name]) for name in self.chosen]


def located(
    place: ServicePlace, membership: Membership, facts: Mapping[str, HostFacts]
) -> Membership:
    """Return the nodes of a place with the addresses that are known of them.

    Of members the cluster knows them, of others the inventory, else they have only one.
    """
    known = {member.name: member for member in membership.members}
    nodes = (known.get(node.name) or _addressed(node, facts) for node in place.nodes)
    return replace(membership, members=tuple(nodes))


def _addressed(member: Member, facts: Mapping[str, HostFacts]) -> Member:
    own = facts[member.name].addresses if member.name in facts else ()
    return member if member.addresses or len(own) != 1 else replace(member, addresses=own)


def _named(part: Configuration, facts: Mapping[str, HostFacts]) -> Configuration:
    """Return a service's part; its units are run by every name that a node has for them."""

    def named(primitive: Primitive) -> Primitive:
        units = desired_runner(primitive).units
        every = {name for f in facts.values() for unit in units for name in f.unit(unit).names}
        return replace(primitive, runs=(*primitive.runs, *sorted(every - units)))

    return replace(part, resources=tuple(map_primitives(named, each) for each in part.resources))


def merge(parts: Iterable[Configuration]) -> Configuration:
    """Return one configuration of several; of two values for one key the later one stands."""
    whole = Configuration()
    for part in parts:
        whole = replace(
            whole,
            properties={**whole.properties, **part.properties},
            defaults={**whole.defaults, **part.defaults},
            operation_defaults={**whole.operation_defaults, **part.operation_defaults},
            attributes=_by_node(whole.attributes, part.attributes),
            utilization=_by_node(whole.utilization, part.utilization),
            sets={**whole.sets, **part.sets},
            node_sets={**whole.node_sets, **part.node_sets},
            objects=(*whole.objects, *part.objects),
            resources=(*whole.resources, *part.resources),
            constraints=(*whole.constraints, *part.constraints),
            notes={**whole.notes, **part.notes},
        )
    return whole


def _by_node(whole: NodeValues, part: NodeValues) -> NodeValues:
    return {n: {**whole.get(n, {}), **part.get(n, {})} for n in {**whole, **part}}


def _union(parts: Iterable[Iterable[Any]]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))
