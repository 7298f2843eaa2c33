"""A whole inventory: one cluster. A subclass adds the services, as the field `services`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from pacefab.inventory.constraints import Constraints
from pacefab.inventory.document import Path
from pacefab.inventory.fencing import Fencing
from pacefab.inventory.model import HostName, Name, Part
from pacefab.inventory.nodes import Node
from pacefab.inventory.objectives import Objectives
from pacefab.inventory.pacemaker_options import AnyMeta, Properties
from pacefab.inventory.resources import ResourceEntry
from pacefab.pacemaker.model import Member, Membership

_NODE_KEYS = "name, address, user, port, role, connection, attributes"


def _named(value: object) -> object:
    """Read a node that is only a name."""
    return {"name": value} if isinstance(value, str) else value


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
    properties: Properties = Field(
        default_factory=Properties, description="cluster properties by Pacemaker's names"
    )
    defaults: AnyMeta = Field(
        default_factory=AnyMeta,
        description="defaults of all resources by Pacemaker's names, such as resource-stickiness",
    )
    fencing: Fencing | None = Field(
        default=None,
        description="{devices: {NAME: …}}, or {disabled: true, reason: …} for a cluster without",
    )
    firewall: Literal["unmanaged", "managed"] = Field(
        default="unmanaged",
        description="managed (firewalld lets the cluster's own addresses reach the services' "
        "ports) or unmanaged",
    )
    resources: dict[Name, ResourceEntry] = Field(
        default={},
        description="resources by id (a letter first, then letters, digits, _ . and -), each a "
        "mapping of agent, parameters, meta, operations, clone, promotable, group, disabled",
    )
    constraints: Constraints = Field(
        default_factory=Constraints, description="a mapping of order, colocation, location"
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
        return tuple(node for node in self.nodes if not node.remote)

    @property
    def remotes(self) -> tuple[Node, ...]:
        """The nodes by Pacemaker Remote."""
        return tuple(node for node in self.nodes if node.remote)

    def membership(self) -> Membership:
        """Return the cluster's name and members; one without an address in the file has none."""
        return Membership(
            self.cluster,
            tuple(Member(n.name, (n.address,) if n.address else ()) for n in self.members),
        )
