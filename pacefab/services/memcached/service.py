"""memcached on every node, as a clone; nothing is replicated, clients know all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from pacefab.errors import CommandError
from pacefab.pacemaker.model import Configuration
from pacefab.services.memcached import memcached, probe
from pacefab.services.memcached.probe import Target
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.service import DesiredNode, Probe, Reading, Service, Site
from pacefab.transport.command import Section


def node(section: MemcachedSection, site: Site, name: str) -> DesiredNode:
    """Return package, configuration and unit of one node."""
    return memcached.desired_node(section.request(), site, name)


def configuration(_section: MemcachedSection, _site: Site) -> Configuration:
    """Return the clone of the classic procedure."""
    return Configuration(resources=(memcached.desired_clone(),))


def probes(section: MemcachedSection, site: Site) -> list[Probe]:
    """Have every node set and get a key at its neighbour."""
    nodes = [name for name in site.membership.names if name in site.facts]
    neighbours = [*nodes[1:], *nodes[:1]]
    return [
        Probe(
            f"memcached of {name} sets and gets a key at {target}",
            asker,
            tuple(probe.observe([target])),
            partial(_judge, target),
            resource=memcached.RESOURCE,
            of=name,
        )
        for name, asker in zip(nodes, neighbours, strict=True)
        for target in _targets(section, site, name)
    ]


def _targets(section: MemcachedSection, site: Site, name: str) -> list[Target]:
    """Return where a node's memcached answers: one that runs already, by its present settings."""
    facts = site.facts[name]
    settings = memcached.running_settings(facts) or memcached.desired_settings(
        section.request(), facts, site.membership
    )
    addresses = memcached.listen_endpoints(settings, site.own_address(name))
    return [Target(name, address, settings.port, settings.barred) for address in addresses]


def _judge(target: Target, sections: Mapping[str, Section]) -> Reading:
    try:
        return Reading(probe.parse([target], sections)[target].error)
    except CommandError as error:
        return Reading(error.seen)


SERVICE = Service(
    "memcached",
    MemcachedSection,
    look=lambda _: memcached.LOOK,
    node=node,
    configuration=configuration,
    probes=probes,
    ids=lambda _: (memcached.CLONE,),
)
