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
class HaproxySection:
    """A section of the file: its lines, split into words."""

    kind: str
    name: str
    lines: list[list[str]] = field(default_factory=list)

    def values(self, *words: str) -> list[list[str]]:
        """Return what follows these words, of each line that begins with them."""
        return [one[len(words) :] for one in self.lines if one[: len(words)] == list(words)]


@dataclass
class Balancer:
    """What the file says by the inventory's names; `skipped`, `passwords`: what it says besides."""

    proxies: list[dict[str, object]] = field(default_factory=list)
    stats: dict[str, object] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)  # masked


def read_balancer(text: str, vips: Mapping[str, str], nodes: Sequence[str]) -> Balancer:
    """Return the proxies of a file; `vips`: names by address.

    A proxy on an address that is no VIP, or of servers that are not all nodes, says so.
    """
    found = Balancer()
    parts = _sections(text)
    backends = {one.name: one for one in parts if one.kind == "backend"}
    for part in parts:
        if part.values("stats", "enable") or part.values("stats", "uri"):
            _stats(part, found)
        elif part.kind == "listen":
            _proxy(part, part, vips, nodes, found)
        elif part.kind == "frontend":
            names = [one[0] for one in part.values("default_backend") if one]
            backend = backends.get(names[0]) if names else None
            if backend is None:
                found.skipped.append(f"frontend {part.name}: no backend {' '.join(names)}")
            else:
                _proxy(part, backend, vips, nodes, found)
    return found


def _sections(text: str) -> list[HaproxySection]:
    parts: list[HaproxySection] = []
    for raw in text.split("\n"):
        line = raw.split("#")[0].strip()
        start = _SECTION.match(line)
        if start and is_known(line):
            parts.append(HaproxySection(start[1], start[2]))
        elif line and parts:
            parts[-1].lines.append(line.split())
    return parts


def _proxy(
    front: HaproxySection,
    back: HaproxySection,
    vips: Mapping[str, str],
    nodes: Sequence[str],
    found: Balancer,
) -> None:
    binds = [one[0] for one in front.values("bind") if one]
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
        made.update(_timeout(front, back))
        same = [
            one for one in found.proxies if (one["vip"], one["port"]) == (made["vip"], made["port"])
        ]
        if same:
            found.skipped.append(f"{front.kind} {front.name}: {same[0]['name']} has {bind} already")
        else:
            found.proxies.append(made)


def _servers(back: HaproxySection, port: int, nodes: Sequence[str]) -> dict[str, object]:
    made: dict[str, object] = {}
    servers = [one for one in back.values("server") if len(one) > 1]
    ports = {one[1].rpartition(":")[2] for one in servers}
    if len(ports) == 1 and (only := ports.pop()).isdigit() and int(only) != port:
        made["backend_port"] = int(only)
    checked = any("port" in one for one in servers) or port == _GALERA_PORT
    if back.values("option", "httpchk") and checked:
        made["check"] = "galera"
    elif (asked := back.values("option", "httpchk")) and back.values("mode", "http"):
        made["check"] = "http"
        paths = [word for word in asked[0] if word.startswith("/")]
        made.update({"check_path": paths[0]} if paths else {})
    if servers and all("backup" in one for one in servers[1:]) and len(servers) > 1:
        made["active"] = "one"
    balance = [one[0] for one in back.values("balance") if one and one[0] in _BALANCES]
    made.update({"balance": balance[0]} if balance else {})
    names = [one[0] for one in servers]
    if names and set(names) != set(nodes) and all(is_known(one[1]) for one in servers):
        made["servers"] = [
            one[0] if one[0] in nodes else one[1].rpartition(":")[0] for one in servers
        ]
    return made


def _timeout(front: HaproxySection, back: HaproxySection) -> dict[str, object]:
    """Return the longer one of both sides' timeouts, in seconds."""
    texts = [
        one[0]
        for one in [*front.values("timeout", "client"), *back.values("timeout", "server")]
        if one
    ]
    seconds = [
        float(part[1]) * _SECONDS[part[2] or ""]
        for text in texts
        if (part := _TIME.match(text[:12]))
    ]
    return {"timeout": min(max(1, int(max(seconds))), _MOST_SECONDS)} if seconds else {}


def _stats(part: HaproxySection, found: Balancer) -> None:
    binds = [one[0].rpartition(":")[2] for one in part.values("bind") if one]
    if binds and binds[0].isdigit():
        found.stats["port"] = int(binds[0])
    users = [one[0].partition(":")[0] for one in part.values("stats", "auth") if one]
    if users and is_known(users[0]) and users[0] != "admin":
        found.stats["user"] = users[0]
    found.passwords += [f"stats auth {user}:***" for user in users]
    if not users:
        found.skipped.append("statistics without a password: they get one (secret haproxy_stats)")
