"""The list `fencing.levels`: which devices fence a node together, and which after those."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from pacefab.inventory.model import HostName, Name, Part, unfit
from pacefab.inventory.values import ScalarText


class LevelEntry(Part):
    """Devices that fence nodes at one level; Pacemaker tries the levels of a node in order."""

    node: HostName | Name | None = Field(default=None, description="the name of a node")
    pattern: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="a regular expression for names of nodes, such as c[0-9]+"
    )
    attribute: Name | None = Field(
        default=None, description="the name of a node attribute, for all nodes that have value"
    )
    value: ScalarText | None = Field(
        default=None, description="what the attribute is on these nodes: a text or a whole number"
    )
    absent: bool = Field(
        default=False,
        description="true or false: whether the node or a device may not be in this inventory",
    )
    level: Annotated[int, Field(ge=1, le=9)] = Field(
        description="a whole number from 1 to 9; what has the lowest is tried first"
    )
    devices: tuple[Name, ...] = Field(
        min_length=1,
        description="a list of the ids of fence devices, one or more (NAME, or NAME-NODE where the "
        "device has per_node); all of them have to succeed, in this order",
    )

    @model_validator(mode="after")
    def _one_way_to_its_nodes(self) -> Self:
        ways = [key for key in ("node", "pattern", "attribute") if getattr(self, key) is not None]
        if len(ways) != 1:
            raise unfit("it needs one of node, pattern, or attribute with value")
        if (self.attribute is None) != (self.value is None):
            raise unfit("attribute and value go together")
        return self
