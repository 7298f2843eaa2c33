"""What a node's services need besides Pacemaker, and what is written and not in force. Pure.

From facts that a look at the services brought; nothing is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from pacefab.errors import PacefabError
from pacefab.host.model import HostFacts
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.ownership import runners
from pacefab.services import registry
from pacefab.services.memcached import memcached
from pacefab.services.service import DesiredNode, Site
from pacefab.workflows.nodes.in_force import find_overruled, find_pending, other_ways, share

_DEPLOY = "fab deploy sets it right"
_MEMCACHED = memcached.RESOURCE


def reasons(site: Site) -> list[str]:
    """Return what is not as the services of a site need it: helpers, settings of the kernel."""
    return [reason for node in site.facts for reason in _reasons(site, node)]


def notices(site: Site, cib: Cib, chosen: Collection[str] | None = None) -> list[str]:
    """Return the settings that are written and not in force, or will not be after a boot.

    Each once for all its nodes; of the services of `chosen` alone, where it is given.
    """
    pending, overruled = {}, dict[str, list[str]]()
    sections = {n: s for n, s in site.sections.items() if chosen is None or n in chosen}
    for node, facts in site.facts.items():
        own = {name: section for name, section in sections.items() if site.has(name, node)}
        every = [_running(own, facts), *_described(site, node, sections)]
        pending[node] = [item for part in every for item in find_pending(facts, part)]
        for part in () if site.recognised else every:
            for said in find_overruled(facts, part):
                overruled.setdefault(said, []).append(node)
    waiting = share(pending, other_ways(sections, runners(cib)))
    boots = (f"{said} ({', '.join(dict.fromkeys(where))})" for said, where in overruled.items())
    return [*map(str, waiting), *boots]


def _reasons(site: Site, node: str) -> Iterator[str]:
    facts = site.facts[node]
    for desired in _described(site, node, site.sections):
        for name in desired.helpers:
            unit = facts.unit(name)
            if unit.load == "loaded" and not unit.running:
                yield f"{name} does not run on {node} ({unit.active}): {_DEPLOY}"
        if not site.recognised:  # a load balancer that others set up may not need them
            yield from _kernel(node, facts.kernel, desired.kernel)


def _kernel(node: str, now: Mapping[str, str], desired: Mapping[str, str]) -> Iterator[str]:
    for name, value in desired.items():
        if now.get(name, value) != value:
            yield f"{name} is {now[name]}, not {value}, on {node}: {_DEPLOY}"


def _described(site: Site, node: str, names: Iterable[str]) -> Iterator[DesiredNode]:
    """Yield what the services need of a node; texts of files, and secrets in them, do not count.

    A service that cannot be described is left to the plan, which says why. What runs of memcached
    is compared with its file, not with the inventory: only what is written can be pending.
    """
    without_secrets = replace(site, secret=lambda _: "unknown")
    for name in names:
        if name == _MEMCACHED or not site.has(name, node):
            continue
        try:
            desired = registry.service(name).node(
                site.sections[name], without_secrets.of(name), node
            )
        except PacefabError:
            continue
        yield desired


def _running(names: Collection[str], facts: HostFacts) -> DesiredNode:
    if _MEMCACHED not in names:
        return DesiredNode()
    try:
        settings = memcached.effective_settings(facts)
    except PacefabError:
        return DesiredNode()
    return DesiredNode(units=(memcached.UNIT,), processes=(memcached.process(facts, settings),))
