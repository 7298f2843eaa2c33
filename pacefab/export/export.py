"""The whole way of an export: CIB and corosync.conf -> the text of an inventory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from pydantic import ValidationError

from pacefab.cli.inventory import ClusterInventory
from pacefab.export.comparison import lost
from pacefab.export.constraints import constraints
from pacefab.export.corosync import corosync
from pacefab.export.draft import Draft, Section, Source, Unsaid
from pacefab.export.objects import objects
from pacefab.export.resources import resources
from pacefab.export.settings import all_ids, cluster_name, defaults, nodes, properties
from pacefab.export.text import render_inventory
from pacefab.export.words import Sets
from pacefab.inventory.configuration import desired_configuration
from pacefab.inventory.document import Path, parse
from pacefab.inventory.mistakes import find_mistakes
from pacefab.inventory.references import contradictions
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration

SECTIONS: tuple[Section, ...] = (
    cluster_name,
    nodes,
    corosync,
    resources,
    properties,
    defaults,
    objects,
    constraints,
)
"""What is asked once each, in this order; the inventory has its own order."""
_ORDER = ("cluster", "nodes", "corosync",
          "properties", "unlisted_properties", "property_sets", "defaults",
          "unlisted_defaults", "default_sets", "operation_defaults",
          "unlisted_operation_defaults", "operation_default_sets", "fencing", "services",
          "templates", "bundles", "groups", "resources", "constraints", "alerts", "acls",
          "tags")  # fmt: skip
_MOST = 20  # times that a draft is read again: what goes may be named by what stays


@dataclass
class Exported:
    """An inventory as text, and read; `unsaid` is all that it does not say."""

    text: str
    inventory: ClusterInventory
    unsaid: list[Unsaid] = field(default_factory=list)
    secrets: tuple[str, ...] = ()
    rendered: Cib | None = None


def export(source: Source, header: str = "") -> Exported:
    """Return the inventory of a cluster, read back and held against the cluster.

    What it makes on an empty cluster of these nodes is compared with what is there: nothing is lost
    without a word.

    Raises:
        ValueError: not even its nodes can be said.
    """
    values: dict[str, str] = {}
    draft = Draft(Sets(frozenset(all_ids(source)), values), values)
    for section in SECTIONS:
        section(source, draft)
    known = [key for key in _ORDER if key in draft.data]
    draft.data = {key: draft.data[key] for key in (*known, *(draft.data.keys() - set(known)))}
    inventory = _accepted(draft)
    rendered = _rendered(source.cib, inventory, values)
    draft.unsaid += _lost(source.cib, rendered, draft)
    text = render_inventory(draft, header)
    return Exported(text, inventory, draft.unsaid, tuple(sorted(values)), rendered)


def _accepted(draft: Draft) -> ClusterInventory:
    """Return the draft as read back; parts that the reader refuses go out, and are named."""
    for _ in range(_MOST):
        read, found = _read(render_inventory(draft, ""))
        if read is not None and not found:
            return read
        for path, text in sorted(found, key=lambda each: each[0][-1:] != (), reverse=True):
            _take_out(draft, path, text)
    raise ValueError("; ".join(text for _, text in found))


def _read(text: str) -> tuple[ClusterInventory | None, list[tuple[Path, str]]]:
    document = parse(text)
    if document.mistakes:
        return None, [(mistake.path, mistake.text) for mistake in document.mistakes]
    try:
        inventory = ClusterInventory.model_validate(document.data, context={})
    except ValidationError as error:
        mistakes = find_mistakes(error, ClusterInventory, document)
        return None, [(mistake.path, mistake.text) for mistake in mistakes]
    return inventory, list(contradictions(inventory))


_DEEP = {"constraints": 3, "resources": 2, "groups": 2, "bundles": 2, "templates": 2, "nodes": 2,
         "alerts": 2, "tags": 2, "acls": 3, "fencing": 3}  # fmt: skip


def _take_out(draft: Draft, path: Path, text: str) -> None:
    """Take the part of a path out of the draft, and name it."""
    path = path[: _DEEP.get(str(path[0]), 2)]
    here: Any = draft.data
    for key in path[:-1]:
        here = here[key] if isinstance(here, dict) else here[int(key)]
    try:
        gone = here[path[-1]]
        if isinstance(here, list):
            here[int(path[-1])] = None
        else:
            del here[str(path[-1])]
    except (KeyError, IndexError, TypeError):
        return
    if gone is not None:
        draft.unsaid.append(Unsaid(".".join(map(str, path)), str(gone), text))


def bare(cib: Cib) -> Cib:
    """Return a CIB with the nodes and the state of this one, and nothing configured."""
    root = etree.Element("cib", {str(k): str(v) for k, v in cib.root.items()})
    configuration = etree.SubElement(root, "configuration")
    etree.SubElement(configuration, "crm_config")
    nodes_ = etree.SubElement(configuration, "nodes")
    for node in cib.root.iterfind("configuration/nodes/node"):
        etree.SubElement(nodes_, "node", {str(k): str(v) for k, v in node.items()})
    etree.SubElement(configuration, "resources")
    etree.SubElement(configuration, "constraints")
    return Cib(root)


def _rendered(cib: Cib, inventory: ClusterInventory, values: dict[str, str]) -> Cib:
    desired = desired_configuration(inventory, values.__getitem__)
    empty = bare(cib)
    return render_configuration(empty, plan_configuration(empty, desired))


def _lost(cib: Cib, rendered: Cib, draft: Draft) -> Iterator[Unsaid]:
    """Yield what is not as it was, besides what is named already."""
    named = {" ".join(unsaid.xml.split()) for unsaid in draft.unsaid}
    gone, added = lost(cib.root, rendered.root)
    for each in gone:
        if each.xml not in named:
            yield Unsaid(each.where, each.xml, "it would not be as it is")
    for each in added:
        yield Unsaid(each.where, each.xml, "it would be added")
