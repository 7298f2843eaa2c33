"""Constraints, by their kind."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from pacefab.export.draft import ExportDraft, Source, made
from pacefab.export.settings import as_read, first_line
from pacefab.export.words import Unsayable, field_kind, fitting, scalar, words
from pacefab.inventory.constraints import (
    ColocationEntry,
    ConstraintEntry,
    LocationEntry,
    OrderEntry,
    TicketEntry,
)
from pacefab.inventory.own_terms import Lifetime, Rule, SetOfResources
from pacefab.pacemaker.configuration import read_constraint
from pacefab.pacemaker.model import Colocation, Constraint, Location, Order, OwnTerms, role_of
from pacefab.pacemaker.naming import constraint_id

Data = dict[str, Any]
_ENTRIES: dict[str, type[ConstraintEntry]] = {
    "order": OrderEntry,
    "colocation": ColocationEntry,
    "location": LocationEntry,
    "ticket": TicketEntry,
}
_NAMES = {"rsc": "resource", "with-rsc": "with_resource", "rsc-role": "role",
          "with-rsc-role": "with_role", "rsc-pattern": "pattern"}  # fmt: skip
# What pcs and crm_resource write to move something: an operator's, not a configuration's.
_CLI = ("cli-ban-", "cli-prefer-")


def constraints(source: Source, draft: ExportDraft) -> None:
    """Write every constraint; those of `pcs resource move` and `ban` too, which say so."""
    for element in source.cib.all_constraints:
        kind = str(element.tag).removeprefix("rsc_")
        if element.get("id") in draft.taken:
            continue
        noun = read_constraint(element)
        if noun is None or kind not in _ENTRIES:
            draft.leave(element)
            continue
        try:
            said = _entry(noun, kind, draft)
            _ENTRIES[kind].model_validate(as_read(said))
        except (Unsayable, ValidationError) as error:
            draft.leave(element, first_line(error))
            continue
        listed = draft.data.setdefault("constraints", {}).setdefault(kind, [])
        if str(element.get("id")).startswith(_CLI):
            place = "constraints", kind, len(listed)
            draft.places[place] = "made by pcs resource move or ban; pcs resource clear ends it"
        listed.append(said)
        draft.came_from(said, element)


def _entry(noun: Constraint, kind: str, draft: ExportDraft) -> Data:
    if isinstance(noun, OwnTerms):
        said = _own_terms(noun, kind, draft)
    elif isinstance(noun, Order):
        said = _order(noun)
    elif isinstance(noun, Colocation):
        said = made({"resource": noun.resource, "with": noun.with_resource, "role": noun.role,
                     "with_role": noun.with_role})  # fmt: skip
        said |= _score(noun.score)
    else:
        said = _location(noun)
    usual = noun.id == constraint_id(noun) and noun.id not in draft.sets.kept
    return said if usual else {**said, "id": noun.id}


def _order(noun: Order) -> Data:
    said: Data = {"first": noun.first, "then": noun.then}
    for key, action in (("first_action", noun.first_action), ("then_action", noun.then_action)):
        if action != "start":
            said[key] = action
    if noun.kind:
        said["kind"] = noun.kind
    for name, text in noun.options.items():
        said[name.replace("-", "_")] = _fit(OrderEntry, name.replace("-", "_"), text)
    return said


def _location(noun: Location) -> Data:
    said = made(
        {
            "resource": noun.resource,
            "node": noun.node,
            "attribute": noun.attribute,
            "operation": noun.operation,
        }
    )
    if noun.attribute and noun.operation not in {"defined", "not_defined"}:
        said["value"] = scalar(noun.value)
    discovery = made({"resource_discovery": noun.resource_discovery})
    return {**said, **_score(noun.score), **discovery}


def _score(text: str) -> Data:
    return {} if text == "INFINITY" else {"score": scalar(text)}


def _own_terms(noun: OwnTerms, kind: str, draft: ExportDraft) -> Data:
    entry, said = _ENTRIES[kind], {}
    for name, text in noun.piece.attributes.items():
        key = _NAMES.get(name, name.replace("-", "_"))
        said["with" if key == "with_resource" else key] = _fit(entry, key, text)
    for child in noun.piece.children:
        if child.tag == "resource_set":
            said.setdefault("sets", []).append(words(SetOfResources, child, draft.sets.kept))
        elif child.tag == "rule" and kind == "location":
            said.setdefault("rules", []).append(words(Rule, child, draft.sets.kept))
        elif child.tag == "lifetime":
            said["lifetime"] = words(Lifetime, child, draft.sets.kept)
        else:
            raise Unsayable(f"{kind} has a {child.tag}")
    if kind == "colocation" and not {"sets", "score"} & said.keys():
        said["score"] = 0  # Pacemaker's default, which is not the inventory's
    return said


def _fit(entry: type[ConstraintEntry], key: str, text: str) -> Any:
    field = entry.model_fields.get(key)
    text = role_of(text) if key.endswith("role") else text
    fit = fitting(field_kind(field), text) if field else None
    if fit is None:
        raise Unsayable(f"{key} {text!r}")
    return fit
