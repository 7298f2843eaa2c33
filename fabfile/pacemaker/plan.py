"""Wanted and present -> what would have to change, each with its reason. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from fabfile.errors import RefusedError
from fabfile.pacemaker.cib import Cib
from fabfile.pacemaker.model import Clone, Difference, Operation, Primitive


class Action(StrEnum):
    """What a change does to one resource of the CIB."""

    NONE = "none"
    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"


@dataclass(frozen=True)
class Change:
    """What is to be done to one clone; with `NONE` there is nothing to do."""

    action: Action
    clone: Clone
    differences: tuple[Difference, ...] = ()


def plan_clone(cib: Cib, wanted: Clone) -> Change:
    """Return what makes the CIB hold `wanted`.

    Raises:
        RefusedError: the ids belong to something else, or another resource has the same agent's
            unit (two resources on one unit stop each other's process).
    """
    _check_ids(cib, wanted)
    primitive = cib.element(wanted.primitive.id)
    if primitive is None:
        _check_agent(cib, wanted)
        return Change(Action.ADD, wanted)
    present = cib.clone(wanted.id)
    if present is None:
        uncloned = Difference("clone", None, wanted.id)
        return Change(Action.UPDATE, wanted, (uncloned,))
    differences = tuple(_compare(present, wanted))
    return Change(Action.UPDATE if differences else Action.NONE, wanted, differences)


def plan_removal(cib: Cib, clone: Clone) -> Change:
    """Return what takes the clone out.

    Raises:
        RefusedError: the ids belong to something else.
    """
    _check_ids(cib, clone)
    there = any(cib.element(i) is not None for i in (clone.id, clone.primitive.id))
    return Change(Action.REMOVE if there else Action.NONE, clone)


def _check_ids(cib: Cib, wanted: Clone) -> None:
    attempted = f"look for the resource {wanted.primitive.id}"
    advice = f"see it with: pcs resource config; it is not {wanted.primitive.agent}, so we leave it"
    element = cib.element(wanted.primitive.id)
    if element is not None:
        found = next((p.agent for p in cib.primitives_of(wanted.primitive.agent)
                      if p.id == wanted.primitive.id), None)  # fmt: skip
        if element.tag != "primitive" or found is None:
            raise RefusedError(attempted, f"that id is {_describe(element)}", advice)
        parent = element.getparent()
        if parent is not None and parent.tag != "resources" and parent.get("id") != wanted.id:
            inside = f"it is inside {_describe(parent)}"
            raise RefusedError(attempted, inside, "take it out there by hand, then run again")
    container = cib.element(wanted.id)
    if container is not None and (cib.clone(wanted.id) is None or element is None):
        raise RefusedError(attempted, f"the id {wanted.id} is {_describe(container)}", advice)


def _check_agent(cib: Cib, wanted: Clone) -> None:
    others = cib.primitives_of(wanted.primitive.agent)
    if others:
        raise RefusedError(
            f"create the resource {wanted.primitive.id}",
            f"{wanted.primitive.agent} is already managed by the resource {others[0].id}",
            "two resources on one unit fight each other: keep that one, or remove it first",
        )


def _describe(element: etree._Element) -> str:
    agent = ":".join(filter(None, (element.get(key) for key in ("class", "provider", "type"))))
    said = f"a {element.tag} {element.get('id')}"
    if agent:
        return f"{said} of {agent}"
    inner = [_describe(one) for one in element.iter("primitive")]
    return f"{said} around {', '.join(inner)}" if inner else said


def _compare(present: Clone, wanted: Clone) -> Iterator[Difference]:
    yield from _mapping(f"{wanted.id} meta", present.meta, wanted.meta)
    yield from _primitive(present.primitive, wanted.primitive)


def _primitive(present: Primitive, wanted: Primitive) -> Iterator[Difference]:
    yield from _mapping(f"{wanted.id} meta", present.meta, wanted.meta)
    yield from _mapping(f"{wanted.id} parameter", present.parameters, wanted.parameters)
    had = {_key(op): _terms(op) for op in present.operations}
    want = {_key(op): _terms(op) for op in wanted.operations}
    yield from _mapping(f"{wanted.id} operation", had, want)


def _key(op: Operation) -> str:
    """Operations are told apart by name and interval, as Pacemaker does it."""
    return f"{op.name} interval={_seconds(op.interval)}"


def _terms(op: Operation) -> str:
    terms = {"timeout": _seconds(op.timeout), **op.others}
    return " ".join(f"{key}={value}" for key, value in sorted(terms.items()) if value)


_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 0.001, "msec": 0.001, "us": 1e-6, "usec": 1e-6,
          "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}  # fmt: skip
_TIME = re.compile(r"\s*(\d+)\s*([a-z]*)\s*")


def _seconds(text: str) -> str:
    """Return a time of Pacemaker's in one spelling: 60, 60s and 1m are the same (seconds)."""
    found = _TIME.fullmatch(text.lower())
    if not found or found[2] not in _UNITS:
        return text
    return f"{int(found[1]) * _UNITS[found[2]]:g}s"


def _mapping(
    where: str, present: Mapping[str, str], wanted: Mapping[str, str]
) -> Iterator[Difference]:
    for key in sorted({**present, **wanted}):
        if present.get(key) != wanted.get(key):
            yield Difference(f"{where} {key}", present.get(key), wanted.get(key))
