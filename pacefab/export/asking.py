"""What a live cluster's nodes show of the services that its CIB may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from pacefab.export.draft import Source
from pacefab.export.recognition import candidates, recognise
from pacefab.services import registry
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.workflows.nodes.view import Reach, observe_members


def with_nodes(source: Source, hosts: Mapping[str, Host], limit: int, reach: Reach) -> Source:
    """Return the source with what its nodes are, where the CIB may have a service.

    All nodes are asked at once, one round trip each; once more where their files say that there is
    more to look at. Those that do not answer are left out.

    Raises:
        PacefabError: none answered, or the hosts are of different clusters.
    """
    look = registry.look(candidates(source.cib))
    if source.membership is None or not candidates(source.cib):
        return source
    while True:
        found = replace(source, facts=observe_members(hosts, look, limit, reach).member_facts)
        shown = recognise(found, source.membership).shown
        whole = _both(look, registry.look(shown.sections))
        if whole == look:
            return found
        look = whole


def _both(one: Look, other: Look) -> Look:
    names = [field.name for field in fields(Look)]
    pairs = {name: (*getattr(one, name), *getattr(other, name)) for name in names}
    return Look(**{name: tuple(dict.fromkeys(both)) for name, both in pairs.items()})
