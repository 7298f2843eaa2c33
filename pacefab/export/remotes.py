"""Remote and guest nodes, where a role makes exactly what is there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from lxml import etree
from pydantic import ValidationError

from pacefab.addresses import is_address
from pacefab.export.comparison import referred_ids, says_same
from pacefab.export.draft import ExportDraft, Source, bare
from pacefab.export.resources import primitive_entry
from pacefab.export.settings import as_read, first_line
from pacefab.export.words import Unsayable
from pacefab.inventory.configuration import connection
from pacefab.inventory.nodes import Connection, Node
from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.compare import differences, meaning
from pacefab.pacemaker.configuration import read_constraint, read_primitive, read_resource
from pacefab.pacemaker.metadata import complete, complete_configuration
from pacefab.pacemaker.model import Configuration
from pacefab.pacemaker.placement.remote import CONNECTION, kept_to_members
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration

Data = dict[str, Any]
_OPTIONS = {"server", "port", "reconnect_interval"}
_GIVES_UP = 0  # what Pacemaker does without a reconnect_interval: after a few attempts
_USUAL = str(Connection().reconnect_interval)


def remotes(source: Source, draft: ExportDraft) -> None:
    """Write each connection as a node whose role is remote, where that makes it as it is.

    The role keeps services off remote nodes too: where one has no such constraint, it says more
    than is there.
    """
    if source.plain:
        return
    for element in source.cib.primitives_of(CONNECTION):
        name = str(element.get("id"))
        try:
            node = _remote(source, draft, element)
            other = _unlike(source, element, node)
        except (Unsayable, ValidationError) as error:
            other = first_line(error)
        if other := other or _stray(source.cib, draft):
            draft.reasons[name] = f"not a node whose role is remote: {other}"
            continue
        draft.taken.add(name)
        _put(draft, node, element, f"{source.place}: the role makes {name} as it is")


def guests(source: Source, draft: ExportDraft) -> None:
    """Write each guest node whose resource is written; errors leave its attributes as they are."""
    if source.plain or _stray(source.cib, draft):
        return
    for name, element in _made(source.cib).items():
        entry = draft.data.get("resources", {}).get(element.get("id"), {})
        if entry.get("meta", {}).get("remote-node") != name or name in _ids(source.cib):
            continue
        node = {"name": name, "role": "guest"}
        try:
            Node.model_validate(as_read({**node, **_known(draft, name)}))
        except ValidationError:
            continue
        _put(draft, node, element, f"{source.place}: a guest, which {element.get('id')} makes")


def off_remotes(source: Source, draft: ExportDraft) -> None:
    """Leave out the constraints that roles and services make by themselves."""
    if any(isinstance(n, dict) and "role" in n for n in draft.data["nodes"]):
        draft.taken |= {id_ for id_ in _keeping(source.cib, draft).values() if id_}


def _put(draft: ExportDraft, node: Data, element: etree._Element, place: str) -> None:
    """Add a node with the attributes that it has, which stand among the other nodes until then."""
    entry = {**node, **_known(draft, str(node["name"]))}
    others = draft.data.get("other_nodes", {})
    others.pop(node["name"], None)
    if not others:
        draft.data.pop("other_nodes", None)
    draft.places["nodes", len(draft.data["nodes"])] = place
    draft.data["nodes"].append(entry)
    draft.came_from(entry, element)


def _known(draft: ExportDraft, name: str) -> Data:
    found: Data = draft.data.get("other_nodes", {}).get(name, {})
    return found


def _remote(source: Source, draft: ExportDraft, element: etree._Element) -> Data:
    """Return the node that a connection makes. Raises `Unsayable`, and what pydantic does."""
    noun = read_primitive(element, source.cib.secrets)
    entry = primitive_entry(source, draft, noun)
    given = dict(entry.get("parameters", {}))
    more = entry.keys() - {"agent", "parameters", "meta", "operations", "advised_operations"}
    if more or not given.keys() <= _OPTIONS:
        raise Unsayable(f"it has {', '.join(sorted({*more, *given.keys() - _OPTIONS}))}")
    known = source.metadata.get(CONNECTION)
    if known and not differences(complete(replace(noun, operations=()), known), noun):
        entry.pop("operations", None)  # those of the agent, which plan gives it
    options: Data = {"reconnect_interval": _GIVES_UP, **given}
    options |= {key: entry[key] for key in ("meta", "operations") if key in entry}
    node: Data = {"name": noun.id, "role": "remote"}
    if is_address(str(given.get("server", ""))):
        node = {"name": noun.id, "address": options.pop("server"), "role": "remote"}
    if str(options["reconnect_interval"]) == _USUAL:
        del options["reconnect_interval"]
    node |= {"connection": options} if options else {}
    Node.model_validate(as_read({**node, **_known(draft, noun.id)}))
    return node


def _unlike(source: Source, element: etree._Element, node: Data) -> str:
    """Return why a role would not make a connection as it is; empty: it would."""
    if element.getparent() is not source.cib.resources:
        return "it is not by itself"
    names = {e.get("uname") for e in source.cib.root.iterfind("configuration/nodes/node")
             if e.get("type", "") != "remote"}  # fmt: skip
    if node["name"] in names:
        return "a member has its name"
    noun = connection(Node.model_validate(as_read(node)), str)
    desired = complete_configuration(Configuration(resources=(noun,)), source.metadata)
    empty = bare(source.cib)
    made = render_configuration(empty, plan_configuration(empty, desired)).element(noun.id)
    referred = referred_ids(source.cib.configuration)
    if made is None or not says_same(element, made, referred):
        return "it would change"
    return ""


def _stray(cib: Cib, draft: ExportDraft) -> str:
    """Return which resource of a service may run on remote nodes; empty: none may."""
    stray = [name for name, id_ in _keeping(cib, draft).items() if not id_]
    return f"{stray[0]} has no constraint that keeps it off remote nodes" if stray else ""


def _keeping(cib: Cib, draft: ExportDraft) -> Mapping[str, str]:
    """Return the constraints that keep services' resources off remote nodes; empty: it has none."""
    own = [e for e in cib.resources.iterfind("*") if e.get("id") in draft.services]
    if not own:
        return {}
    there = dict(_constraints(cib))
    nouns = [noun for e in own if (noun := read_resource(e, cib.secrets)) is not None]
    return {noun.id: there.get(str(meaning(kept_to_members(noun))), "") for noun in nouns}


def _constraints(cib: Cib) -> Iterator[tuple[str, str]]:
    for element in cib.all_constraints:
        noun = read_constraint(element)
        if noun is not None:
            yield str(meaning(noun)), str(element.get("id"))


def _made(cib: Cib) -> dict[str, etree._Element]:
    """Return the primitives that make guest nodes, by these nodes' names."""
    found = {}
    for element in cib.resources.iter("primitive"):
        name = pairs(plain_set(element, "meta_attributes")).get("remote-node")
        if name:
            found[name] = element
    return found


def _ids(cib: Cib) -> set[str]:
    """Return the ids of resources, and the names of members."""
    nodes = cib.root.iterfind("configuration/nodes/node")
    members = {str(e.get("uname")) for e in nodes if e.get("type", "") != "remote"}
    return members | {str(e.get("id")) for e in cib.resources.iter() if e.get("id")}
