"""The replayed cluster in Pacemaker's nouns, to be compared with a CIB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pacefab.legacy.masking import is_secret
from pacefab.legacy.pcs.cluster import (
    CLONE,
    ReplayedCluster,
    ReplayedConstraint,
    ReplayedGroup,
    ReplayedResource,
    Value,
)
from pacefab.legacy.pcs.forms import members_of
from pacefab.pacemaker import model

_PARAMETERS = {"OCF_CHECK_LEVEL"}


def configuration_of(cluster: ReplayedCluster) -> model.Configuration:
    """Return everything that the scripts made of a CIB."""
    return model.Configuration(
        _texts(cluster.properties),
        _texts(cluster.defaults),
        {node: _texts(attributes) for node, attributes in cluster.attributes.items()},
        tuple(_resources(cluster)),
        tuple(_constraint(one) for one in cluster.constraints),
    )


def _texts(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: value.text for name, value in values.items()}


def _resources(cluster: ReplayedCluster) -> Iterator[model.Resource]:
    for one in cluster.fencing.values():
        yield _primitive(one, f"stonith:{one.agent}")
    groups: set[str] = set()
    for one in cluster.resources.values():
        group = members_of(cluster, one.id)
        if group and group not in groups:
            groups.add(group)
            yield _group(cluster, cluster.groups[group])
        elif not group:
            yield _resource(one)


def _group(cluster: ReplayedCluster, group: ReplayedGroup) -> model.Group:
    members = (cluster.resources[name] for name in group.members if name in cluster.resources)
    inside = tuple(_primitive(one, one.agent) for one in members)
    return model.Group(group.id, inside, dict(group.meta))


def _resource(one: ReplayedResource) -> model.Resource:
    primitive = _primitive(one, one.agent)
    if not one.copies:
        return primitive
    meta = {**one.clone_meta, **({} if one.copies == CLONE else {"promotable": "true"})}
    return model.Clone(one.clone_id, primitive, meta)


def _primitive(one: ReplayedResource, agent: str) -> model.Primitive:
    stopped = {"target-role": "Stopped"} if one.disabled else {}
    return model.Primitive(
        one.id,
        agent,
        dict(one.parameters),
        {**one.meta, **stopped},
        tuple(_operation(each) for each in one.operations),
        frozenset(name for name in one.parameters if is_secret(name)),
    )


def _operation(words: Mapping[str, str]) -> model.Operation:
    """Return an operation; an interval that is not given is 60s for monitor, as pcs has it."""
    others = {k: v for k, v in words.items() if k not in {"name", "interval", "timeout"}}
    return model.Operation(
        words["name"],
        words.get("interval") or ("60s" if words["name"] == "monitor" else "0s"),
        words.get("timeout", ""),
        {k: v for k, v in others.items() if k not in _PARAMETERS},
        {k: v for k, v in others.items() if k in _PARAMETERS},
    )


def _constraint(one: ReplayedConstraint) -> model.Constraint:
    options, first = one.options, one.resources[0]
    if one.kind == "order":
        flags = {key.replace("_", "-"): options[key] for key in ("symmetrical", "require_all")
                 if key in options}  # fmt: skip
        actions = options["first_action"], options["then_action"]
        return model.Order(first, one.resources[1], *actions, options.get("kind", ""), flags)
    if one.kind == "colocation":
        roles = options.get("role", ""), options.get("with_role", "")
        return model.Colocation(first, one.resources[1], options["score"], *roles)
    return model.Location(
        first,
        options["score"],
        node=options.get("node", ""),
        attribute=options.get("attribute", ""),
        operation=options.get("operation", ""),
        value=options.get("value", ""),
        resource_discovery=options.get("resource_discovery", ""),
    )
