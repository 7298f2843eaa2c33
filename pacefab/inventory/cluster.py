"""A whole inventory: one cluster. A subclass adds the services, as the field `services`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from pacefab.inventory.constraints import Constraints
from pacefab.inventory.document import Path
from pacefab.inventory.fencing import Fencing
from pacefab.inventory.model import HostName, Name, OwnAttributeName, Part
from pacefab.inventory.nodes import Node
from pacefab.inventory.objectives import Objectives
from pacefab.inventory.own_terms import SETS, AttributeSet
from pacefab.inventory.pacemaker_options import AnyMeta, OperationDefaults, Properties
from pacefab.inventory.resources import BundleEntry, GroupEntry, ResourceEntry, TemplateEntry
from pacefab.inventory.sections.access import Acls
from pacefab.inventory.sections.alerts import AlertEntry
from pacefab.inventory.sections.corosync import Corosync
from pacefab.inventory.sections.firewall import Firewalls
from pacefab.inventory.values import ScalarText
from pacefab.pacemaker.corosync.plan import CorosyncSettings
from pacefab.pacemaker.fencing.sbd import SbdSettings
from pacefab.pacemaker.model import Member, Membership

_KEPT = f"{SETS}; without, those that the cluster has stay"
_UNLISTED = "that pacefab does not know, or whose values it does not, each a text by its name"
_NODE_KEYS = (
    "name, address, links, user, port, role, connection, attributes, utilization, attribute_sets, "
    "utilization_sets"
)


def _named(value: object) -> object:
    """Read a node that is only a name."""
    return {"name": value} if isinstance(value, str) else value


class OtherNode(Part):
    """What the cluster has noted of a node that is no member."""

    attributes: dict[OwnAttributeName, str] = Field(
        default={}, description="node attributes, texts by name; numbers in quotes"
    )
    attribute_sets: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of node attributes, {SETS}"
    )
    utilization: dict[Name, int] = Field(
        default={}, description="what it offers to resources that need it, whole numbers by name"
    )
    utilization_sets: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of utilization, {SETS}"
    )


NodeEntry = Annotated[Node, BeforeValidator(_named, json_schema_input_type=HostName | Node)]


class Inventory(Part):
    """A cluster: its nodes, Pacemaker's settings, and resources that no service describes."""

    cluster: Annotated[str, Field(pattern="^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$")] = Field(
        description="the cluster's name: letters, digits, - and _, but no - first, at most 32"
    )
    nodes: tuple[NodeEntry, ...] = Field(
        min_length=1,
        description=f"a list of nodes, one or more, each a host name or a mapping of {_NODE_KEYS}",
    )
    other_nodes: dict[HostName | Name, OtherNode] = Field(
        default={},
        description="by name, attributes of nodes that are no members and that a resource makes "
        "(guests, replicas of bundles), each a mapping of attributes, attribute_sets, utilization, "
        "utilization_sets",
    )
    properties: Properties = Field(
        default_factory=Properties, description="cluster properties by Pacemaker's names"
    )
    defaults: AnyMeta = Field(
        default_factory=AnyMeta,
        description="defaults of all resources by Pacemaker's names, such as resource-stickiness",
    )
    operation_defaults: OperationDefaults = Field(
        default_factory=OperationDefaults,
        description="defaults of all operations by Pacemaker's names, such as timeout",
    )
    property_sets: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of cluster properties, {_KEPT}"
    )
    default_sets: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of defaults of resources, {_KEPT}"
    )
    operation_default_sets: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of defaults of operations, {_KEPT}"
    )
    unlisted_properties: dict[str, ScalarText] = Field(
        default={}, description=f"cluster properties {_UNLISTED}"
    )
    unlisted_defaults: dict[str, ScalarText] = Field(
        default={}, description=f"defaults of resources {_UNLISTED}"
    )
    unlisted_operation_defaults: dict[str, ScalarText] = Field(
        default={}, description=f"defaults of operations {_UNLISTED}"
    )
    fencing: Fencing | None = Field(
        default=None,
        description="{devices: {NAME: …}}, or {disabled: true, reason: …} for a cluster without",
    )
    corosync: Corosync | None = Field(
        default=None,
        description="what corosync.conf says, a mapping of transport, links, crypto, totem, "
        "quorum, qdevice and more (default: as pcs sets it up, and then left as it is)",
    )
    firewall: Firewalls = Field(
        default="unmanaged",
        description="managed (firewalld lets the cluster's own addresses reach the services' "
        "ports), {clients: [NETWORK, …]} (managed, and clients in these networks reach those of "
        "them that are theirs) or unmanaged",
    )
    resources: dict[Name, ResourceEntry] = Field(
        default={},
        description="resources by id (a letter first, then letters, digits, _ . and -), each a "
        "mapping of agent, parameters, meta, operations, clone, promotable, group, disabled; or "
        "of template, bundle, utilization, advised_operations, clone_id, further, clone_further",
    )
    groups: dict[Name, GroupEntry] = Field(
        default={},
        description="groups by id, each a mapping of meta, clone, promotable, clone_id, further, "
        "clone_further; a group that has none of that needs no entry",
    )
    bundles: dict[Name, BundleEntry] = Field(
        default={},
        description="bundles by id, each a mapping of podman or docker, network, storage, meta, "
        "further",
    )
    templates: dict[Name, TemplateEntry] = Field(
        default={},
        description="templates by id, each a mapping of agent, parameters, meta, operations, "
        "advised_operations, utilization, further",
    )
    constraints: Constraints = Field(
        default_factory=Constraints, description="a mapping of order, colocation, location, ticket"
    )
    alerts: dict[Name, AlertEntry] = Field(
        default={},
        description="programs that Pacemaker runs when something happens, by id, each a mapping of "
        "path, description, attributes, meta, select, recipients, attribute_sets, meta_sets",
    )
    acls: Acls = Field(
        default_factory=Acls,
        description="who may read and change the configuration, a mapping of roles, users, groups "
        "(in force with the property enable-acl)",
    )
    tags: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field(
        default={},
        description="names for several objects of the CIB, each with a list of their ids, one or "
        "more; a constraint may name a tag in place of a resource",
    )
    objectives: Objectives = Field(
        default_factory=Objectives,
        description="what drills are measured by, a mapping of recovery, worst_stall, vip_away, "
        "client_errors",
    )

    def service_ids(self) -> Mapping[str, str]:
        """Return the service that each id of a resource belongs to."""
        return {}

    def misfits(self) -> Iterable[tuple[Path, str]]:
        """Yield what services name and the inventory does not have: where, and what."""
        return ()

    @property
    def members(self) -> tuple[Node, ...]:
        """The nodes that are members: corosync knows them, and services run there."""
        return tuple(node for node in self.nodes if node.member)

    @property
    def remotes(self) -> tuple[Node, ...]:
        """The nodes by Pacemaker Remote but for guests, which resources make."""
        return tuple(node for node in self.nodes if node.remote)

    def membership(self) -> Membership:
        """Return the cluster's name and members; one without an address in the file has none."""
        return Membership(
            self.cluster,
            tuple(Member(n.name, (n.address, *n.links) if n.address else ()) for n in self.members),
        )

    def sbd(self) -> SbdSettings | None:
        """Return how SBD is to be set up on the members; None: it is as it is."""
        return self.fencing.sbd.settings() if self.fencing and self.fencing.sbd else None

    def settings(self) -> CorosyncSettings | None:
        """Return what is desired of corosync.conf; None: it is as it is."""
        if self.corosync is None and not any(node.links for node in self.members):
            return None
        values = (self.corosync or Corosync()).values()
        return CorosyncSettings(values, {n.name: (n.address or "", *n.links) for n in self.members})
