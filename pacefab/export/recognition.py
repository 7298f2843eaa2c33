"""Which services make exactly what is there: those are written in their own words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pacefab.cli.inventory import ClusterInventory
from pacefab.errors import PacefabError
from pacefab.export.draft import ExportDraft, Source
from pacefab.export.settings import as_read
from pacefab.pacemaker.compare import differences, meaning
from pacefab.pacemaker.configuration import read_constraint, read_resource
from pacefab.pacemaker.metadata import complete_configuration
from pacefab.pacemaker.model import Configuration
from pacefab.services import registry
from pacefab.services.service import Site

_VIP = "vip-"


def services(source: Source, draft: ExportDraft) -> None:
    """Write each service whose resources and constraints are there as it makes them.

    Only where nodes were asked which operations their agents advise: without that none is exact.
    """
    if source.plain or not source.metadata or source.membership is None:
        return
    there = {
        str(e.get("id")): noun
        for e in source.cib.all_resources
        if (noun := read_resource(e, source.cib.secrets)) is not None
    }
    constraints = {
        str(meaning(constraint)): str(e.get("id"))
        for e in source.cib.all_constraints
        if (constraint := read_constraint(e)) is not None
    }
    sections: dict[str, Any] = {}
    for name, data in _candidates(source):
        made = _made(source, name, {**sections, name: data})
        if made is None or not made.resources or name in sections:
            continue
        whole = all(
            r.id in there and type(there[r.id]) is type(r) and not differences(there[r.id], r)
            for r in made.resources
        )
        named = [str(meaning(each)) for each in made.constraints]
        if whole and all(said in constraints for said in named):
            sections[name] = data
            draft.taken |= {r.id for r in made.resources} | {constraints[said] for said in named}
    if sections:
        draft.data["services"] = sections
        for name in sections:
            draft.places["services", name] = f"{source.place}: its resources are as {name} has them"


def service_part(source: Source, name: str, inventory: ClusterInventory) -> Configuration | None:
    """Return what a service of an inventory makes on the cluster."""
    return _part(source, name, inventory.sections)


def _made(source: Source, name: str, sections: Mapping[str, Any]) -> Configuration | None:
    """Return what a service makes of its settings; None where it cannot be with them."""
    try:
        read = {
            key: registry.service(key).section.model_validate(as_read(data))
            for key, data in sections.items()
        }
    except ValueError:
        return None
    return _part(source, name, read)


def _part(source: Source, name: str, read: Mapping[str, Any]) -> Configuration | None:
    if source.membership is None:
        return None
    try:
        site = Site(source.membership, {}, read, lambda _: "")
        part = registry.service(name).configuration(read[name], site)
    except (PacefabError, ValueError, LookupError):
        return None
    return complete_configuration(part, source.metadata)


def _candidates(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the settings with which services might make what is there."""
    for name in registry.names():
        if name != "vips" and registry.service(name).default is not None:
            yield name, {}
    vips = [
        {"name": str(e.get("id")).removeprefix(_VIP), "address": ip}
        for e in source.cib.resources.iter("primitive")
        if str(e.get("id")).startswith(_VIP) and (ip := source.cib.parameters(e).get("ip"))
    ]
    for with_load_balancer in (True, False):
        options = {"with_load_balancer": True} if with_load_balancer else {}
        if vips:
            yield "vips", {**options, "addresses": vips}
