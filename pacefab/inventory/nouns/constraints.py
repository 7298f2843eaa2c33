"""The section `constraints` -> nouns: simple ones, and those in Pacemaker's own terms. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pacefab.inventory.constraints import (
    ColocationEntry,
    ConstraintEntry,
    Constraints,
    LocationEntry,
    OrderEntry,
    TicketEntry,
)
from pacefab.inventory.own_terms import piece_of
from pacefab.pacemaker.model import Colocation, Constraint, Location, Order, OwnTerms
from pacefab.pacemaker.nouns.piece import Piece


def constraint_nouns(constraints: Constraints) -> Iterator[Constraint]:
    """Yield what is desired of constraints, kind by kind."""
    yield from map(_order, constraints.order)
    yield from map(_colocation, constraints.colocation)
    yield from map(_location, constraints.location)
    yield from map(_ticket, constraints.ticket)


def _order(entry: OrderEntry) -> Constraint:
    options = _given({"symmetrical": entry.symmetrical, "require-all": entry.require_all})
    if entry.first is None or entry.then is None or entry.lifetime:
        actions = {"first-action": entry.first_action, "then-action": entry.then_action}
        pair = {"first": entry.first, "then": entry.then, **(actions if entry.first else {})}
        return _own("rsc_order", {**pair, "kind": entry.kind, **options}, entry)
    return Order(
        entry.first,
        entry.then,
        entry.first_action,
        entry.then_action,
        entry.kind or "",
        options,
        entry.id or "",
    )


def _colocation(entry: ColocationEntry) -> Constraint:
    others = (entry.influence, entry.node_attribute, entry.lifetime)
    if entry.resource is None or entry.with_resource is None or others != (None, None, None):
        scored = not entry.sets or "score" in entry.model_fields_set
        return _own(
            "rsc_colocation",
            {
                "rsc": entry.resource,
                "with-rsc": entry.with_resource,
                "score": entry.score if scored else None,
                "rsc-role": entry.role,
                "with-rsc-role": entry.with_role,
                "influence": entry.influence,
                "node-attribute": entry.node_attribute,
            },
            entry,
        )
    return Colocation(
        entry.resource,
        entry.with_resource,
        entry.score,
        entry.role or "",
        entry.with_role or "",
        entry.id or "",
    )


def _location(entry: LocationEntry) -> Constraint:
    simple = entry.resource is not None and not entry.rules and entry.role is None
    if simple and not entry.lifetime:
        return Location(
            entry.resource or "",
            entry.score,
            node=entry.node or "",
            attribute=entry.attribute or "",
            operation=entry.operation or "",
            value=entry.value or "",
            resource_discovery=entry.resource_discovery or "",
            id=entry.id or "",
        )
    attributes = {
        "rsc": entry.resource,
        "rsc-pattern": entry.pattern,
        "node": entry.node,
        "role": entry.role,
        "score": entry.score if entry.node else None,
        "resource-discovery": entry.resource_discovery,
    }
    rules = [piece_of(rule) for rule in entry.rules]
    if entry.attribute:
        test = {"attribute": entry.attribute, "operation": entry.operation, "value": entry.value}
        rules = [Piece("rule", {"score": entry.score}, (Piece("expression", _given(test)),))]
    return _own("rsc_location", attributes, entry, rules)


def _ticket(entry: TicketEntry) -> OwnTerms:
    attributes = {
        "ticket": entry.ticket,
        "rsc": entry.resource,
        "rsc-role": entry.role,
        "loss-policy": entry.loss_policy,
    }
    return _own("rsc_ticket", attributes, entry)


def _own(
    tag: str,
    attributes: Mapping[str, str | None],
    entry: ConstraintEntry,
    rules: list[Piece] | None = None,
) -> OwnTerms:
    children = [*map(piece_of, entry.sets), *(rules or [])]
    children += [piece_of(entry.lifetime)] if entry.lifetime else []
    return OwnTerms(Piece(tag, _given(attributes), tuple(children)), entry.id or "")


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
