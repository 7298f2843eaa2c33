"""The whole way of an export: CIB and corosync.conf -> the text of an inventory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.sax.saxutils import escape

from pydantic import ValidationError

from pacefab.cli.inventory import ClusterInventory
from pacefab.errors import RefusedError
from pacefab.export.comparison import lost
from pacefab.export.constraints import constraints
from pacefab.export.corosync import corosync
from pacefab.export.draft import ExportDraft, NotSaid, Section, Source, bare
from pacefab.export.objects import objects
from pacefab.export.recognition import service_parts, services
from pacefab.export.remotes import guests, off_remotes, remotes
from pacefab.export.resources import resources
from pacefab.export.settings import all_ids, cluster_name, defaults, nodes, properties
from pacefab.export.text import render_inventory
from pacefab.export.words import Sets
from pacefab.inventory.configuration import desired_configuration
from pacefab.inventory.document import Path, parse
from pacefab.inventory.mistakes import find_mistakes
from pacefab.inventory.references import contradictions
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.metadata import complete_configuration
from pacefab.pacemaker.naming import is_secret
from pacefab.pacemaker.placement.remote import CONNECTION
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.workflows.rollout.desired import merge

SECTIONS: tuple[Section, ...] = (
    cluster_name,
    nodes,
    corosync,
    services,
    remotes,
    resources,
    guests,
    off_remotes,
    properties,
    defaults,
    objects,
    constraints,
)
"""What is asked once each, in this order; the inventory has its own order."""
_ORDER = ("cluster", "nodes", "other_nodes", "corosync", "properties", "unlisted_properties",
          "property_sets", "defaults",
          "unlisted_defaults", "default_sets", "operation_defaults",
          "unlisted_operation_defaults", "operation_default_sets", "fencing", "services",
          "templates", "bundles", "groups", "resources", "constraints", "alerts", "acls",
          "tags")  # fmt: skip
_PAIR = re.compile(r'<nvpair\b[^>]*\bname="([^"]*)"[^>]*>')
_VALUE = re.compile(r' value="[^"]*"')
_MOST = 20  # times that a draft is read again: what goes may be named by what stays


@dataclass
class Exported:
    """An inventory as text, and read; `unsaid` is all that it does not say."""

    text: str
    inventory: ClusterInventory
    unsaid: list[NotSaid] = field(default_factory=list)
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
    draft = ExportDraft(Sets(frozenset(all_ids(source)), values), values)
    for section in SECTIONS:
        section(source, draft)
    known = [key for key in _ORDER if key in draft.data]
    draft.data = {key: draft.data[key] for key in (*known, *(draft.data.keys() - set(known)))}
    inventory = _accepted(draft)
    rendered = None
    try:
        rendered = _rendered(source, inventory, values)
        draft.unsaid += _lost(source.cib, rendered, draft)
    except RefusedError as error:
        draft.unsaid.append(NotSaid(error.attempted, error.seen, "plan would refuse it"))
    draft.unsaid = [replace(each, xml=_masked(each.xml, values)) for each in draft.unsaid]
    text = render_inventory(draft, header)
    names = tuple(sorted({*values, *draft.secrets}))
    return Exported(text, inventory, draft.unsaid, names, rendered)


def _masked(xml: str, values: Mapping[str, str]) -> str:
    """Return XML without values of secrets, known ones and those by their names."""
    for value in sorted(filter(None, values.values()), key=len, reverse=True):
        xml = xml.replace(escape(value, {'"': "&quot;"}), "(secret)").replace(value, "(secret)")
    return _PAIR.sub(
        lambda p: _VALUE.sub(' value="(secret)"', p[0]) if is_secret(p[1]) else p[0], xml
    )


def _accepted(draft: ExportDraft) -> ClusterInventory:
    """Return the draft as read back; parts that the reader refuses go out, and are named."""
    for _ in range(_MOST):
        read, found = _read(render_inventory(draft, ""))
        if read is not None and not found:
            return read
        parts = {_removable(path): text for path, text in found if path}
        if not parts:
            break
        for path in sorted(parts, key=_last_first):
            _take_out(draft, path, parts[path])
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


def _removable(path: Path) -> Path:
    return path[: _DEEP.get(str(path[0]), 2)]


def _last_first(path: Path) -> tuple[str, int]:
    """Of a list the last entries go first: the others keep their places."""
    numbers = [part for part in path if isinstance(part, int)]
    return "/".join(str(part) for part in path if isinstance(part, str)), -sum(numbers)


def _take_out(draft: ExportDraft, path: Path, text: str) -> None:
    """Take the part of a path out of the draft, and name it with the XML that it came from."""
    above: list[Any] = [draft.data]
    try:
        for key in path[:-1]:
            above.append(above[-1][key])
        here = above[-1]
        may = path[0] == "constraints" or path[:2] == ("fencing", "levels")
        if may and "no such" in text and "absent" not in here[path[-1]]:
            here[path[-1]]["absent"] = True
            return
        gone = here.pop(path[-1])
    except (KeyError, IndexError, TypeError):
        return
    draft.moved_up(path)
    for depth in range(len(path) - 1, 0, -1):  # a section without an entry is none
        if not above[depth]:
            above[depth - 1].pop(path[depth - 1])
    draft.unsaid.append(NotSaid(".".join(map(str, path)), draft.xml_of(gone), text))


def _rendered(source: Source, inventory: ClusterInventory, values: dict[str, str]) -> Cib:
    own = desired_configuration(inventory, values.__getitem__)
    known = {n: found for n, found in source.metadata.items() if n == CONNECTION}
    beside = len(inventory.members) < len(inventory.nodes)
    parts = service_parts(source, inventory.sections, beside_remotes=beside)
    empty = bare(source.cib)
    desired = merge([*parts, complete_configuration(own, known)])
    return render_configuration(empty, plan_configuration(empty, desired))


def _lost(cib: Cib, rendered: Cib, draft: ExportDraft) -> Iterator[NotSaid]:
    """Yield what is not as it was, besides what is named already."""
    named = {" ".join(unsaid.xml.split()) for unsaid in draft.unsaid}
    gone, added = lost(cib.root, rendered.root)
    for each in gone:
        if each.xml not in named:
            yield NotSaid(each.where, each.xml, "it would not be as it is")
    for each in added:
        yield NotSaid(each.where, each.xml, "it would be added")
