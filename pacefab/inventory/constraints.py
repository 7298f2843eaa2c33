"""The section `constraints`: what runs where, with what and after what."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from pacefab.inventory.model import AttributeName, HostName, Name, Part, unfit
from pacefab.inventory.own_terms import RESOURCE_SETS, Id, Lifetime, Rule, SetOfResources
from pacefab.inventory.values import SCORE, Boolean, ScalarText, Score

_RESOURCE = "the id of a resource, clone (NAME-clone) or group of this inventory"
_ACTION = "one of start, stop, promote, demote"
_ROLE = "one of Promoted, Unpromoted, Started, Stopped"

Action = Literal["start", "stop", "promote", "demote"]
Role = Literal["Promoted", "Unpromoted", "Started", "Stopped"]
Operation = Literal["eq", "ne", "lt", "gt", "lte", "gte", "defined", "not_defined"]


_ID = "its id in the cluster; without, as pcs calls it"


class ConstraintEntry(Part):
    """What every kind of constraint may have."""

    id: Id | None = Field(default=None, description=_ID)
    sets: tuple[SetOfResources, ...] = Field(
        default=(), description=f"in place of resources: {RESOURCE_SETS}"
    )
    lifetime: Lifetime | None = Field(
        default=None, description="a mapping of rule: when it holds (before Pacemaker 2.1)"
    )

    absent: bool = Field(
        default=False,
        description="true or false: whether what it names may be no resource or node of this "
        "inventory",
    )

    def needs(self, *keys: str) -> None:
        """Raise what is wrong where neither sets nor all of these keys are given, or both."""
        given = [key for key in keys if getattr(self, key) is not None]
        if self.sets and given:
            raise unfit(f"it has sets and {given[0]}: one of them")
        if not self.sets and len(given) < len(keys):
            raise unfit(f"it needs {' and '.join(keys)}, or sets")


class OrderEntry(ConstraintEntry):
    """`first` does its action before `then` does its own."""

    first: Name | None = Field(default=None, description=_RESOURCE)
    then: Name | None = Field(default=None, description=_RESOURCE)
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
        self.needs("first", "then")
        if self.first and (self.first, self.first_action) == (self.then, self.then_action):
            raise unfit(f"{self.first} cannot come before itself")
        return self


class ColocationEntry(ConstraintEntry):
    """`resource` runs where `with` does; apart from it when the score is negative."""

    model_config = ConfigDict(validate_by_name=False)

    resource: Name | None = Field(default=None, description=_RESOURCE)
    with_resource: Name | None = Field(default=None, alias="with", description=_RESOURCE)
    score: Score = Field(default="INFINITY", description=SCORE)
    role: Role | None = Field(default=None, description=_ROLE)
    with_role: Role | None = Field(default=None, description=_ROLE)
    influence: Boolean | None = Field(
        default=None, description="true or false: whether the first one moves the second"
    )
    node_attribute: ScalarText | None = Field(
        default=None, description="nodes with the same value of this attribute count as one"
    )

    @model_validator(mode="after")
    def _two_resources(self) -> Self:
        if not self.sets and None in {self.resource, self.with_resource}:
            raise unfit("it needs resource and with, or sets")
        if self.resource is not None and self.resource == self.with_resource:
            raise unfit(f"{self.resource} always runs where it runs")
        return self


class LocationEntry(ConstraintEntry):
    """A score for one node, or for the nodes whose attribute fits."""

    resource: Name | None = Field(default=None, description=_RESOURCE)
    pattern: ScalarText | None = Field(
        default=None, description="in place of resource: a regular expression that ids match"
    )
    role: Role | None = Field(default=None, description=_ROLE)
    rules: tuple[Rule, ...] = Field(
        default=(),
        description="in place of node or attribute: a list of rules, each a mapping of score, "
        "score_attribute, role, boolean_op, expression, date_expression, rule",
    )
    node: HostName | Name | None = Field(default=None, description="the name of a node")
    attribute: AttributeName | None = Field(
        default=None, description="the name of a node attribute"
    )
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
        named = [bool(self.resource), bool(self.pattern), bool(self.sets)]
        if named.count(True) != 1:
            raise unfit("it needs one of resource, pattern, sets")
        rule = (self.attribute, self.operation, self.value)
        if self.rules:
            if self.node is not None or rule != (None, None, None):
                raise unfit("it has rules, and a node or an attribute: one of them")
            return self
        if self.node is not None:
            if rule != (None, None, None):
                raise unfit("it names a node and an attribute: one of them")
            return self
        if self.attribute is None or self.operation is None:
            raise unfit("it needs a node, or an attribute with operation and value")
        if (self.value is None) != (self.operation in {"defined", "not_defined"}):
            raise unfit(f"operation {self.operation} and value do not go together")
        return self


class TicketEntry(ConstraintEntry):
    """A resource that runs only while the site has a ticket."""

    ticket: ScalarText = Field(description="the name of a ticket")
    resource: Name | None = Field(default=None, description=_RESOURCE)
    role: Role | None = Field(default=None, description=_ROLE)
    loss_policy: Literal["stop", "demote", "fence", "freeze"] | None = Field(
        default=None, description="when it is lost: one of stop, demote, fence, freeze"
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        self.needs("resource")
        return self


class Constraints(Part):
    """Lists of constraints, by their kind."""

    order: tuple[OrderEntry, ...] = Field(
        default=(),
        description="a list of mappings of first, then, first_action, then_action, kind, "
        "symmetrical, require_all, sets, id",
    )
    colocation: tuple[ColocationEntry, ...] = Field(
        default=(),
        description="a list of mappings of resource, with, score, role, with_role, "
        "influence, node_attribute, sets, id",
    )
    location: tuple[LocationEntry, ...] = Field(
        default=(),
        description="a list of mappings of resource, score, resource_discovery, and node or "
        "attribute, operation, value; or of pattern, sets, role, rules, id",
    )
    ticket: tuple[TicketEntry, ...] = Field(
        default=(), description="a list of mappings of ticket, resource, role, loss_policy, sets"
    )
