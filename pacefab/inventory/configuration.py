"""An inventory -> the desired CIB, besides what services describe. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pacefab.inventory.cluster import Inventory, OtherNode
from pacefab.inventory.fencing import Device, Fencing
from pacefab.inventory.nodes import Connection, Node
from pacefab.inventory.nouns.constraints import constraint_nouns
from pacefab.inventory.nouns.resources import Values, primitive_noun, references, resource_nouns
from pacefab.inventory.own_terms import Secret, sets_of
from pacefab.inventory.sections.objects import desired_objects, secret_values
from pacefab.pacemaker.configuration import NODE_SETS
from pacefab.pacemaker.fencing.devices import UNFENCING
from pacefab.pacemaker.fencing.findings import WATCHDOG_TIME
from pacefab.pacemaker.model import FENCING_DISABLED_REASON, Configuration, Further, Primitive
from pacefab.pacemaker.placement.remote import CONNECTION


def desired_configuration(inventory: Inventory, secret: Secret) -> Configuration:
    """Return what is desired of the CIB besides what services describe.

    `secret` gives a secret by its name; what it raises is passed on.
    """
    fencing = inventory.fencing
    return Configuration(
        properties={
            **inventory.properties.texts(),
            **inventory.unlisted_properties,
            **_fencing_properties(inventory),
        },
        defaults={**inventory.defaults.texts(), **inventory.unlisted_defaults},
        operation_defaults={
            **inventory.operation_defaults.texts(),
            **inventory.unlisted_operation_defaults,
        },
        attributes={
            **{node.name: node.attributes for node in inventory.nodes if node.attributes},
            **{name: o.attributes for name, o in inventory.other_nodes.items() if o.attributes},
        },
        resources=(
            *_devices(fencing, secret),
            *(connection(node, secret) for node in inventory.remotes),
            *resource_nouns(inventory, secret),
        ),
        constraints=tuple(constraint_nouns(inventory.constraints)),
        notes=_notes(fencing),
        sets=_sets(inventory, secret),
        node_sets={n: sets for n, node in _nodes(inventory) if (sets := _node_sets(node, secret))},
        objects=desired_objects(
            fencing.levels if fencing else (),
            inventory.alerts,
            inventory.acls,
            inventory.tags,
            secret,
        ),
        utilization=_utilization(inventory),
    )


def _utilization(inventory: Inventory) -> dict[str, dict[str, str]]:
    return {
        name: {key: str(number) for key, number in node.utilization.items()}
        for name, node in _nodes(inventory)
        if node.utilization
    }


def _node_sets(node: Node | OtherNode, secret: Secret) -> Further:
    """Return the further sets of a node, of those that something is said of."""
    said = {
        "node attribute sets": node.attribute_sets,
        "node utilization sets": node.utilization_sets,
    }
    return {
        kind: sets_of(NODE_SETS[kind], sets, secret)
        for kind, sets in said.items()
        if sets is not None
    }


def _nodes(inventory: Inventory) -> Iterator[tuple[str, Node | OtherNode]]:
    yield from ((node.name, node) for node in inventory.nodes)
    yield from inventory.other_nodes.items()


def _sets(inventory: Inventory, secret: Secret) -> Further:
    """Return the further sets of properties and defaults, of those that something is said of."""
    kinds = {
        "property sets": ("cluster_property_set", inventory.property_sets),
        "resource default sets": ("meta_attributes", inventory.default_sets),
        "operation default sets": ("meta_attributes", inventory.operation_default_sets),
    }
    return {
        kind: sets_of(tag, sets, secret) for kind, (tag, sets) in kinds.items() if sets is not None
    }


def _notes(fencing: Fencing | None) -> dict[str, str]:
    reason = fencing.reason if fencing else None
    return {FENCING_DISABLED_REASON: reason.strip()} if reason else {}


def secret_names(inventory: Inventory) -> tuple[str, ...]:
    """Return the secrets that devices, resources and alerts refer to; services name theirs."""
    devices = inventory.fencing.devices.values() if inventory.fencing else ()
    sections = (inventory.resources, inventory.groups, inventory.bundles, inventory.templates)
    sets = (inventory.property_sets, inventory.default_sets, inventory.operation_default_sets)
    nodes = (sets for _, n in _nodes(inventory) for sets in (n.attribute_sets, n.utilization_sets))
    connections = (node.connection for node in inventory.remotes)
    alerts = secret_values(inventory.alerts)
    return tuple(
        dict.fromkeys(references([*sections, *devices, *alerts, *sets, *nodes, *connections]))
    )


def connection(node: Node, secret: Secret) -> Primitive:
    """Return the resource by which the cluster knows a remote node, as pcs makes it.

    Without an address it has no server: the agent's default is the resource's name.
    """
    entry = node.connection or Connection()
    server = {"server": node.address} if node.address else {}
    values: Values = {**server, **entry.parameters()}
    return primitive_noun(node.name, CONNECTION, values, entry, secret)


def device_ids(name: str, device: Device) -> tuple[str, ...]:
    """Return the ids of a device's primitives: its name, or one for each node."""
    return tuple(f"{name}-{node}" for node in device.per_node) or (name,)


def _fencing_properties(inventory: Inventory) -> dict[str, str]:
    """Return nothing while the inventory has not decided."""
    fencing = inventory.fencing
    if fencing is None or not (fencing.disabled or fencing.devices or fencing.sbd):
        return {}
    enabled = {"stonith-enabled": "false" if fencing.disabled else "true"}
    own = {*inventory.properties.texts(), *inventory.unlisted_properties}
    if fencing.sbd and not fencing.sbd.devices and not own & set(WATCHDOG_TIME):
        enabled[WATCHDOG_TIME[0]] = f"{fencing.sbd.settings().wait}s"
    return enabled


def _devices(fencing: Fencing | None, secret: Secret) -> Iterator[Primitive]:
    for name, device in fencing.devices.items() if fencing else ():
        agent = f"stonith:{device.agent}"
        shared: Values = device.parameters
        if device.nodes:
            shared = {**shared, "pcmk_host_list": " ".join(device.nodes)}
        meta = {"provides": "unfencing"} if device.agent in UNFENCING else {}
        if not device.per_node:
            yield primitive_noun(name, agent, shared, device, secret, meta=meta)
        for node, own in device.per_node.items():
            values = {**shared, **own, "pcmk_host_list": node}
            yield primitive_noun(f"{name}-{node}", agent, values, device, secret, meta=meta)
