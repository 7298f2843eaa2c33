"""The section `haproxy` of an inventory: what the load balancer listens to and hands on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pacefab.addresses import is_address, no_hosts
from pacefab.inventory.model import Login, Part, Port, unfit
from pacefab.services.vips.section import VipsSection, repeated

SECRET = "haproxy_stats"  # noqa: S105  (the name of the password)

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]


def _host(text: str) -> str:
    """Return a node's name, or an address that HAProxy can reach, the node's own included."""
    if is_address(text):
        if (kind := no_hosts(text)) not in {"", "loopback"}:
            raise unfit(f"nothing is reached there ({kind})")
        return text
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,252}", text):
        raise ValueError(text)
    return text


_Host = Annotated[str, AfterValidator(_host)]
_EVERY = ("0.0.0.0", "::")  # noqa: S104  # where a proxy listens at all of a node's addresses


def _bound(text: str) -> str:
    """Return a VIP's name, or an address where a proxy can listen."""
    return text if text in _EVERY else _host(text)


_Seconds = Annotated[int, Field(ge=1, le=86400)]


class Stats(Part):
    """The page of statistics, on each node's own address, behind a name and a password."""

    port: Port = Field(default=1993, description="a TCP port, a whole number from 1 to 65535")
    user: Login = Field(
        default="admin",
        description="a login name for the page; its password is the secret haproxy_stats",
    )


class Proxy(Part):
    """A service behind the load balancer: its address, and how its servers are used and asked."""

    name: _Name = Field(
        description="letters, digits, -, _ and dots, but no - or dot first, at most 64"
    )
    vip: Annotated[str, AfterValidator(_bound)] = Field(
        description="the name of a VIP of the service vips, or an address"
    )
    port: Port = Field(description="a TCP port, a whole number from 1 to 65535")
    backend_port: Port | None = Field(
        default=None,
        description="the servers' TCP port, a whole number from 1 to 65535; not given: the same",
    )
    mode: Literal["tcp", "http"] = Field(
        default="tcp", description="tcp (bytes are handed on) or http (requests are)"
    )
    check: Literal["tcp", "http", "galera"] = Field(
        default="tcp",
        description="how servers are asked: tcp (the port accepts), http (GET of check_path says "
        "2xx or 3xx) or galera (the node is in sync)",
    )
    check_path: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~*+,;=:@%/?&-]*$")] = Field(
        default="/", description="the path that check: http asks for, as /healthcheck"
    )
    balance: Literal["roundrobin", "leastconn", "source"] = Field(
        default="roundrobin",
        description="roundrobin (in turn), leastconn (who has the fewest connections) or source "
        "(by the client's address)",
    )
    active: Literal["all", "one"] = Field(
        default="all",
        description="all (every server gets connections) or one (one does, the others stand by: "
        "galera)",
    )
    servers: tuple[_Host, ...] | None = Field(
        default=None,
        min_length=1,
        description="a list of the cluster's nodes and of addresses; not given: every node",
    )
    timeout: _Seconds | None = Field(
        default=None,
        description="seconds without traffic before a connection is closed, a whole number from 1 "
        "to 86400; not given: 60",
    )


def _distinct(proxies: tuple[Proxy, ...]) -> tuple[Proxy, ...]:
    twice = repeated(proxy.name for proxy in proxies)
    if twice is not None:
        raise unfit(f"two proxies are called {twice}")
    taken = repeated((proxy.vip, proxy.port) for proxy in proxies)
    if taken is not None:
        raise unfit(f"two proxies have the same VIP and port: {taken[0]}, {taken[1]}")
    return proxies


_STATS = "stats"  # what the frontend of the page is called


def misfits(
    section: HaproxySection, sections: Mapping[str, object], nodes: Sequence[str]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the VIPs and servers that proxies name and the inventory does not have."""
    vips = sections.get("vips")
    names = [vip.name for vip in vips.addresses] if isinstance(vips, VipsSection) else []
    for i, proxy in enumerate(section.proxies):
        if not is_address(proxy.vip) and proxy.vip not in names:
            yield ("proxies", i, "vip"), _missing("VIP", proxy.vip, names)
        for j, server in enumerate(proxy.servers or ()):
            if not is_address(server) and server not in nodes:
                yield ("proxies", i, "servers", j), _missing("node", server, nodes)
        if section.stats and proxy.name == _STATS:
            yield ("proxies", i, "name"), f"the page of statistics is called {_STATS}"


def _missing(what: str, name: str, there: Sequence[str]) -> str:
    return f"there is no {what} {name}; allowed: {', '.join(['addresses', *there])}"


class HaproxySection(Part):
    """HAProxy on every node."""

    proxies: Annotated[tuple[Proxy, ...], AfterValidator(_distinct)] = Field(
        min_length=1,
        description="a list of services behind the load balancer, one or more, each with name, vip "
        "and port",
    )
    stats: Stats | None = Field(
        default=None, description="a mapping of port and user; not given: no page of statistics"
    )
    max_connections: Annotated[int, Field(ge=1, le=1000000)] | None = Field(
        default=None,
        description="simultaneous connections, a whole number from 1 to 1000000; not given: what "
        "the unit's limit of open files allows",
    )
