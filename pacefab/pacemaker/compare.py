"""Two objects with one id -> their differences, by meaning and not by spelling. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Colocation,
    Constraint,
    Difference,
    Further,
    Group,
    GroupClone,
    Location,
    Operation,
    Order,
    OwnTerms,
    Primitive,
    Resource,
    Setting,
    Template,
)
from pacefab.pacemaker.naming import is_secret, secret_names
from pacefab.pacemaker.nouns.piece import Piece, is_mark, same_pieces, without_usual


def same_sets(present: tuple[Piece, ...], desired: tuple[Piece, ...]) -> bool:
    """Whether further sets are as desired; a plain one that is first and has no score is none."""
    if not any(map(is_mark, present)):  # there is none yet, or nothing is left in it
        desired = tuple(p for p in desired if not is_mark(p))
    usual = [without_usual(sets) for sets in (present, desired)]
    ids = frozenset[str]().union(*(p.ids for p in desired if is_mark(p)))
    there = frozenset[str]().union(*(p.ids for p in present)) if ids else ids
    return same_pieces(usual[0], usual[1]) and ids <= there


def _further(
    where: str, present: Further, desired: Further, hidden: Collection[str] = ()
) -> Iterator[Difference]:
    """Return the differences of further sets, of those kinds that something is said of.

    `hidden` are the names of parameters that are secrets.
    """
    for kind, sets in desired.items():
        if not same_sets(present.get(kind, ()), sets):
            both = (present.get(kind, ()), sets)
            said = [" ".join(shown(piece, hidden) for piece in each) for each in both]
            if said[0] == said[1]:
                yield _renamed(f"{where} {kind}", *both)
            else:
                yield Difference(f"{where} {kind}", said[0] or None, said[1] or None)


def _renamed(where: str, present: tuple[Piece, ...], desired: tuple[Piece, ...]) -> Difference:
    """Return the difference of sets that say the same, with other ids."""
    before, after = (frozenset[str]().union(*(p.ids for p in each)) for each in (present, desired))
    gone, new = (" ".join(sorted(ids)) for ids in (before - after, after - before))
    return Difference(f"{where} ids", gone or None, new or None)


def shown(piece: Piece, hidden: Collection[str] = ()) -> str:
    """Return what a piece says, without values of secrets; `hidden`: their names besides."""
    children = tuple(_masked(child, hidden) for child in piece.children)
    return replace(piece, children=children).meaning


def _masked(child: Piece, hidden: Collection[str]) -> Piece:
    name = child.attributes.get("name", "")
    if child.tag == "nvpair" and (is_secret(name) or name in hidden):
        return replace(child, attributes={**child.attributes, "value": "(secret)"})
    return child


def _others(
    where: str, present: Mapping[str, str], desired: Mapping[str, str]
) -> Iterator[Difference]:
    for name, value in desired.items():
        if present.get(name) != value:
            yield Difference(f"{where} {name}", present.get(name), value)


def differences(present: Resource, desired: Resource) -> tuple[Difference, ...]:
    """Return what makes a resource another than the desired one; both are of one type."""
    return () if present == desired else tuple(_resource(present, desired))


def _resource(present: Resource, desired: Resource) -> Iterator[Difference]:
    if isinstance(present, Primitive) and isinstance(desired, Primitive):
        yield from _primitive(present, desired)
        return
    if isinstance(present, Template) and isinstance(desired, Template):
        yield from _primitive(present.primitive, desired.primitive)
        return
    yield from options(f"{desired.id} meta", _meta(present), _meta(desired))
    if isinstance(desired, _Holder) and isinstance(present, _Holder):
        yield from _further(desired.id, present.further, desired.further)
        yield from _others(desired.id, present.others, desired.others)
    if isinstance(present, GroupClone) and isinstance(desired, GroupClone):
        yield from _resource(present.group, desired.group)
    if isinstance(present, Bundle) and isinstance(desired, Bundle):
        yield from _bundle(present, desired)
    if isinstance(present, Clone) and isinstance(desired, Clone):
        yield from _primitive(present.primitive, desired.primitive)
    if isinstance(present, Group) and isinstance(desired, Group):
        yield from _members(present, desired)


_Holder = Group | Clone | GroupClone | Bundle


def _bundle(present: Bundle, desired: Bundle) -> Iterator[Difference]:
    said = [" ".join(sorted(p.meaning for p in each.parts)) for each in (present, desired)]
    if said[0] != said[1]:
        yield Difference(f"{desired.id} containers", said[0], said[1])
    if present.primitive and desired.primitive:
        yield from _primitive(present.primitive, desired.primitive)
    elif present.primitive or desired.primitive:
        ids = [each.primitive.id if each.primitive else None for each in (present, desired)]
        yield Difference(f"{desired.id} member", ids[0], ids[1])


def _meta(resource: Resource) -> Mapping[str, str]:
    """Return meta attributes in today's words: a clone's masters are promoted ones."""
    if not isinstance(resource, Clone | GroupClone):
        return resource.meta
    names = {"master-max": "promoted-max", "master-node-max": "promoted-node-max"}
    return {names.get(name, name): value for name, value in resource.meta.items()}


def _members(present: Group, desired: Group) -> Iterator[Difference]:
    before = {primitive.id: primitive for primitive in present.primitives}
    after = {primitive.id: primitive for primitive in desired.primitives}
    if list(before) != list(after):
        yield Difference(f"{desired.id} members", " ".join(before), " ".join(after))
    for name, primitive in after.items():
        if name in before:
            yield from _primitive(before[name], primitive)


def _primitive(present: Primitive, desired: Primitive) -> Iterator[Difference]:
    yield from options(f"{desired.id} meta", present.meta, desired.meta)
    yield from _parameters(present, desired)
    hidden = secret_names(present, desired)
    yield from _further(desired.id, present.further, desired.further, hidden)
    others = {"template": desired.template} if desired.template else {}
    own = {"template": present.template, **present.others}
    yield from _others(desired.id, own, {**others, **desired.others})
    before = {key(op): terms(op) for op in present.operations}
    after = {key(op): terms(op) for op in desired.operations}
    yield from _mapping(f"{desired.id} operation", before, after)


def _parameters(present: Primitive, desired: Primitive) -> Iterator[Difference]:
    """Return the differences of the parameters; of secret ones only that there is one."""
    if present.parameters == desired.parameters:
        return
    hidden = secret_names(present, desired)
    where = f"{desired.id} parameter"
    for difference in _mapping(where, present.parameters, desired.parameters):
        secret = difference.where.removeprefix(f"{where} ") in hidden
        yield masked(difference) if secret else difference


def setting_difference(present: Setting | None, desired: Setting | None) -> Difference:
    """Return how a setting changes; of one that is a secret by its name, only that it does."""
    setting = desired or present
    if setting is None:
        raise ValueError("a setting that neither is nor is desired")
    said = [_said(each) if each else None for each in (present, desired)]
    found = Difference(setting.id, said[0], said[1])
    return masked(found) if is_secret(setting.name) else found


def _said(setting: Setting) -> str:
    """Return a setting's value; of sets what they say without secrets."""
    return " ".join(map(shown, setting.pieces)) if setting.pieces else setting.value


