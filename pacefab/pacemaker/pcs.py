"""A plan -> the pcs lines (0.10 and newer) that an operator would have typed. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pacefab.pacemaker.compare import key, terms
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Colocation,
    Constraint,
    Group,
    GroupClone,
    Location,
    Operation,
    Order,
    OwnTerms,
    Primitive,
    Resource,
    SectionObject,
    Setting,
    Template,
    primitives,
)
from pacefab.pacemaker.naming import is_secret, secret_names
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.sections.change import Action, Noun, ObjectChange
from pacefab.pacemaker.sections.kinds import object_lines

_NOTHING: Mapping[str, Metadata] = {}


def render_pcs(plan: ConfigurationPlan, metadata: Mapping[str, Metadata] = _NOTHING) -> list[str]:
    """Return the lines, quoted for a shell; pcs has none for pacefab's notes and whole sections.

    Nor are there lines for what is in Pacemaker's own terms: sets with rules, bundles, templates.

    With an agent's metadata, the operations that pcs gives a new resource by itself are left out.
    """
    return [shlex.join(words) for change in plan.changes for words in _lines(change, metadata)]


def _lines(change: ObjectChange, metadata: Mapping[str, Metadata]) -> Iterator[list[str]]:
    noun = change.desired or change.present
    if change.kind == "note" or change.kind.endswith(" sets"):
        return
    if isinstance(noun, Setting):
        yield _setting(noun, "" if change.desired is None else noun.value)
    elif isinstance(noun, SectionObject):
        yield from object_lines(change)
    elif change.action is Action.REMOVE:
        yield _delete(change, noun)
    elif isinstance(noun, OwnTerms | GroupClone | Bundle | Template):
        return
    elif isinstance(noun, Order | Colocation | Location):
        if change.action is Action.UPDATE:
            yield ["pcs", "constraint", "delete", change.id]
        yield _constraint(noun)
    elif noun is not None and change.action is Action.ADD:
        yield from _create(noun, metadata)
    elif noun is not None:
        yield from _update(change.present, noun, metadata)


def _setting(setting: Setting, value: str) -> list[str]:
    said = f"{setting.name}={'(secret)' if value and is_secret(setting.name) else value}"
    if setting.kind == "node utilization":
        return ["pcs", "node", "utilization", setting.node, said]
    if setting.node:
        return ["pcs", "node", "attribute", setting.node, said]
    if setting.kind == "property":
        return ["pcs", "property", "set", said]
    if setting.kind == "operation default":
        return ["pcs", "resource", "op", "defaults", "update", said]
    return ["pcs", "resource", "defaults", "update", said]


def _delete(change: ObjectChange, noun: Noun | None) -> list[str]:
    if change.kind.endswith("constraint") or change.kind.startswith("rsc_"):
        return ["pcs", "constraint", "delete", change.id]
    return ["pcs", _family(noun), "delete", change.id]


def _family(noun: Noun | None) -> str:
    fencing = isinstance(noun, Primitive) and noun.agent.startswith("stonith:")
    return "stonith" if fencing else "resource"


def _create(resource: Resource, metadata: Mapping[str, Metadata]) -> Iterator[list[str]]:
    for primitive in primitives(resource):
        agent = primitive.agent.removeprefix("stonith:")
        words = ["pcs", _family(primitive), "create", primitive.id, agent]
        words += _pairs(_shown(primitive))
        words += ["meta", *_pairs(primitive.meta)] if primitive.meta else []
        words += _operations(primitive, metadata)
        yield words + _container(resource)
    if isinstance(resource, Group) and resource.meta:
        yield ["pcs", "resource", "meta", resource.id, *_pairs(resource.meta)]


def _operations(primitive: Primitive, metadata: Mapping[str, Metadata]) -> list[str]:
    known = metadata.get(primitive.agent)
    usual = {(key(op), terms(op)) for op in known.operations} if known else set()
    given = {op.name for op in primitive.operations if (key(op), terms(op)) not in usual}
    words: list[str] = []
    for operation in primitive.operations:
        if operation.name in given:
            words += _operation(operation)
    return ["op", *words] if words else []


def _operation(operation: Operation) -> list[str]:
    terms_ = {
        "interval": operation.interval,
        "timeout": operation.timeout,
        **operation.others,
        **operation.parameters,
    }
    return [operation.name, *(f"{name}={value}" for name, value in terms_.items() if value)]


def _container(resource: Resource) -> list[str]:
    if isinstance(resource, Group):
        return ["--group", resource.id]
    if not isinstance(resource, Clone):
        return []
    meta = dict(resource.meta)
    if resource.promotable:
        del meta["promotable"]
    usual = resource.id == f"{resource.primitive.id}-clone"
    word = "promotable" if resource.promotable else "clone"
    return [word, *([] if usual else [resource.id]), *_pairs(meta)]


def _update(
    present: Noun | None, desired: Resource, metadata: Mapping[str, Metadata]
) -> Iterator[list[str]]:
    if present is None or isinstance(
        present, Setting | Constraint | GroupClone | Bundle | Template | SectionObject
    ):
        yield from _contain(desired)
        return
    had = {primitive.id: primitive for primitive in primitives(present)}
    stay = {primitive.id: primitive for primitive in primitives(desired)}
    for name, primitive in stay.items():
        if name in had:
            yield from _update_primitive(had[name], primitive)
        else:
            yield from _create(Group(desired.id, (primitive,)), metadata)
    for name in had.keys() - stay.keys():
        yield ["pcs", "resource", "delete", name]
    if not isinstance(desired, Primitive) and (words := _assign(present.meta, desired.meta)):
        yield ["pcs", "resource", "meta", desired.id, *words]


def _contain(desired: Resource) -> Iterator[list[str]]:
    """Return the lines that put a resource that stands alone into its container."""
    if isinstance(desired, Clone):
        word, *rest = _container(desired)
        yield ["pcs", "resource", word, desired.primitive.id, *rest]
    elif isinstance(desired, Group):
        members = (member.id for member in desired.primitives)
        yield ["pcs", "resource", "group", "add", desired.id, *members]


def _update_primitive(present: Primitive, desired: Primitive) -> Iterator[list[str]]:
    known = replace(desired, hidden=secret_names(present, desired))
    words = _assign(_changed(present, known), _shown(known))
    meta = _assign(present.meta, desired.meta)
    had = {key(op): terms(op) for op in present.operations}
    changed = [op for op in desired.operations if had.get(key(op)) != terms(op)]
    words += ["op", *(word for op in changed for word in _operation(op))] if changed else []
    words += ["meta", *meta] if meta else []
    if words:
        yield ["pcs", _family(desired), "update", desired.id, *words]
    replaced = {op.name for op in changed}
    for op in _gone(present, desired):
        if op.name not in replaced:
            interval = f"interval={op.interval}"
            yield ["pcs", "resource", "op", "delete", desired.id, op.name, interval]


def _gone(present: Primitive, desired: Primitive) -> list[Operation]:
    """Return the operations that are no longer desired."""
    stay = {key(op) for op in desired.operations}
    return [op for op in present.operations if key(op) not in stay]


def _shown(primitive: Primitive) -> dict[str, str]:
    """Return the parameters, a word in place of each secret."""
    hidden = secret_names(primitive)
    return {k: "(secret)" if k in hidden else v for k, v in primitive.parameters.items()}


def _changed(present: Primitive, desired: Primitive) -> dict[str, str]:
    """Return the present parameters, those that are secret and stay in the same word."""
    same = {k for k, v in desired.parameters.items() if present.parameters.get(k) == v}
    hidden = desired.hidden & same
    return {k: "(secret)" if k in hidden else v for k, v in present.parameters.items()}


def _assign(present: Mapping[str, str], desired: Mapping[str, str]) -> list[str]:
    """Return name=value for what has to be set, and name= for what has to go."""
    names = [name for name in {**desired, **present} if present.get(name) != desired.get(name)]
    return [f"{name}={desired.get(name, '')}" for name in names]


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in values.items()]


def _constraint(constraint: Constraint) -> list[str]:
    words = ["pcs", "constraint"]
    if isinstance(constraint, Order):
        options = {"kind": constraint.kind, **constraint.options}
        return [*words, "order", constraint.first_action, constraint.first, "then",
                constraint.then_action, constraint.then, *_given(options)]  # fmt: skip
    if isinstance(constraint, Colocation):
        sides = [constraint.role, constraint.resource, "with", constraint.with_role,
                 constraint.with_resource]  # fmt: skip
        score = "" if constraint.score == "INFINITY" else constraint.score
        return [*words, "colocation", "add", *filter(None, sides), *_given({"score": score})]
    return [*words, "location", *_location(constraint)] if isinstance(constraint, Location) else []


def _location(location: Location) -> list[str]:
    discovery = _given({"resource-discovery": location.resource_discovery})
    if not location.node:
        test = [location.attribute, location.operation, location.value]
        if location.operation in {"defined", "not_defined"}:
            test = [location.operation, location.attribute]
        return [location.resource, "rule", *discovery, f"score={location.score}", *test]
    if discovery:
        return ["add", location.id, location.resource, location.node, location.score, *discovery]
    word = "avoids" if location.score.startswith("-") else "prefers"
    return [location.resource, word, f"{location.node}={location.score.removeprefix('-')}"]


def _given(options: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items() if value]
