"""What is to be done to one object of a CIB. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pacefab.pacemaker.model import Constraint, Difference, Resource, SectionObject, Setting


class Action(StrEnum):
    """What a change does to one object of the CIB."""

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"


Noun = Resource | Constraint | Setting | SectionObject


@dataclass(frozen=True)
class ObjectChange:
    """What is to be done to one object of the CIB.

    `kind` is an operator's word (clone, promotable clone, primitive, fencing device, group, order
    constraint, property, resource default, node attribute, alert). `present` is None for what is
    not there, and for what our nouns cannot say; `desired` is None for what goes.
    """

    action: Action
    kind: str
    id: str
    differences: tuple[Difference, ...] = ()
    present: Noun | None = None
    desired: Noun | None = None

    def __str__(self) -> str:
        """Return a line: "add clone memcached-clone", "update property x: 1 -> 2"."""
        if isinstance(self.desired or self.present, Setting) and self.differences:
            return f"{self.action.value} {self.kind} {self.differences[0]}"
        said = f"{self.action.value} {self.kind} {self.id}"
        return f"{said}: {'; '.join(map(str, self.differences))}" if self.differences else said
