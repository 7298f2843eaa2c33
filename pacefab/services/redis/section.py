"""The section `redis` of an inventory: Redis or Valkey, replicated from one node to the others."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pacefab.inventory.model import Part

SECRET = "redis"  # noqa: S105  (the name of the secret, not the secret)


class RedisSection(Part):
    """Redis on every node, with a password: the secret redis."""

    memory: int | None = Field(
        default=None, ge=1, description="MiB for the data, a whole number; not given: no limit"
    )
    min_replicas: int | None = Field(
        default=None,
        ge=0,
        description="how many followers have to be connected for a write to be taken, a whole "
        "number; not given: half of the nodes, rounded down (of three nodes 1, of one node 0)",
    )
    appendonly: bool = Field(
        default=True,
        description="true (each write goes to the disk within a second) or false (now and then "
        "all data do)",
    )
    software: Literal["redis", "valkey"] | None = Field(
        default=None,
        description="redis or valkey; not given: redis where the distribution has it, else valkey",
    )
