"""The section `constraints`: what runs where, with what and after what."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from pacefab.inventory.model import HostName, Name, Part, unfit
from pacefab.inventory.values import SCORE, Boolean, ScalarText, Score

_RESOURCE = "the id of a resource, clone (NAME-clone) or group of this inventory"
_ACTION = "one of start, stop, promote, demote"
_ROLE = "one of Promoted, Unpromoted, Started, Stopped"

Action = Literal["start", "stop", "promote", "demote"]
Role = Literal["Promoted", "Unpromoted", "Started", "Stopped"]
Operation = Literal["eq", "ne", "lt", "gt", "lte", "gte", "defined", "not_defined"]


class OrderEntry(Part):
    """`first` does its action before `then` does its own."""

    first: Name = Field(description=_RESOURCE)
    then: Name = Field(description=_RESOURCE)
    first_action: Action = Field(default="start", description=_ACTION)
    then_action: Action = Field(default="start", description=_ACTION)
    kind: Literal["Mandatory", "Optional", "Serialize"] | None = Field(
        default=None, description="one of Mandatory, Optional, Serialize"
    )
    symmetrical: Boolean | None = Field(default=None, description="true or false")
    require_all: Boolean | None = Field(
        default=None,
        description="true or false (deprecated by Pacemaker: clone-min of the clone says more)",
    )

    @model_validator(mode="after")
    def _two_resources(self) -> Self:
        if (self.first, self.first_action) == (self.then, self.then_action):
            raise unfit(f"{self.first} cannot come before itself")
        return self


class ColocationEntry(Part):
    """`resource` runs where `with` does; apart from it when the score is negative."""

    model_config = ConfigDict(validate_by_name=False)

    resource: Name = Field(description=_RESOURCE)
    with_resource: Name = Field(alias="with", description=_RESOURCE)
    score: Score = Field(default="INFINITY", description=SCORE)
    role: Role | None = Field(default=None, description=_ROLE)
    with_role: Role | None = Field(default=None, description=_ROLE)

    @model_validator(mode="after")
    def _two_resources(self) -> Self:
        if self.resource == self.with_resource:
            raise unfit(f"{self.resource} always runs where it runs")
        return self


class LocationEntry(Part):
    """A score for one node, or for the nodes whose attribute fits."""

    resource: Name = Field(description=_RESOURCE)
    node: HostName | None = Field(default=None, description="the name of a node")
    attribute: Name | None = Field(default=None, description="the name of a node attribute")
    operation: Operation | None = Field(
        default=None, description="one of eq, ne, lt, gt, lte, gte, defined, not_defined"
    )
    value: ScalarText | None = Field(
        default=None, description="what the attribute is compared with: a text or a whole number"
    )
    score: Score = Field(default="INFINITY", description=SCORE)
    resource_discovery: Literal["always", "never", "exclusive"] | None = Field(
        default=None, description="one of always, never, exclusive"
    )

    @model_validator(mode="after")
    def _either_node_or_attribute(self) -> Self:
        rule = (self.attribute, self.operation, self.value)
        if self.node is not None:
            if rule != (None, None, None):
                raise unfit("it names a node and an attribute: one of them")
            return self
        if self.attribute is None or self.operation is None:
            raise unfit("it needs a node, or an attribute with operation and value")
        if (self.value is None) != (self.operation in {"defined", "not_defined"}):
            raise unfit(f"operation {self.operation} and value do not go together")
        return self


class Constraints(Part):
    """Lists of constraints, by their kind."""

    order: tuple[OrderEntry, ...] = Field(
        default=(),
        description="a list of mappings of first, then, first_action, then_action, kind, "
        "symmetrical, require_all",
    )
    colocation: tuple[ColocationEntry, ...] = Field(
        default=(), description="a list of mappings of resource, with, score, role, with_role"
    )
    location: tuple[LocationEntry, ...] = Field(
        default=(),
        description="a list of mappings of resource, score, resource_discovery, and node or "
        "attribute, operation, value",
    )
