"""The replayed cluster in Pacemaker's nouns, to be compared with a CIB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pacefab.legacy.cluster.model import (
    CLONE,
    ReplayedCluster,
    ReplayedConstraint,
    ReplayedGroup,
    ReplayedResource,
    Value,
)
from pacefab.legacy.masking import is_secret
from pacefab.pacemaker import model

_PARAMETERS = {"OCF_CHECK_LEVEL"}


def configuration_of(cluster: ReplayedCluster) -> model.Configuration:
    """Return everything that the scripts made of a CIB."""
    return model.Configuration(
        _texts(cluster.properties),
        _texts(cluster.defaults),
        {node: _texts(attributes) for node, attributes in cluster.attributes.items()},
        tuple(_resources(cluster)),
        tuple(_constraint(constraint) for constraint in cluster.constraints),
    )


def _texts(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: value.text for name, value in values.items()}


def _resources(cluster: ReplayedCluster) -> Iterator[model.Resource]:
    for device in cluster.fencing.values():
        yield _primitive(device, f"stonith:{device.agent}")
    groups: set[str] = set()
    for resource in cluster.resources.values():
        group = cluster.group_of(resource.id)
        if group and group not in groups:
            groups.add(group)
            yield _group(cluster, cluster.groups[group])
        elif not group:
            yield _resource(resource)


def _group(cluster: ReplayedCluster, group: ReplayedGroup) -> model.Group:
    members = (cluster.resources[name] for name in group.members if name in cluster.resources)
    inside = tuple(_primitive(member, member.agent) for member in members)
    return model.Group(group.id, inside, dict(group.meta))


def _resource(resource: ReplayedResource) -> model.Resource:
    primitive = _primitive(resource, resource.agent)
    if not resource.copies:
        return primitive
    meta = {**resource.clone_meta, **({} if resource.copies == CLONE else {"promotable": "true"})}
    return model.Clone(resource.clone_id, primitive, meta)


def _primitive(resource: ReplayedResource, agent: str) -> model.Primitive:
    stopped = {"target-role": "Stopped"} if resource.disabled else {}
    return model.Primitive(
        resource.id,
        agent,
        dict(resource.parameters),
        {**resource.meta, **stopped},
        tuple(_operation(operation) for operation in resource.operations),
        frozenset(name for name in resource.parameters if is_secret(name)),
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


def _constraint(constraint: ReplayedConstraint) -> model.Constraint:
    options, first = constraint.options, constraint.resources[0]
    if constraint.kind == "order":
        flags = {key.replace("_", "-"): options[key] for key in ("symmetrical", "require_all")
                 if key in options}  # fmt: skip
        actions = options["first_action"], options["then_action"]
        return model.Order(first, constraint.resources[1], *actions, options.get("kind", ""), flags)
    if constraint.kind == "colocation":
        roles = options.get("role", ""), options.get("with_role", "")
        return model.Colocation(first, constraint.resources[1], options["score"], *roles)
    return model.Location(
        first,
        options["score"],
        node=options.get("node", ""),
        attribute=options.get("attribute", ""),
        operation=options.get("operation", ""),
        value=options.get("value", ""),
        resource_discovery=options.get("resource_discovery", ""),
    )