def masked(difference: Difference) -> Difference:
    """Return a difference of secrets: that there is one, and no value."""
    present = None if difference.present is None else "(secret)"
    desired = None if difference.desired is None else "(another secret)"
    return Difference(difference.where, present, desired)


def key(op: Operation) -> str:
    """Operations are identified by name and interval, as Pacemaker does it."""
    if "id-ref" in op.others:
        return f"id-ref={op.others['id-ref']}"
    return f"{op.name} interval={_seconds(op.interval)}"


def terms(op: Operation) -> str:
    """Everything else of an operation, in one spelling, wherever the noun has a set."""
    found = {"timeout": _seconds(op.timeout), **op.others, **op.parameters}
    sets = list(op.further)
    own = [] if op.parameters else [each for each in sets if _is_own(each)]
    for each in own[:1]:
        sets.remove(each)
        values = [(c.attributes["name"], c.attributes["value"]) for c in each.children]
        found |= dict(reversed(values))  # of two of one name Pacemaker takes the first
    said = [f"{name}={value}" for name, value in sorted(found.items()) if value]
    return " ".join([*said, *sorted(map(shown, sets))])


def _is_own(piece: Piece) -> bool:
    """Whether a set is one that an operation has the pairs of: values, and nothing besides."""
    return (
        piece.tag == "instance_attributes"
        and not piece.attributes
        and all(child.attributes.keys() == {"name", "value"} for child in piece.children)
    )


