"""An inventory -> the desired CIB, besides what services describe. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pacefab.inventory.cluster import Inventory
from pacefab.inventory.constraints import (
    ColocationEntry,
    Constraints,
    LocationEntry,
    OrderEntry,
)
from pacefab.inventory.fencing import Device, Fencing
from pacefab.inventory.nodes import Connection, Node
from pacefab.inventory.resources import OperationEntry, ResourceEntry
from pacefab.inventory.values import SecretReference
from pacefab.pacemaker.model import (
    FENCING_DISABLED_REASON,
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
from pacefab.pacemaker.placement.remote import CONNECTION

Secret = Callable[[str], str]
Values = Mapping[str, str | SecretReference]


def desired_configuration(inventory: Inventory, secret: Secret) -> Configuration:
    """Return what is desired of the CIB besides what services describe.

    `secret` gives a secret by its name; what it raises is passed on.
    """
    fencing = inventory.fencing
    return Configuration(
        properties={**inventory.properties.texts(), **_fencing_property(fencing)},
        defaults=inventory.defaults.texts(),
        attributes={node.name: node.attributes for node in inventory.nodes if node.attributes},
        resources=(
            *_devices(fencing, secret),
            *map(connection, inventory.remotes),
            *_resources(inventory.resources, secret),
        ),
        constraints=tuple(_constraints(inventory.constraints)),
        notes=_notes(fencing),
    )


def _notes(fencing: Fencing | None) -> dict[str, str]:
    reason = fencing.reason if fencing else None
    return {FENCING_DISABLED_REASON: reason.strip()} if reason else {}


def secret_names(inventory: Inventory) -> tuple[str, ...]:
    """Return the secrets that fence devices and resources refer to; services name theirs."""
    values = [entry.parameters for entry in inventory.resources.values()]
    for device in inventory.fencing.devices.values() if inventory.fencing else ():
        values += [device.parameters, *device.per_node.values()]
    references = [
        value
        for parameters in values
        for value in parameters.values()
        if isinstance(value, SecretReference)
    ]
    return tuple(dict.fromkeys(reference.secret for reference in references))


def connection(node: Node) -> Primitive:
    """Return the resource by which the cluster knows a remote node, as pcs makes it."""
    options = (node.connection or Connection()).parameters()
    return Primitive(node.name, CONNECTION, {"server": node.address or node.name, **options})


def clone_id(name: str) -> str:
    """Return the id of a resource's clone, as pcs calls it."""
    return f"{name}-clone"


def device_ids(name: str, device: Device) -> tuple[str, ...]:
    """Return the ids of a device's primitives: its name, or one for each node."""
    return tuple(f"{name}-{node}" for node in device.per_node) or (name,)


def _fencing_property(fencing: Fencing | None) -> dict[str, str]:
    """Return nothing while the inventory has not decided."""
    return {"stonith-enabled": "false" if fencing.disabled else "true"} if fencing else {}


def _devices(fencing: Fencing | None, secret: Secret) -> Iterator[Primitive]:
    for name, device in fencing.devices.items() if fencing else ():
        agent = f"stonith:{device.agent}"
        shared: Values = device.parameters
        if device.nodes:
            shared = {**shared, "pcmk_host_list": " ".join(device.nodes)}
        if not device.per_node:
            yield _primitive(name, agent, shared, device, secret)
        for node, own in device.per_node.items():
            values = {**shared, **own, "pcmk_host_list": node}
            yield _primitive(f"{name}-{node}", agent, values, device, secret)


def _primitive(
    id_: str,
    agent: str,
    values: Values,
    entry: Device | ResourceEntry,
    secret: Secret,
    **meta: str,
) -> Primitive:
    references = {k: v.secret for k, v in values.items() if isinstance(v, SecretReference)}
    given = {key: secret(name) for key, name in references.items()}
    plain = {key: value for key, value in values.items() if isinstance(value, str)}
    return Primitive(
        id_,
        agent,
        {key: given[key] if key in given else plain[key] for key in values},
        {**entry.meta.texts(), **meta},
        tuple(map(_operation, entry.operations)),
        hidden=frozenset(references),
    )


def _operation(entry: OperationEntry) -> Operation:
    """Return an operation; the interval that pcs writes where none is given."""
    others = {
        "on-fail": entry.on_fail,
        "role": entry.role,
        "start-delay": entry.start_delay,
        "enabled": entry.enabled,
        "record-pending": entry.record_pending,
    }
    return Operation(
        entry.name,
        entry.interval or ("60s" if entry.name == "monitor" else "0s"),
        entry.timeout or "",
        {key: value for key, value in others.items() if value is not None},
        {"OCF_CHECK_LEVEL": entry.check_level} if entry.check_level else {},
    )


def _resources(entries: Mapping[str, ResourceEntry], secret: Secret) -> Iterator[Resource]:
    """Yield resources in the inventory's order; a group stands where its first member does."""
    groups: set[str] = set()
    for name, entry in entries.items():
        if entry.group is None:
            yield _resource(name, entry, secret)
        elif entry.group not in groups:
            groups.add(entry.group)
            members = {n: e for n, e in entries.items() if e.group == entry.group}
            yield Group(entry.group, tuple(_single(n, e, secret) for n, e in members.items()))


def _resource(name: str, entry: ResourceEntry, secret: Secret) -> Resource:
    options: Any = entry.clone if entry.promotable is None else entry.promotable
    if options is None:
        return _single(name, entry, secret)
    meta = {**options.texts(), **_stopped(entry)}
    if entry.promotable is not None:
        meta = {"promotable": "true", **meta}
    return Clone(
        clone_id(name), _primitive(name, entry.agent, entry.parameters, entry, secret), meta
    )


def _single(name: str, entry: ResourceEntry, secret: Secret) -> Primitive:
    return _primitive(name, entry.agent, entry.parameters, entry, secret, **_stopped(entry))


def _stopped(entry: ResourceEntry) -> dict[str, str]:
    """Return what `pcs resource disable` sets, or ends: on the clone where there is one."""
    if entry.disabled is None:
        return {}
    return {"target-role": "Stopped" if entry.disabled else "Started"}


def _constraints(constraints: Constraints) -> Iterator[Constraint]:
    yield from map(_order, constraints.order)
    yield from map(_colocation, constraints.colocation)
    yield from map(_location, constraints.location)


def _order(entry: OrderEntry) -> Order:
    options = {"symmetrical": entry.symmetrical, "require-all": entry.require_all}
    return Order(
        entry.first,
        entry.then,
        entry.first_action,
        entry.then_action,
        entry.kind or "",
        {key: value for key, value in options.items() if value is not None},
    )


def _colocation(entry: ColocationEntry) -> Colocation:
    return Colocation(
        entry.resource, entry.with_resource, entry.score, entry.role or "", entry.with_role or ""
    )


def _location(entry: LocationEntry) -> Location:
    return Location(
        entry.resource,
        entry.score,
        node=entry.node or "",
        attribute=entry.attribute or "",
        operation=entry.operation or "",
        value=entry.value or "",
        resource_discovery=entry.resource_discovery or "",
    )
