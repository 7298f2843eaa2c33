"""The section `objectives`: what is expected of the cluster when something fails."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from pacefab.inventory.model import Part
from pacefab.inventory.values import Duration

_DURATION = "a duration: seconds, or a number with ms, s, min or h"


class Objectives(Part):
    """What the operator expects of the cluster when something fails; times in seconds.

    Each is an upper limit. The default of `recovery` leaves room for memcached's monitor, which
    runs once in 60 s. Caches are measured by worst_stall and client_errors, what keeps data by
    worst_gap and lost.
    """

    recovery: Duration = Field(default=90.0, description=_DURATION)
    worst_stall: Duration = Field(default=2.0, description=_DURATION)
    vip_away: Duration = Field(default=30.0, description=_DURATION)
    client_errors: Annotated[int, Field(ge=0)] = Field(
        default=0, description="a whole number, 0 or more"
    )
    worst_gap: Duration = Field(
        default=30.0, description=f"{_DURATION}; the longest without an acknowledged write"
    )
    lost: Annotated[int, Field(ge=0)] = Field(
        default=0, description="acknowledged writes, a whole number, 0 or more"
    )

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, value: object) -> object:
        """Read a key with nothing behind it as one that is not there."""
        if not isinstance(value, dict):
            return value
        return {key: limit for key, limit in value.items() if limit is not None}

    def items(self) -> list[tuple[str, float]]:
        """Return names and limits."""
        return list(self.model_dump().items())
