"""What the scripts made against what a live cluster has: the difference, object by object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pacefab.pacemaker.compare import differences, meaning, same_value
from pacefab.pacemaker.configuration import map_primitives
from pacefab.pacemaker.model import (
    Clone,
    Colocation,
    Configuration,
    Constraint,
    Location,
    Operation,
    Order,
    Primitive,
    Resource,
    primitives,
)

# What Pacemaker and pcs write of their own.
_NOT_OF_SCRIPTS = {"cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog",
                   "last-lrm-refresh"}  # fmt: skip


def compare(scripts: Configuration, live: Configuration) -> list[str]:
    """Return a line for each object that differs; none when the cluster is as the scripts say."""
    live = _of_today(live)
    return [
        *_settings("property", scripts.properties, live.properties),
        *_settings("resource default", scripts.defaults, live.defaults),
        *_attributes(scripts.attributes, live.attributes),
        *_resources(scripts.resources, live.resources),
        *_constraints(scripts.constraints, live.constraints),
    ]


def _settings(kind: str, desired: Mapping[str, str], present: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*desired, *present} - _NOT_OF_SCRIPTS):
        want, have = desired.get(name), present.get(name)
        if not same_value(have, want):
            desired_text, found = want or "nothing", have or "nothing"
            yield f"{kind} {name}: the scripts say {desired_text}, the cluster {found}"


def _attributes(
    desired: Mapping[str, Mapping[str, str]], present: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    for node in sorted({*desired, *present}):
        yield from _settings(f"attribute of {node}", desired.get(node, {}), present.get(node, {}))


def _resources(desired: tuple[Resource, ...], present: tuple[Resource, ...]) -> Iterator[str]:
    there = {resource.id: resource for resource in present}
    for want in desired:
        have = there.pop(want.id, None)
        if have is None:
            yield f"resource {want.id}: the cluster does not have it"
        elif type(have) is not type(want) or _agents(have) != _agents(want):
            agents = ", ".join(_agents(have))
            yield f"resource {want.id}: in the cluster it is of another kind: {agents}"
        else:
            yield from (
                f"resource {difference}" for difference in differences(have, _completed(want, have))
            )
    yield from (f"resource {name}: no script creates it" for name in there)


def _agents(resource: Resource) -> list[str]:
    return [primitive.agent for primitive in primitives(resource)]


def _completed(want: Resource, have: Resource) -> Resource:
    """Return a resource with the operations that pcs took from the agent, as they are there."""
    present = {primitive.id: primitive for primitive in primitives(have)}
    return map_primitives(lambda primitive: _filled(primitive, present), want)


def _filled(want: Primitive, present: Mapping[str, Primitive]) -> Primitive:
    have = present.get(want.id)
    if have is None:
        return want
    named = {operation.name for operation in want.operations}
    others = [operation for operation in have.operations if operation.name not in named]
    ours = [_with_times(operation, have.operations) for operation in want.operations]
    return replace(want, operations=(*ours, *others))


def _with_times(want: Operation, present: tuple[Operation, ...]) -> Operation:
    """Return an operation with the timeout that the cluster has where the scripts give none."""
    same = [operation for operation in present if operation.name == want.name]
    if want.timeout or len(same) != 1:
        return want
    return replace(want, timeout=same[0].timeout)


def _constraints(desired: tuple[Constraint, ...], present: tuple[Constraint, ...]) -> Iterator[str]:
    want = {_described(constraint): constraint for constraint in desired}
    have = {_described(constraint): constraint for constraint in present}
    yield from (f"{line}: the cluster does not have it" for line in want if line not in have)
    yield from (f"{line}: no script creates it" for line in have if line not in want)


def _described(constraint: Constraint) -> str:
    """Return a constraint as a line: two of one meaning give the same."""
    kind = type(constraint).__name__.lower()
    defaults = {"start", "Started", "Mandatory", "always"}
    said = [f"{key}={value}" for key, value in meaning(constraint).items()
            if value and value not in defaults]  # fmt: skip
    return f"{kind} {' '.join(said)}"


def _of_today(live: Configuration) -> Configuration:
    """Return a configuration with clones called NAME-clone, also those once called NAME-master."""
    names = {resource.id: f"{resource.primitive.id}-clone" for resource in live.resources
             if isinstance(resource, Clone)}  # fmt: skip
    resources = tuple(
        replace(resource, id=names[resource.id]) if isinstance(resource, Clone) else resource
        for resource in live.resources
    )
    constraints = tuple(_renamed(constraint, names) for constraint in live.constraints)
    return replace(live, resources=resources, constraints=constraints)


def _renamed(constraint: Constraint, names: Mapping[str, str]) -> Constraint:
    if isinstance(constraint, Order):
        return replace(
            constraint,
            first=names.get(constraint.first, constraint.first),
            then=names.get(constraint.then, constraint.then),
        )
    if isinstance(constraint, Colocation):
        with_resource = names.get(constraint.with_resource, constraint.with_resource)
        return replace(constraint, resource=names.get(constraint.resource, constraint.resource),
                       with_resource=with_resource)  # fmt: skip
    assert isinstance(constraint, Location)  # noqa: S101  # there are three kinds
    return replace(constraint, resource=names.get(constraint.resource, constraint.resource))
