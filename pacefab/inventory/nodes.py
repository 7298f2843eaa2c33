"""The nodes of an inventory: members, and those by Pacemaker Remote."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pacefab.inventory.model import (
    Address,
    HostName,
    Login,
    Name,
    OwnAttributeName,
    Part,
    Port,
    unfit,
)
from pacefab.inventory.own_terms import SETS, AttributeSet
from pacefab.inventory.pacemaker_options import ResourceMeta
from pacefab.inventory.resources import OPERATIONS, OperationEntry
from pacefab.inventory.values import Time


class Connection(Part):
    """How the members connect to a remote node: options of ocf:pacemaker:remote."""

    port: Port | None = Field(
        default=None,
        description="the TCP port of pacemaker_remote there, a whole number from 1 to 65535; "
        "3121, which is Pacemaker's, when not given",
    )
    reconnect_interval: Time = Field(
        default="60s",
        description="how long Pacemaker waits before it tries again to reach a node that was lost, "
        "a time such as 60s; 0: it gives up after a few attempts, as it does by default",
    )

    server: HostName | None = Field(
        default=None,
        description="a host name by which the members reach the node, where it has no address here "
        "and is not reached by its own name",
    )
    meta: ResourceMeta = Field(
        default_factory=ResourceMeta,
        description="Pacemaker's meta attributes of the connection, by name",
    )
    operations: tuple[OperationEntry, ...] = Field(default=(), description=OPERATIONS)

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the connection's resource that are not its defaults."""
        given = {
            "server": self.server or "",
            "port": str(self.port or ""),
            "reconnect_interval": self.reconnect_interval,
        }
        return {key: to for key, to in given.items() if to not in {"", "0", "0s"}}


class PlacedSection(Part):
    """Settings of a service that may run on other nodes than the members, and on fewer."""

    nodes: dict[OwnAttributeName, str] = Field(
        default={},
        description="node attributes, texts by name (site: edge): it runs on the nodes, members "
        "and remote ones, that have all of them; not given: on every member, on no remote node",
    )


class Node(Part):
    """A node of the cluster. What ~/.ssh/config says about its name wins over what is here."""

    name: HostName = Field(
        description="a host name (letters, digits, - and dots), as the cluster calls the node"
    )
    address: Address | None = Field(
        default=None, description="the IPv4 or IPv6 address by which other hosts reach the node"
    )
    links: tuple[Address, ...] = Field(
        default=(),
        max_length=7,
        description="a list of the node's addresses on corosync's further links, 1 and up, which "
        "every node has; address is that on link 0 (default: none; corosync.conf(5))",
    )
    user: Login | None = Field(
        default=None,
        description="a login name: root, or a user whom sudo allows every command",
    )
    port: Port | None = Field(
        default=None, description="sshd's TCP port, a whole number from 1 to 65535"
    )
    role: Literal["controller", "member", "remote", "guest"] = Field(
        default="controller",
        description="controller or member (both: a full member, which runs the services), "
        "remote (Pacemaker Remote runs there, and resources that are placed there), or guest (the "
        "same on a machine that a resource starts, whose meta attribute remote-node names it)",
    )
    connection: Connection | None = Field(
        default=None,
        description="of a remote node, a mapping of port, reconnect_interval, server, meta, "
        "operations",
    )
    attributes: dict[OwnAttributeName, str] = Field(
        default={},
        description="Pacemaker node attributes, texts by name (a letter first, then letters, "
        "digits, _ . and -); numbers in quotes",
    )

    utilization: dict[Name, int] = Field(
        default={},
        description="what the node offers to resources that need it, whole numbers by name, such "
        "as cpu, memory; it counts with the property placement-strategy",
    )

    attribute_sets: tuple[AttributeSet, ...] | None = Field(
        default=None,
        description=f"further sets of node attributes, {SETS}; without, those that are there stay",
    )
    utilization_sets: tuple[AttributeSet, ...] | None = Field(
        default=None,
        description=f"further sets of utilization, {SETS}; without, those that are there stay",
    )

    @property
    def remote(self) -> bool:
        """Whether it is a node by Pacemaker Remote that the members connect to by themselves."""
        return self.role == "remote"

    @property
    def member(self) -> bool:
        """Whether corosync knows it: neither a remote nor a guest node."""
        return self.role not in {"remote", "guest"}

    @model_validator(mode="after")
    def _connected(self) -> Self:
        if self.connection and not self.remote:
            raise unfit("connection is for nodes whose role is remote")
        if self.address and self.connection and self.connection.server:
            raise unfit("the node has an address: connection has no server then")
        if self.links and not self.member:
            raise unfit(f"links are corosync's, which a {self.role} node does not have")
        return self

    @field_validator("name", "address")
    @classmethod
    def _once(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Refuse what a node before has; `read` passes the memory of one file as context."""
        if value is not None and info.context is not None:
            seen: set[str] = info.context.setdefault(info.field_name, set())
            if value.lower() in seen:
                raise unfit("another node has it already")
            seen.add(value.lower())
        return value
