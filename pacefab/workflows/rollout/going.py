"""What of a service is to go when it is removed: its resources, and what it has on nodes."""

from __future__ import annotations

from dataclasses import replace

from pacefab.errors import PacefabError
from pacefab.pacemaker.configuration import read_resource
from pacefab.pacemaker.model import Configuration
from pacefab.services import registry
from pacefab.services.service import Look, Port
from pacefab.workflows.nodes.purge import Purge
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.desired import Intent


def desired(intent: Intent, seen: ClusterView) -> Configuration:
    """Return what the service would make; where that cannot be said now, what it is called."""
    try:
        return intent.configuration(intent.site(seen.facts))
    except PacefabError:
        (name,) = intent.chosen
        ids = registry.service(name).ids(intent.sections[name])
        elements = (seen.cib.element(i) for i in ids)
        there = (read_resource(element) for element in elements if element is not None)
        return Configuration(resources=tuple(resource for resource in there if resource))


def purge(look: Look, intent: Intent, seen: ClusterView, *, firewall: bool) -> Purge:
    """Return what is to go from nodes: not what other services of the intent's sections need."""
    (name,) = intent.chosen
    service = registry.service(name)
    others = registry.look({n: s for n, s in intent.sections.items() if n != name})
    kept = (*others.packages, *others.files, *others.kernel, *service.shared)
    own = [a for member in seen.membership.members for a in member.addresses]
    rest = replace(intent, chosen=tuple(n for n in intent.sections if n != name))
    ports = _ports(intent, seen) - _ports(rest, seen)
    ordered = sorted(ports, key=lambda port: (port.number, port.protocol))
    return Purge(look, kept, service.data, ordered, own if firewall else ())


def _ports(intent: Intent, seen: ClusterView) -> set[Port]:
    """Return the ports that services have open, as far as that can be said."""
    site, found = intent.site(seen.facts), set()
    for service in intent.chosen:
        described = registry.service(service).node
        for name in seen.facts:
            try:
                found |= set(described(intent.sections[service], site, name).ports)
            except PacefabError:
                continue
    return found