def meaning(constraint: Constraint) -> dict[str, str]:
    """Return what a constraint says, defaults spelled out; its id says nothing.

    Two constraints of one meaning are one. Defaults are those of Pacemaker Explained; pcs writes
    the role Started for none where the other side has one.
    """
    if isinstance(constraint, Order):
        kind = constraint.kind or "Mandatory"
        symmetrical = "false" if kind == "Serialize" else "true"
        options_ = {"symmetrical": symmetrical, "require-all": "true", **constraint.options}
        return {"first": constraint.first, "first-action": constraint.first_action or "start",
                "then": constraint.then, "then-action": constraint.then_action or "start",
                "kind": kind, **{k: v.lower() for k, v in options_.items()}}  # fmt: skip
    if isinstance(constraint, Colocation):
        return {"resource": constraint.resource, "role": constraint.role or "Started",
                "with": constraint.with_resource, "with-role": constraint.with_role or "Started",
                "score": _score(constraint.score)}  # fmt: skip
    if isinstance(constraint, OwnTerms):
        return {str(constraint.piece.tag): _scored(constraint.piece).meaning}
    return _place(constraint)


def _scored(piece: Piece) -> Piece:
    """Return a colocation with its score: one that has none has 0, and is of no effect."""
    if piece.tag != "rsc_colocation":
        return piece
    return replace(piece, attributes={"score": "0", **piece.attributes})


def _place(location: Location) -> dict[str, str]:
    return {
        "of": location.resource,
        "score": _score(location.score),
        "node": location.node,
        "rule": f"{location.attribute} {location.operation} {location.value}".strip(),
        "resource-discovery": location.resource_discovery or "always",
    }


def constraint_differences(present: Constraint, desired: Constraint) -> tuple[Difference, ...]:
    """Return in what two constraints of one id differ."""
    return tuple(_mapping(desired.id, meaning(present), meaning(desired)))


def same_value(present: str | None, desired: str | None) -> bool:
    """Whether two values of an option of Pacemaker's own come to the same."""
    if present is None or desired is None:
        return present is desired
    return _plain(present) == _plain(desired)


def options(
    where: str, present: Mapping[str, str], desired: Mapping[str, str]
) -> Iterator[Difference]:
    """Return the differences between two sets of Pacemaker's own options.

    An agent's parameters are compared to the letter: only the agent knows what they mean.
    """
    for name in sorted({**present, **desired}):
        if not same_value(present.get(name), desired.get(name)):
            yield Difference(f"{where} {name}", present.get(name), desired.get(name))


def _plain(value: str) -> str:
    lower = value.lower()
    if lower in {"true", "on", "yes", "y"}:
        return "true"
    if lower in {"false", "off", "no", "n"}:
        return "false"
    return _seconds(_score(value))


def _score(text: str) -> str:
    """Return a score in one spelling; infinity is one million (Pacemaker Explained)."""
    return {"+infinity": "INFINITY", "1000000": "INFINITY", "-1000000": "-INFINITY"}.get(
        text.lower(), text
    )


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
    where: str, present: Mapping[str, str], desired: Mapping[str, str]
) -> Iterator[Difference]:
    for name in sorted({**present, **desired}):
        if present.get(name) != desired.get(name):
            yield Difference(f"{where} {name}", present.get(name), desired.get(name))
