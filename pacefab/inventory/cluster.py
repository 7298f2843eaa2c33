"""A whole inventory: one cluster. Whoever knows the services adds them, as a field `services`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from pacefab.inventory import desired, references
from pacefab.inventory.constraints import Constraints
from pacefab.inventory.document import Path
from pacefab.inventory.fencing import Fencing
from pacefab.inventory.model import HostName, Name, Node, Part
from pacefab.inventory.pacemaker_options import AnyMeta, Properties
from pacefab.inventory.resources import ResourceEntry
from pacefab.inventory.values import Duration
from pacefab.pacemaker.model import Configuration, Member, Membership

_NODE_KEYS = "name, address, user, port, role, attributes"
_DURATION = "a duration: seconds, or a number with ms, s, min or h"


def _named(value: object) -> object:
    """Read a node that is only a name."""
    return {"name": value} if isinstance(value, str) else value


NodeEntry = Annotated[Node, BeforeValidator(_named, json_schema_input_type=HostName | Node)]


class Objectives(Part):
    """What the operator expects of the cluster when something fails; times in seconds."""

    recovery: Duration | None = Field(default=None, description=_DURATION)
    worst_stall: Duration | None = Field(default=None, description=_DURATION)
    vip_away: Duration | None = Field(default=None, description=_DURATION)
    client_errors: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="a whole number, 0 or more"
    )


class Inventory(Part):
    """A cluster: its nodes, Pacemaker's settings, and resources that no service describes."""

    cluster: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,32}$")] = Field(
        description="the cluster's name: letters, digits, - and _, at most 32"
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

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        """Yield where two places of the inventory do not fit together, and why."""
        return references.contradictions(self)

    def membership(self) -> Membership:
        """Return the cluster's name and nodes; one without an address in the file has none."""
        return Membership(
            self.cluster,
            tuple(Member(n.name, (n.address,) if n.address else ()) for n in self.nodes),
        )

    def secret_names(self) -> tuple[str, ...]:
        """Return the secrets that fence devices and resources refer to; services know theirs."""
        return desired.secret_names(self)

    def configuration(self, secret: Callable[[str], str]) -> Configuration:
        """Return what is desired of the CIB besides what services describe.

        Raises whatever `secret`, which gives a secret by its name, does.
        """
        return desired.configuration(self, secret)
