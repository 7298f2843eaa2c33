"""A haproxy.cfg that scripts wrote -> the proxies of the service haproxy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pacefab.legacy.unknown import is_known

PATH = "/etc/haproxy/haproxy.cfg"
_SECTION = re.compile(r"(global|defaults|frontend|backend|listen|userlist|peers)\b\s*(\S*)")
_TIME = re.compile(r"(\d+)(ms|s|m|h|d)?$")
_SECONDS = {"": 0.001, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BALANCES = {"leastconn", "source"}
_GALERA_PORT = 3306
_MOST_SECONDS = 86400


@dataclass
class ProxySection:
    """A section of the file: its lines, split into words."""

    kind: str
    name: str
    lines: list[list[str]] = field(default_factory=list)

    def values(self, *words: str) -> list[list[str]]:
        """Return what follows these words, of each line that begins with them."""
        return [line[len(words) :] for line in self.lines if line[: len(words)] == list(words)]

    def firsts(self, *words: str) -> list[str]:
        """Return the first word that follows these words, of each such line."""
        return [values[0] for values in self.values(*words) if values]


@dataclass
class Balancer:
    """What the file says by the inventory's names; `skipped`, `passwords`: what else it says."""

    proxies: list[dict[str, object]] = field(default_factory=list)
    stats: dict[str, object] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)  # masked


def read_balancer(text: str, vips: Mapping[str, str], nodes: Sequence[str]) -> Balancer:
    """Return the proxies of a file; `vips`: names by address.

    A proxy on an address that is no VIP, or of servers that are not all nodes, says so.
    """
    found = Balancer()
    parts = read_sections(text)
    backends = {part.name: part for part in parts if part.kind == "backend"}
    for part in parts:
        if part.values("stats", "enable") or part.values("stats", "uri"):
            _stats(part, found)
        elif part.kind in {"listen", "frontend"}:
            back = part if part.kind == "listen" else _backend(part, backends, found)
            if back is not None:
                _proxy(part, back, vips, nodes, found)
    return found


def _backend(
    front: ProxySection, backends: Mapping[str, ProxySection], found: Balancer
) -> ProxySection | None:
    """Return the backend that a frontend names; None, and a remark, when there is none."""
    names = front.firsts("default_backend")
    backend = backends.get(names[0]) if names else None
    if backend is None:
        found.skipped.append(f"frontend {front.name}: no backend {' '.join(names)}")
    return backend


def read_sections(text: str) -> list[ProxySection]:
    """Return the sections of a file in their order; comments are left out."""
    parts: list[ProxySection] = []
    for raw in text.split("\n"):
        line = raw.split("#")[0].strip()
        start = _SECTION.match(line)
        if start and is_known(line):
            parts.append(ProxySection(start[1], start[2]))
        elif line and parts:
            parts[-1].lines.append(line.split())
    return parts


def _proxy(
    front: ProxySection,
    back: ProxySection,
    vips: Mapping[str, str],
    nodes: Sequence[str],
    found: Balancer,
) -> None:
    binds = front.firsts("bind")
    for bind in binds:
        address, _, port = bind.rpartition(":")
        if not is_known(bind) or not port.isdigit() or address in {"", "*", "0.0.0.0"}:  # noqa: S104
            found.skipped.append(f"{front.kind} {front.name}: bind {bind}")
            continue
        name = front.name.removeprefix("vip-")
        name = name if len(binds) == 1 else f"{name}-{port}"
        made: dict[str, object] = {
            "name": name, "vip": vips.get(address, address), "port": int(port)
        }  # fmt: skip
        made.update(_servers(back, int(port), nodes))
        made.update(read_timeout(front, back))
        same = [
            proxy
            for proxy in found.proxies
            if (proxy["vip"], proxy["port"]) == (made["vip"], made["port"])
        ]
        if same:
            found.skipped.append(f"{front.kind} {front.name}: {same[0]['name']} has {bind} already")
        else:
            found.proxies.append(made)


def _servers(back: ProxySection, port: int, nodes: Sequence[str]) -> dict[str, object]:
    """Return the keys of a proxy that its backend decides."""
    servers = [server for server in back.values("server") if len(server) > 1]
    made = {**read_backend_port(servers, port), **_check(back, servers, port)}
    if len(servers) > 1 and all("backup" in server for server in servers[1:]):
        made["active"] = "one"
    balance = [name for name in back.firsts("balance") if name in _BALANCES]
    if balance:
        made["balance"] = balance[0]
    return {**made, **_server_names(servers, nodes)}


def read_backend_port(servers: Sequence[Sequence[str]], port: int) -> dict[str, object]:
    """Return the one port that all servers have, where it is another than the proxy's."""
    ports = {server[1].rpartition(":")[2] for server in servers}
    only = ports.pop() if len(ports) == 1 else ""
    return {"backend_port": int(only)} if only.isdigit() and int(only) != port else {}


def _check(back: ProxySection, servers: Sequence[Sequence[str]], port: int) -> dict[str, object]:
    asked = back.values("option", "httpchk")
    if not asked:
        return {}
    if port == _GALERA_PORT or any("port" in server for server in servers):
        return {"check": "galera"}
    if not back.values("mode", "http"):
        return {}
    paths = [word for word in asked[0] if word.startswith("/")]
    return {"check": "http", **({"check_path": paths[0]} if paths else {})}


def _server_names(servers: Sequence[Sequence[str]], nodes: Sequence[str]) -> dict[str, object]:
    """Return the servers by name, or by address where that is no node; nothing for all nodes."""
    names = {server[0] for server in servers}
    if names in (set(), set(nodes)) or not all(is_known(server[1]) for server in servers):
        return {}
    return {
        "servers": [
            server[0] if server[0] in nodes else server[1].rpartition(":")[0] for server in servers
        ]
    }


def read_timeout(front: ProxySection, back: ProxySection) -> dict[str, object]:
    """Return the longer of both sides' timeouts, in seconds."""
    texts = [*front.firsts("timeout", "client"), *back.firsts("timeout", "server")]
    times = [found for text in texts if (found := _TIME.match(text[:12]))]
    seconds = [float(found[1]) * _SECONDS[found[2] or ""] for found in times]
    return {"timeout": min(max(1, int(max(seconds))), _MOST_SECONDS)} if seconds else {}


def _stats(part: ProxySection, found: Balancer) -> None:
    ports = [bind.rpartition(":")[2] for bind in part.firsts("bind")]
    if ports and ports[0].isdigit():
        found.stats["port"] = int(ports[0])
    users = [login.partition(":")[0] for login in part.firsts("stats", "auth")]
    if users and is_known(users[0]) and users[0] != "admin":
        found.stats["user"] = users[0]
    found.passwords += [f"stats auth {user}:***" for user in users]
    if not users:
        found.skipped.append("statistics without a password: they get one (secret haproxy_stats)")
