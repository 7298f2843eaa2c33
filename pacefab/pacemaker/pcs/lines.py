"""A plan -> the pcs lines (0.10 and newer) that an operator would have typed. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace

from pacefab.pacemaker.compare import key, same_sets, terms
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
    is_true,
    primitives,
)
from pacefab.pacemaker.naming import is_secret, secret_names
from pacefab.pacemaker.pcs.limits import limits
from pacefab.pacemaker.pcs.own_terms import (
    bundle_words,
    constraint_words,
    own_id,
    set_lines,
    utilization_words,
)
from pacefab.pacemaker.pcs.rules import NotInPcs
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.sections.change import Action, Noun, ObjectChange
from pacefab.pacemaker.sections.kinds import object_lines

_NOTHING: Mapping[str, Metadata] = {}


def render_pcs(plan: ConfigurationPlan, metadata: Mapping[str, Metadata] = _NOTHING) -> list[str]:
    """Return the lines, quoted for a shell; what pcs has no command for is a comment among them.

    Pacefab's own notes are left out. With an agent's metadata, so are the operations that pcs gives
    a new resource by itself.
    """
    return [line for change in plan.changes for line in _of_change(change, metadata)]


def _of_change(change: ObjectChange, metadata: Mapping[str, Metadata]) -> Iterator[str]:
    try:
        yield from map(shlex.join, _lines(change, metadata))
        for part in limits(change.desired) if change.desired else ():
            yield f"# pcs has no command for {part} ({change.kind} {change.id})"
    except NotInPcs as reason:
        said = f"{change.action} {change.kind} {change.id}".strip()
        yield f"# pcs has no command for {reason} ({said})"


def _lines(change: ObjectChange, metadata: Mapping[str, Metadata]) -> Iterator[list[str]]:
    noun = change.desired or change.present
    if change.kind == "note":
        return
    if isinstance(noun, Setting) and change.kind.endswith(" sets"):
        yield from set_lines(_setting_of(change.present), _setting_of(change.desired))
    elif isinstance(noun, Setting):
        yield _setting(noun, "" if change.desired is None else noun.value)
    elif isinstance(noun, SectionObject):
        yield from object_lines(change)
    elif change.action is Action.REMOVE:
        yield _delete(change, noun)
    elif isinstance(noun, Template):
        raise NotInPcs("templates")
    elif isinstance(noun, Constraint):
        if change.action is Action.UPDATE:
            yield ["pcs", "constraint", "delete", change.id]
        yield _constraint(noun)
    elif noun is not None and change.action is Action.ADD:
        yield from _create(noun, metadata)
    elif noun is not None:
        yield from _update(change.present, noun, metadata)


def _setting_of(noun: Noun | None) -> Setting | None:
    return noun if isinstance(noun, Setting) else None


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
    if isinstance(resource, Bundle):
        meta = ["meta", *_pairs(resource.meta)] if resource.meta else []
        words = [resource.id, *bundle_words(resource.parts), *meta]
        yield ["pcs", "resource", "bundle", "create", *words]
    for primitive in primitives(resource):
        agent = primitive.agent.removeprefix("stonith:")
        words = ["pcs", _family(primitive), "create", primitive.id, agent]
        words += _pairs(_shown(primitive))
        words += ["meta", *_pairs(primitive.meta)] if primitive.meta else []
        words += _operations(primitive, metadata)
        yield words + _container(resource)
        if sets := primitive.further.get("utilization"):
            yield ["pcs", "resource", "utilization", primitive.id, *utilization_words(sets)]
    group = resource.group if isinstance(resource, GroupClone) else resource
    if isinstance(group, Group) and group.meta:
        yield ["pcs", "resource", "meta", group.id, *_pairs(group.meta)]
    if isinstance(resource, GroupClone):
        yield ["pcs", "resource", *_copies(resource, group.id)]


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
    if isinstance(resource, Group | GroupClone):
        return ["--group", resource.id if isinstance(resource, Group) else resource.group.id]
    if isinstance(resource, Bundle):
        return ["bundle", resource.id]
    if not isinstance(resource, Clone):
        return []
    word, _, *rest = _copies(resource, resource.primitive.id)
    return [word, *rest]


def _copies(resource: Clone | GroupClone, name: str) -> list[str]:
    """Return the words that clone what has a name."""
    promotable = is_true(resource.meta.get("promotable", ""))
    meta = {k: v for k, v in resource.meta.items() if not (promotable and k == "promotable")}
    usual = resource.id == f"{name}-clone"
    word = "promotable" if promotable else "clone"
    return [word, name, *([] if usual else [resource.id]), *_pairs(meta)]


def _update(
    present: Noun | None, desired: Resource, metadata: Mapping[str, Metadata]
) -> Iterator[list[str]]:
    if isinstance(desired, GroupClone) and isinstance(present, GroupClone):
        yield from _update(present.group, desired.group, metadata)
        if words := _assign(present.meta, desired.meta):
            yield ["pcs", "resource", "meta", desired.id, *words]
        return
    if isinstance(desired, Bundle):
        raise NotInPcs("a change of a bundle as a whole")
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
        yield ["pcs", "resource", *_copies(desired, desired.primitive.id)]
    elif isinstance(desired, Group):
        members = (member.id for member in desired.primitives)
        yield ["pcs", "resource", "group", "add", desired.id, *members]
    elif isinstance(desired, GroupClone):
        yield from _contain(desired.group)
        yield ["pcs", "resource", *_copies(desired, desired.group.id)]


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
    sets = desired.further.get("utilization", ())
    if not same_sets(present.further.get("utilization", ()), sets) and sets:
        yield ["pcs", "resource", "utilization", desired.id, *utilization_words(sets)]
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
    own = own_id(constraint)
    if isinstance(constraint, OwnTerms):
        return constraint_words(constraint)
    if isinstance(constraint, Order):
        options = {"kind": constraint.kind, **constraint.options, "id": own}
        return [*words, "order", constraint.first_action, constraint.first, "then",
                constraint.then_action, constraint.then, *_given(options)]  # fmt: skip
    if isinstance(constraint, Colocation):
        sides = [constraint.role, constraint.resource, "with", constraint.with_role,
                 constraint.with_resource]  # fmt: skip
        score = "" if constraint.score == "INFINITY" else constraint.score
        return [
            *words,
            "colocation",
            "add",
            *filter(None, sides),
            *_given({"score": score, "id": own}),
        ]
    return [*words, "location", *_location(constraint, own)]


def _location(location: Location, own: str) -> list[str]:
    discovery = _given({"resource-discovery": location.resource_discovery})
    if not location.node:
        test = [location.attribute, location.operation, location.value]
        if location.operation in {"defined", "not_defined"}:
            test = [location.operation, location.attribute]
        named = _given({"constraint-id": own})
        return [location.resource, "rule", *named, *discovery, f"score={location.score}", *test]
    if discovery or own:
        return ["add", location.id, location.resource, location.node, location.score, *discovery]
    word = "avoids" if location.score.startswith("-") else "prefers"
    return [location.resource, word, f"{location.node}={location.score.removeprefix('-')}"]


def _given(options: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items() if value]
