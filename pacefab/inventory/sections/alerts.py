"""The section `alerts`: programs that Pacemaker runs on every node when something happens."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from pacefab.inventory.model import Name, Part, unfit
from pacefab.inventory.own_terms import SETS, AttributeSet
from pacefab.inventory.resources import Parameters
from pacefab.inventory.values import TIME, Boolean, ScalarText, Time

_ATTRIBUTES = (
    "what the program finds in its environment, by name, each a text, a whole number, true or "
    "false; one that is a secret as {secret: NAME}"
)
_DESCRIPTION = "a sentence"
_STAY = f"{SETS}; without, those that are there stay"


class AlertMeta(Part):
    """How Pacemaker runs an alert's program."""

    timeout: Time | None = Field(default=None, description=f"{TIME}; without it 30s")
    timestamp_format: ScalarText | None = Field(
        default=None,
        alias="timestamp-format",
        description="how times are written, as date(1) takes it; without it %H:%M:%S.%06N",
    )
    enabled: Boolean | None = Field(default=None, description="true or false; without it true")

    def texts(self) -> dict[str, str]:
        """Return the options that were given, as they stand in a CIB."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class AlertSets(Part):
    """Sets of values that hold by a rule, such as at night."""

    attribute_sets: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of attributes, {_STAY}"
    )
    meta_sets: tuple[AttributeSet, ...] | None = Field(
        default=None, description=f"further sets of meta attributes, {_STAY}"
    )


class SelectEntry(Part):
    """Which events an alert is run for; without it all but changes of attributes."""

    nodes: bool = Field(default=False, description="true or false: nodes come and go")
    fencing: bool = Field(default=False, description="true or false: nodes are fenced")
    resources: bool = Field(default=False, description="true or false: resources start, stop …")
    attributes: bool | tuple[Name, ...] = Field(
        default=False,
        description="true (node attributes change), or a list of the names of those that count",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.nodes or self.fencing or self.resources or self.attributes):
            raise unfit("it selects nothing: leave it out, or name events")
        return self


class RecipientEntry(AlertSets):
    """Whom the program is run for."""

    value: Annotated[str, Field(min_length=1)] = Field(
        description="what the program understands: an address, a file, a URL"
    )
    id: Name | None = Field(
        default=None,
        description="the recipient's id in the CIB; without it ALERT-recipient, numbered",
    )
    description: str = Field(default="", description=_DESCRIPTION)
    attributes: Parameters = Field(default={}, description=_ATTRIBUTES)
    meta: AlertMeta = Field(
        default_factory=AlertMeta, description="a mapping of timeout, timestamp-format, enabled"
    )


def _valued(value: object) -> object:
    """Read a recipient that is only a text."""
    return {"value": value} if isinstance(value, str) else value


Recipients = Annotated[
    RecipientEntry, BeforeValidator(_valued, json_schema_input_type=str | RecipientEntry)
]


class AlertEntry(AlertSets):
    """A program, what it is given, and for whom it is run."""

    path: Annotated[str, Field(pattern="^/")] = Field(
        description="the program's path, the same on every node; Pacemaker runs it as hacluster"
    )
    description: str = Field(default="", description=_DESCRIPTION)
    attributes: Parameters = Field(default={}, description=_ATTRIBUTES)
    meta: AlertMeta = Field(
        default_factory=AlertMeta, description="a mapping of timeout, timestamp-format, enabled"
    )
    select: SelectEntry | None = Field(
        default=None,
        description="a mapping of nodes, fencing, resources, attributes: the events that it is run "
        "for; without it all but changes of attributes",
    )
    recipients: tuple[Recipients, ...] = Field(
        default=(),
        description="a list of whom it is run for, each a text or a mapping of value, id, "
        "description, attributes, meta, attribute_sets, meta_sets; without it the program is run "
        "once for each event",
    )
