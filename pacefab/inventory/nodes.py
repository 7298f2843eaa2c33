"""The nodes of an inventory."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

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


class Node(Part):
    """A member of the cluster. What ~/.ssh/config says about its name wins over what is here."""

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
    role: Literal["controller"] = Field(
        default="controller", description="controller (a full member, which runs the services)"
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
