"""The section `memcached` of an inventory: what `install-memcached` takes as options."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from pacefab.errors import UsageError
from pacefab.inventory.model import Port
from pacefab.inventory.nodes import PlacedSection
from pacefab.services.memcached.memcached import Request


def _listen(text: str) -> str:
    try:
        Request(listen=text)
    except UsageError as error:
        raise ValueError(error.seen) from error
    return text


_Count = Annotated[int, Field(ge=1, le=2**31 - 1)]  # memcached reads it into a C int


class MemcachedSection(PlacedSection):
    """Settings of memcached on its nodes; what is not given stays as the node's file says."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default="auto",
        description="auto (the address that the nodes use for each other), an IP address, a "
        "network such as 10.0.0.0/24, or several with commas",
    )
    port: Port | None = Field(
        default=None, description="a TCP port, a whole number from 1 to 65535"
    )
    memory: _Count | None = Field(
        default=None, description="the cache's size in MiB, a whole number from 1 to 2147483647"
    )
    max_connections: _Count | None = Field(
        default=None, description="simultaneous connections, a whole number from 1 to 2147483647"
    )
    restartable: bool | None = Field(
        default=None,
        description="true (items are kept over a restart that Pacemaker does) or false",
    )

    def request(self) -> Request:
        """Return what the section asks for, as the options of `install-memcached` would."""
        return Request(**self.model_dump(exclude={"nodes"}))
