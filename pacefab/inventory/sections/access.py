"""The section `acls`: who may read and change which part of the cluster's configuration."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from pacefab.inventory.model import Login, Name, Part, unfit

_ROLES = "a list of the names of roles, or a mapping of roles and name"


class PermissionEntry(Part):
    """What a role may do with a part of the CIB."""

    kind: Literal["read", "write", "deny"] = Field(description="one of read, write, deny")
    xpath: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="an XPath of the CIB, such as /cib or //constraints"
    )
    reference: Name | None = Field(
        default=None, description="the id of an object of the CIB, with all that is in it"
    )
    object_type: Name | None = Field(
        default=None, description="the name of elements of the CIB, such as rsc_location"
    )
    attribute: Name | None = Field(
        default=None, description="with object_type: only elements that have this attribute"
    )
    description: str = Field(default="", description="a sentence")

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        ways = [k for k in ("xpath", "reference", "object_type") if getattr(self, k) is not None]
        if len(ways) != 1:
            raise unfit("it needs one of xpath, reference, object_type")
        if self.attribute is not None and self.object_type is None:
            raise unfit("attribute goes with object_type")
        return self


class RoleEntry(Part):
    """Permissions under a name."""

    description: str = Field(default="", description="a sentence")
    permissions: tuple[PermissionEntry, ...] = Field(
        default=(),
        description="a list of mappings of kind, and xpath, reference or object_type with "
        "attribute, and description",
    )


class HolderEntry(Part):
    """A user or group that the CIB has under an id that is not its name."""

    name: Login | None = Field(
        default=None,
        description="the name that the system has, of schema pacemaker-3.8 on; without it the key",
    )
    roles: tuple[Name, ...] = Field(default=(), description="a list of the names of roles")


def _listed(value: object) -> object:
    """Read a user that is only a list of roles."""
    return {"roles": value} if isinstance(value, list | tuple) else value


Holder = Annotated[
    HolderEntry, BeforeValidator(_listed, json_schema_input_type=tuple[Name, ...] | HolderEntry)
]


class Acls(Part):
    """Roles, and the users and groups of the nodes' systems that have them.

    They are in force with the property enable-acl; root and hacluster may do everything always.
    """

    roles: dict[Name, RoleEntry] = Field(
        default={}, description="roles by name, each a mapping of description, permissions"
    )
    users: dict[Login, Holder] = Field(
        default={}, description=f"by a user's login name (in the group haclient) {_ROLES}"
    )
    groups: dict[Name, Holder] = Field(default={}, description=f"by the name of a group {_ROLES}")
