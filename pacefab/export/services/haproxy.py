"""haproxy.cfg as the service writes it -> proxies by name, the page of statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pacefab.export.draft import made
from pacefab.export.services.reading import Data, ServicesShown
from pacefab.export.words import Unsayable
from pacefab.legacy.draft.haproxy_file import (
    ProxySection,
    read_backend_port,
    read_sections,
    read_timeout,
)
from pacefab.services.haproxy.section import Stats
from pacefab.services.haproxy.service import CONFIG

_STATS = "stats"


def read_haproxy(shown: ServicesShown) -> Data:
    """Return the settings of a file; addresses of VIPs that have a name go by that."""
    parts = read_sections(shown.first(CONFIG)[1])
    vips = shown.sections.get("vips")
    names = {vip.address: vip.name for vip in vips.addresses} if vips else {}
    backends = {part.name: part for part in parts if part.kind == "backend"}
    fronts = [part for part in parts if part.kind == "frontend"]
    proxies = [
        _proxy(front, backends.get(front.name), names, shown.membership.names)
        for front in fronts
        if not front.values("stats", "enable")
    ]
    limits = [n for part in parts if part.kind == "global" for n in part.firsts("maxconn")]
    found = {"stats": _stats(parts), "proxies": proxies}
    most = int(limits[0]) if limits and limits[0].isdecimal() else None
    return made({**found, "max_connections": most})


def _proxy(
    front: ProxySection, back: ProxySection | None, vips: Mapping[str, str], nodes: Sequence[str]
) -> Data:
    address, port = _bound(front)
    if back is None:
        raise Unsayable(f"frontend {front.name} has no backend of its name")
    servers = [server for server in back.values("server") if len(server) > 1]
    names = [server[0] for server in servers]
    balance = "".join(back.firsts("balance"))
    return made(
        {
            "name": front.name,
            "vip": vips.get(address, address),
            "port": port,
            **read_backend_port(servers, port),
            "mode": "http" if back.values("mode", "http") else "",
            **_check(back),
            "balance": balance if balance != "roundrobin" else "",
            "active": "one" if back.values("stick") else "",
            "servers": names if names != list(nodes) else [],
            **read_timeout(front, back),
        }
    )


def _bound(part: ProxySection) -> tuple[str, int]:
    """Return where a part listens: address and port."""
    address, _, port = next(iter(part.firsts("bind")), "").rpartition(":")
    if not port.isdecimal():
        raise Unsayable(f"frontend {part.name} is bound nowhere")
    return address.strip("[]"), int(port)


def _check(back: ProxySection) -> Data:
    asked = back.values("option", "httpchk", "GET")
    if not asked:
        return {}
    if any("port" in words for words in back.values("default-server")):
        return {"check": "galera"}
    path = "".join(asked[0])
    return {"check": "http", "check_path": path if path != "/" else ""}


def _stats(parts: Sequence[ProxySection]) -> Data | None:
    """Return the page of statistics; its defaults are written only where it has no other."""
    page = next((part for part in parts if part.values("stats", "enable")), None)
    if page is None:
        return None
    lists = (part for part in parts if (part.kind, part.name) == ("userlist", _STATS))
    users = [user for part in lists for user in part.firsts("user")]
    return {"port": _bound(page)[1], "user": users[0] if users else Stats().user}
