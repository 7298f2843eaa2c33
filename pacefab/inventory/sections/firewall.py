"""Whom nodes' firewalls let in, besides the nodes themselves."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from pacefab.inventory.model import MAPPING, TEXT, Part, unfit


def _network(text: str) -> str:
    """Return a network in its usual spelling, as firewalld keeps it; an address is one of one."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise unfit(f"{error}; write 10.1.0.0/16, 10.1.2.3 or fd00:1::/64") from None


Network = Annotated[str, AfterValidator(_network)]


class FirewallSection(Part):
    """firewalld lets these networks reach the ports that services have for clients."""

    clients: tuple[Network, ...] = Field(
        min_length=1,
        description="networks, such as 10.1.0.0/16, from which clients come; they reach HAProxy's "
        "proxies, memcached, MariaDB, RabbitMQ and Redis, and no port of the cluster's own",
    )


def _form(value: object) -> str:
    return MAPPING if isinstance(value, (dict, FirewallSection)) else TEXT


Firewalls = Annotated[
    Annotated[Literal["unmanaged", "managed"], Tag(TEXT)]
    | Annotated[FirewallSection, Tag(MAPPING)],
    Discriminator(_form),
]
"""A word, or whom to let in."""
