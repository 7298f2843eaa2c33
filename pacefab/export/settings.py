"""The cluster's name, its nodes, properties and defaults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lxml import etree
from pydantic import ValidationError

from pacefab.export.draft import ExportDraft, Source, made
from pacefab.export.words import Unsayable, scalar
from pacefab.inventory.nodes import Node
from pacefab.inventory.pacemaker_options import (
    CLONE_META,
    OPERATION_DEFAULTS,
    PROPERTIES,
    RESOURCE_META,
)
from pacefab.pacemaker.cib import pairs, plain_set
from pacefab.pacemaker.configuration import (
    default_set,
    property_set,
    read_configuration,
    read_node_sets,
)

# What Pacemaker and pcs write themselves: it is not configured, and says nothing of a cluster.
VOLATILE = frozenset({"last-lrm-refresh", "dc-version", "have-watchdog", "cluster-infrastructure",
                      "cluster-name"})  # fmt: skip
_ELEMENTS = {
    "attributes": "instance_attributes",
    "utilization": "utilization",
    "attribute_sets": "instance_attributes",
    "utilization_sets": "utilization",
}
_MEMBERS = {"", "member", "normal"}


def cluster_name(source: Source, draft: ExportDraft) -> None:
    """Write the name that corosync has, else that which Pacemaker has noted."""
    known = source.membership.cluster if source.membership else ""
    known = known or pairs(property_set(source.cib)).get("cluster-name", "")
    name = re.sub(r"[^A-Za-z0-9_-]", "-", known).lstrip("-")[:32]
    draft.data["cluster"] = name or "cluster"
    draft.places["cluster",] = "corosync.conf" if source.corosync else source.place
    if known and name != known:
        draft.say("cluster name", known, f"written as {name}: only letters, digits, - and _ fit")


def nodes(source: Source, draft: ExportDraft) -> None:
    """Write the nodes of the CIB, with their addresses where corosync.conf has them."""
    known = source.membership
    addresses = {m.name: m.addresses for m in known.members} if known else {}
    written: list[Any] = []
    for element in source.cib.root.iterfind("configuration/nodes/node"):
        if element.get("type", "") not in _MEMBERS:
            _other_node(element, draft)
            continue
        name = element.get("uname", "")
        said = _node(element, draft, addresses.get(name, ()))
        if said is not None:
            draft.places["nodes", len(written)] = "corosync.conf" if name in addresses else ""
            written.append(said if len(said) > 1 else name)
    there = {n if isinstance(n, str) else n["name"] for n in written}
    for name, rings in addresses.items():  # of a CIB that has no nodes yet
        if name not in there:
            written.append({"name": name, "address": rings[0]} if rings else name)
    draft.data["nodes"] = written


def _other_node(element: etree._Element, draft: ExportDraft) -> None:
    """Write what a node has that a resource makes: one that has nothing follows from it."""
    said = _node(element, draft, ()) if any(len(child) for child in element) else None
    if said is not None:
        draft.data.setdefault("other_nodes", {})[said.pop("name")] = said


def _node(
    element: etree._Element, draft: ExportDraft, addresses: tuple[str, ...]
) -> dict[str, Any] | None:
    """Return a node; of one whose attributes or utilization cannot be said the rest. None: none."""
    plain = pairs(plain_set(element, "instance_attributes"))
    values = pairs(plain_set(element, "utilization"))
    sets = read_node_sets(element)
    name = element.get("uname", "")
    said: dict[str, Any] = made({"name": name, "address": addresses[0] if addresses else ""})
    parts: dict[str, Callable[[], Any]] = {
        "attributes": lambda: plain,
        "utilization": lambda: {key: scalar(value) for key, value in values.items()},
        "attribute_sets": lambda: draft.sets.list(sets["node attribute sets"], name),
        "utilization_sets": lambda: draft.sets.list(sets["node utilization sets"], name),
    }
    try:
        Node.model_validate(as_read(said))
    except ValidationError as error:
        draft.leave(element, first_line(error))
        return None
    for key, part in parts.items():
        try:
            whole = made({**said, key: part()})
            Node.model_validate(as_read(whole))
        except (Unsayable, ValidationError) as error:
            for left in element.iterfind(_ELEMENTS[key]):
                draft.leave(left, f"of node {name}: {first_line(error)}")
        else:
            said = whole
    return said


def properties(source: Source, draft: ExportDraft) -> None:
    """Write the cluster's properties; that fencing is enabled follows from its section."""
    found = pairs(property_set(source.cib))
    own = {name: text for name, text in found.items() if name not in {*VOLATILE, *draft.taken}}
    _options(draft, "properties", own, PROPERTIES, source)


def defaults(source: Source, draft: ExportDraft) -> None:
    """Write the defaults of resources and of operations, and further sets of all of these."""
    kinds = {**RESOURCE_META, **CLONE_META}
    found = pairs(default_set(source.cib, "rsc_defaults"))
    _options(draft, "defaults", found, kinds, source)
    found = pairs(default_set(source.cib, "op_defaults"))
    _options(draft, "operation_defaults", found, OPERATION_DEFAULTS, source)
    keys = {
        "property sets": "property_sets",
        "resource default sets": "default_sets",
        "operation default sets": "operation_default_sets",
    }
    for kind, sets in read_configuration(source.cib).sets.items():
        try:
            said = draft.sets.list(sets, "cluster")
        except Unsayable as error:
            draft.say(kind, " ".join(piece.meaning for piece in sets), str(error))
            continue
        if said:
            draft.data[keys[kind]] = said
            draft.places[keys[kind],] = source.place


def _options(
    draft: ExportDraft,
    section: str,
    values: Mapping[str, str],
    kinds: Mapping[str, Any],
    source: Source,
) -> None:
    listed, unlisted = draft.sets.options(values, kinds)
    for key, found in ((section, listed), (f"unlisted_{section}", unlisted)):
        if found:
            draft.data[key] = found
            draft.places[key,] = source.place


def as_read(value: Any) -> Any:
    """Return plain data as the inventory's reader would hand it over: sequences are tuples."""
    if isinstance(value, dict):
        return {key: as_read(item) for key, item in value.items()}
    return tuple(map(as_read, value)) if isinstance(value, list) else value


def first_line(error: Exception) -> str:
    """Return what is wrong, without the value itself, which may be a secret."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    return str(error)


def all_ids(source: Source) -> Iterator[str]:
    """Yield the ids that something in the CIB refers to."""
    for element in source.cib.configuration.iter():
        if reference := element.get("id-ref"):
            yield str(reference)
