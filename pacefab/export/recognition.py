"""Which services make exactly what is there: those are written in their own words. Pure.

Settings are read back from the CIB and from files of nodes; what the service would make of them is
compared with both. What differs stays in Pacemaker's terms, with the reason as its comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from pacefab.errors import PacefabError
from pacefab.export.comparison import referred_ids, says_same
from pacefab.export.draft import ExportDraft, Source, bare
from pacefab.export.services.clustered import read_galera, read_rabbitmq
from pacefab.export.services.haproxy import read_haproxy
from pacefab.export.services.reading import Data, ServicesShown, SettingsReader
from pacefab.export.services.small import read_memcached, read_redis
from pacefab.export.services.vips import read_vips
from pacefab.export.settings import as_read, first_line
from pacefab.export.words import Unsayable
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.compare import differences, meaning
from pacefab.pacemaker.configuration import read_constraint, read_resource
from pacefab.pacemaker.metadata import complete_configuration
from pacefab.pacemaker.model import Configuration, Membership, Resource, primitives
from pacefab.pacemaker.ownership import runners
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.services import registry
from pacefab.services.service import File, nothing_desired
from pacefab.workflows.nodes.node_plan import NodePlan, brief, plan_node

READERS: Mapping[str, SettingsReader] = {
    "vips": read_vips,
    "galera": read_galera,
    "memcached": read_memcached,
    "rabbitmq": read_rabbitmq,
    "redis": read_redis,
    "haproxy": read_haproxy,
}
"""By service, in the order in which they are read: the load balancer names VIPs. A service of
another package is taken to have its own defaults."""
_ENDS = ("rsc", "with-rsc", "first", "then")


@dataclass(frozen=True)
class Recognised:
    """Services with their settings, as data and as read; `left`: primitives of none, and why."""

    data: Mapping[str, Data]
    shown: ServicesShown
    left: Mapping[str, str]


def services(source: Source, draft: ExportDraft) -> None:
    """Write each service whose resources, constraints and files are there as it makes them."""
    if source.plain:
        return
    if source.membership is None or not source.facts:
        for name in candidates(source.cib):
            reason = f"only nodes show whether it is the service {name}: none was asked"
            own = registry.service(name).primitives(source.cib)
            draft.reasons |= dict.fromkeys(own, reason)
        return
    found = recognise(source, source.membership)
    draft.reasons |= found.left
    constraints = _constraints(source.cib)
    places = {str(e.get("id")): n for n, e in enumerate(source.cib.all_resources)}
    order: dict[str, int] = {}
    for name in found.data:
        part = _made(source, found.shown, name)
        draft.services |= {r.id for r in part.resources}
        draft.taken |= draft.services
        draft.taken |= {constraints[str(meaning(c))] for c in part.constraints}
        order[name] = min(places[r.id] for r in part.resources)
        draft.places["services", name] = _place(source, found.shown, name)
        draft.secrets += tuple(registry.service(name).secrets(found.shown.sections[name]))
    if order:
        names = sorted(order, key=order.__getitem__)
        draft.data["services"] = {name: found.data[name] for name in names}


def _place(source: Source, shown: ServicesShown, name: str) -> str:
    node = next(iter(source.facts))
    files = shown.node(name, shown.sections[name], node).files
    number = f" and {len(files)} file{'s' * (len(files) > 1)} of every node" if files else ""
    return f"{source.place}: its resources{number} are as {name} makes them"


def candidates(cib: Cib) -> dict[str, Any]:
    """Return the services that a cluster may have, with settings that say what to look at."""
    there = {n: registry.service(n) for n in registry.names()}
    found = {n: service.found(cib) for n, service in there.items() if service.primitives(cib)}
    sections = {n: there[n].default if one is None else one for n, one in found.items()}
    return {name: section for name, section in sections.items() if section is not None}


def recognise(source: Source, membership: Membership) -> Recognised:
    """Return the services that make exactly what is there, and why the rest is of none."""
    known = candidates(source.cib)
    names = [n for n in (*READERS, *(known.keys() - READERS.keys())) if n in known]
    left: dict[str, str] = {}
    while True:
        shown = ServicesShown(source.cib, membership, source.facts, {}, tuple(left))
        wrong, found = _read(shown, names)
        if not wrong:
            unlike = (_unlike(source, found.shown, name) for name in found.data)
            wrong = next(filter(None, unlike), {})
        if not wrong:
            return replace(found, left=left)
        left |= wrong


def _read(shown: ServicesShown, names: Sequence[str]) -> tuple[dict[str, str], Recognised]:
    """Return what the nodes show, and the primitives of services that they do not show."""
    data: dict[str, Data] = {}
    wrong: dict[str, str] = {}
    for name in names:
        own = shown.primitives(name)
        if not own:
            continue
        try:
            read = READERS[name](shown) if name in READERS else {}
            section = registry.service(name).section.model_validate(as_read(read))
        except (Unsayable, ValidationError, PacefabError) as error:
            wrong |= dict.fromkeys(own, f"not the service {name}: {_said(error)}")
            continue
        data[name] = read
        shown = replace(shown, sections={**shown.sections, name: section})
    return wrong, Recognised(data, shown, {})


def _said(error: Exception) -> str:
    if isinstance(error, PacefabError):
        return f"{error.attempted}: {' '.join(error.seen.split())}"
    return first_line(error)


def _made(source: Source, shown: ServicesShown, name: str) -> Configuration:
    """Return what a service makes on the cluster. Errors of the descriptions."""
    intent = shown.intent(name, shown.sections[name])
    part = intent.configuration(intent.site(source.facts))
    return complete_configuration(part, source.metadata)


def service_parts(
    source: Source, sections: Mapping[str, Any], *, beside_remotes: bool
) -> list[Configuration]:
    """Return what services of an inventory make on the cluster. Errors of the descriptions.

    `beside_remotes`: it has remote or guest nodes, which services are kept off.
    """
    if source.membership is None:
        return []
    known = source.membership, source.facts, sections
    shown = ServicesShown(source.cib, *known, beside_remotes=beside_remotes)
    return [_made(source, shown, name) for name in sections]


def _unlike(source: Source, shown: ServicesShown, name: str) -> dict[str, str]:
    """Return the primitives that are not as their service makes them, and why; empty: all are."""
    own = shown.primitives(name)
    try:
        part = _made(source, shown, name)
        wrong = dict(_other_resources(source.cib, part))
        said = _other_constraint(source.cib, part) or _other_node(source, shown, name)
    except PacefabError as error:
        wrong, said = {}, _said(error)
    else:
        made = {p.id for r in part.resources for p in primitives(r)}
        rest = [p for p in own if p not in made]
        makes = f"the service makes {', '.join(sorted(made))}"
        text = makes if name != "vips" else "it is called or tied otherwise than its VIPs"
        wrong |= dict.fromkeys(rest, text)
        if name != "vips" and wrong:  # each VIP is by itself
            said = next(iter(wrong.values()))
    if said:
        wrong = dict.fromkeys(own, said)
    return {p: f"not the service {name}: {text}" for p, text in wrong.items()}


def _other_resources(cib: Cib, part: Configuration) -> Iterator[tuple[str, str]]:
    """Yield the primitives of resources that are not in a CIB as they are desired, and why."""
    empty = bare(cib)
    rendered = render_configuration(empty, plan_configuration(empty, part))
    referred = referred_ids(cib.configuration)
    for resource in part.resources:
        there, made = cib.element(resource.id), rendered.element(resource.id)
        said = ""
        if there is None or made is None or there.getparent() is not cib.resources:
            said = f"it has no {resource.id}"
        elif not says_same(there, made, referred):
            said = _difference(read_resource(there, cib.secrets), resource)
        if said:
            yield from ((primitive.id, said) for primitive in primitives(resource))


def _difference(there: Resource | None, desired: Resource) -> str:
    """Return in what a resource is another one, in a line."""
    if there is not None and type(there) is type(desired):
        found = [str(each) for each in differences(there, desired)]
        if found:
            return f"it would change {'; '.join(found)}"
    return f"{desired.id} has more than the service gives it"


def _other_constraint(cib: Cib, part: Configuration) -> str:
    """Return which constraint is missing, or is about a primitive in place of its clone."""
    there = _constraints(cib)
    inner = {p.id for r in part.resources for p in primitives(r)} - {r.id for r in part.resources}
    for constraint in part.constraints:
        if str(meaning(constraint)) not in there:
            return f"the constraint {constraint.id} is missing"
    named = (str(e.get("id")) for e in cib.all_constraints if inner & {e.get(k) for k in _ENDS})
    found = next(named, "")
    return f"the constraint {found} is about the primitive itself" if found else ""


def _constraints(cib: Cib) -> dict[str, str]:
    """Return the ids of constraints by what they say."""
    every = ((read_constraint(e), str(e.get("id"))) for e in cib.all_constraints)
    return {str(meaning(constraint)): id_ for constraint, id_ in every if constraint is not None}


def _other_node(source: Source, shown: ServicesShown, name: str) -> str:
    """Return what a service would change on a node; files by their names alone."""
    section = shown.sections[name]
    found = list(runners(source.cib))
    managed = frozenset(unit for runner in found for unit in runner.units)
    for node in shown.membership.names:
        if registry.service(name).node is nothing_desired:
            break
        if node not in source.facts:
            return f"{node} did not answer"
        facts = source.facts[node]
        desired = shown.node(name, section, node)
        files = tuple(_without_secrets(file) for file in desired.files)
        opaque = [str(runner) for runner in found if runner.opaque]
        plan = plan_node(
            facts, replace(desired, files=files), managed=managed, opaque=opaque, firewall=None
        )
        if plan:
            return f"it would change {node}: {'; '.join(_changes(plan))}"
    return ""


def _changes(plan: NodePlan) -> list[str]:
    """Return what changes on a node; of files no line, which may hold a secret that is not ours."""
    return [line.removesuffix(" changed") if line.startswith("/") else line for line in brief(plan)]


def _without_secrets(file: File) -> File:
    """Return a file as desired with the secrets that it has now: nobody has given them here."""

    def render(text: str | None) -> str:
        desired = file.render(text)
        if text is None:
            return desired
        if file.secret or (file.hidden and _masked(file, text) == _masked(file, desired)):
            return text
        return desired

    return replace(file, render=render)


def _masked(file: File, text: str) -> str:
    return re.sub(file.hidden, "(secret)", text)
