"""What the scripts made against what a live cluster has: the difference, object by object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pacefab.pacemaker.compare import differences, meaning, same_value
from pacefab.pacemaker.model import (
    Clone,
    Colocation,
    Configuration,
    Constraint,
    Group,
    Location,
    Operation,
    Order,
    Primitive,
    Resource,
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
            said, found = want or "nothing", have or "nothing"
            yield f"{kind} {name}: the scripts say {said}, the cluster {found}"


def _attributes(
    desired: Mapping[str, Mapping[str, str]], present: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    for node in sorted({*desired, *present}):
        yield from _settings(f"attribute of {node}", desired.get(node, {}), present.get(node, {}))


def _resources(desired: tuple[Resource, ...], present: tuple[Resource, ...]) -> Iterator[str]:
    there = {one.id: one for one in present}
    for want in desired:
        have = there.pop(want.id, None)
        if have is None:
            yield f"resource {want.id}: the cluster does not have it"
        elif type(have) is not type(want) or _agents(have) != _agents(want):
            yield f"resource {want.id}: in the cluster it is another: {', '.join(_agents(have))}"
        else:
            yield from (f"resource {one}" for one in differences(have, _completed(want, have)))
    yield from (f"resource {name}: no script makes it" for name in there)


def _agents(one: Resource) -> list[str]:
    return [primitive.agent for primitive in _inside(one)]


def _inside(one: Resource) -> tuple[Primitive, ...]:
    if isinstance(one, Group):
        return one.primitives
    return (one.primitive,) if isinstance(one, Clone) else (one,)


def _completed(want: Resource, have: Resource) -> Resource:
    """Return a resource with the operations that pcs took from the agent, as they are there."""
    present = {one.id: one for one in _inside(have)}
    if isinstance(want, Group):
        return replace(want, primitives=tuple(_filled(p, present) for p in want.primitives))
    if isinstance(want, Clone):
        return replace(want, primitive=_filled(want.primitive, present))
    return _filled(want, present)


def _filled(want: Primitive, present: Mapping[str, Primitive]) -> Primitive:
    have = present.get(want.id)
    if have is None:
        return want
    named = {one.name for one in want.operations}
    others = [one for one in have.operations if one.name not in named]
    ours = [_with_times(one, have.operations) for one in want.operations]
    return replace(want, operations=(*ours, *others))


def _with_times(want: Operation, present: tuple[Operation, ...]) -> Operation:
    """Return an operation with the timeout that the cluster has where the scripts give none."""
    same = [one for one in present if one.name == want.name]
    if want.timeout or len(same) != 1:
        return want
    return replace(want, timeout=same[0].timeout)


def _constraints(desired: tuple[Constraint, ...], present: tuple[Constraint, ...]) -> Iterator[str]:
    want = {_told(one): one for one in desired}
    have = {_told(one): one for one in present}
    yield from (f"{told}: the cluster does not have it" for told in want if told not in have)
    yield from (f"{told}: no script makes it" for told in have if told not in want)


def _told(one: Constraint) -> str:
    """Return a constraint as a line: two of one meaning give the same."""
    kind = type(one).__name__.lower()
    defaults = {"start", "Started", "Mandatory", "always"}
    said = [f"{key}={value}" for key, value in meaning(one).items()
            if value and value not in defaults]  # fmt: skip
    return f"{kind} {' '.join(said)}"


def _of_today(live: Configuration) -> Configuration:
    """Return a configuration with clones called NAME-clone, also those once called NAME-master."""
    names = {one.id: f"{one.primitive.id}-clone" for one in live.resources
             if isinstance(one, Clone)}  # fmt: skip
    resources = tuple(
        replace(one, id=names[one.id]) if isinstance(one, Clone) else one for one in live.resources
    )
    constraints = tuple(_renamed(one, names) for one in live.constraints)
    return replace(live, resources=resources, constraints=constraints)


def _renamed(one: Constraint, names: Mapping[str, str]) -> Constraint:
    if isinstance(one, Order):
        return replace(
            one, first=names.get(one.first, one.first), then=names.get(one.then, one.then)
        )
    if isinstance(one, Colocation):
        with_resource = names.get(one.with_resource, one.with_resource)
        return replace(one, resource=names.get(one.resource, one.resource),
                       with_resource=with_resource)  # fmt: skip
    assert isinstance(one, Location)  # noqa: S101  # there are three kinds
    return replace(one, resource=names.get(one.resource, one.resource))
