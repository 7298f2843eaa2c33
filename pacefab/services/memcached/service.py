"""memcached on every node, as a clone; nothing is replicated, clients know all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from pacefab.errors import CommandError
from pacefab.pacemaker.model import Configuration
from pacefab.pacemaker.ownership import find_runner
from pacefab.services.figures import Value
from pacefab.services.memcached import figures, memcached, probe
from pacefab.services.memcached.checks import checks
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.load import load
from pacefab.services.memcached.obstacle import obstacle
from pacefab.services.memcached.probe import Target
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.probes.probe import Probe, Reading
from pacefab.services.service import DesiredNode, Service, Site
from pacefab.transport.command import Section


def node(section: MemcachedSection, site: Site, name: str) -> DesiredNode:
    """Return package, configuration and unit of one node."""
    return memcached.desired_node(section.request(), site, name)


def configuration(_section: MemcachedSection, _site: Site) -> Configuration:
    """Return the clone of the classic procedure."""
    return Configuration(resources=(memcached.desired_clone(),))


def probes(section: MemcachedSection, site: Site) -> list[Probe]:
    """Have every node set and get a key at its neighbour."""
    return [
        Probe(
            f"memcached of {name} sets and gets a key at {target}",
            site.neighbour(name),
            tuple(probe.observe([target])),
            partial(_judge, target),
            resource=memcached.RESOURCE,
            of=name,
            at=str(target),
        )
        for name in site.instances(memcached.RESOURCE)
        for target in _targets(section, site, name)
    ]


def _targets(section: MemcachedSection, site: Site, name: str) -> list[Target]:
    """Return where a node's memcached should answer: one that runs, by its present settings.

    One that listens to its own node alone serves nobody: it is asked at the node's address. A node
    that could not be reached is taken to listen there too, at the port of the others.
    """
    own = site.own_address(name)
    if name in site.facts:
        settings = _settings(section, site, name)
    else:
        others = [_settings(section, site, other).port for other in site.facts]
        settings = Settings(port=next(iter(others), section.port or Settings().port))
    addresses = memcached.listen_endpoints(settings, own) or (own,)
    return [Target(name, address, settings.port, settings.barred) for address in addresses]


def _settings(section: MemcachedSection, site: Site, name: str) -> Settings:
    facts = site.facts[name]
    known = memcached.running_settings(facts)
    if known is None and site.recognised:
        known = memcached.effective_settings(facts)
    return known or memcached.desired_settings(section.request(), facts, site.membership)


def _judge(target: Target, sections: Mapping[str, Section]) -> Reading:
    place: dict[str, Value] = {"address": target.address, "port": target.port}
    try:
        answer = probe.parse([target], sections)[target]
    except CommandError as error:
        return Reading(error.seen, place)
    notices = (f"its health cannot be asked: {answer.barred}",) if answer.barred else ()
    found = figures.read(answer) if answer.stats else {}
    return Reading(answer.error, place | found, notices)


def outlook(section: MemcachedSection, site: Site, name: str) -> str:
    """Return what becomes of an instance's items when it is restarted."""
    loss = memcached.loss(section.request(), site.facts[name], site.membership)
    return f"starts empty: {loss}" if loss else "keeps its items"


# memcached throws its items away when it is started in the second in which it was stopped
# ("restart incompatible due to setting for [stop_time]", memcached 1.6.18).
_REST_SECONDS = 2.0

SERVICE = Service(
    "memcached",
    MemcachedSection,
    look=lambda section: replace(memcached.LOOK, labelled=memcached.labelled(section.port)),
    node=node,
    configuration=configuration,
    probes=probes,
    checks=checks,
    ids=lambda _: (memcached.CLONE,),
    units=(memcached.UNIT,),
    found=lambda cib: MemcachedSection() if find_runner(cib, memcached.UNIT) else None,
    figures=figures.FIGURES,
    load=load,
    outlook=outlook,
    obstacle=obstacle,
    rest_seconds=_REST_SECONDS,
)
