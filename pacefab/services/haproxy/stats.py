"""What HAProxy says of itself at its socket: proxies and servers up and down, sessions. Pure.

The commands and columns are those of HAProxy's Management Guide (9.1, "CSV format"; 9.3).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pacefab.services.figures import Alert, Figure, Value, span

COMMAND = "show info;show stat -1 6 -1\n"  # 6: backends (2) and servers (4), of every proxy

_BACKEND = "BACKEND"  # the row of a proxy's servers as a whole
_UP = ("UP", "no check")

FIGURES = (
    Figure("version", "Version of HAProxy", "info", column="version"),
    Figure(
        "uptime_seconds", "Time since its start or its last reload", column="uptime",
        show=lambda figures: span(figures["uptime_seconds"]),
    ),
    Figure(
        "proxies_up", "Proxies that have a server up", column="proxies up",
        show=lambda figures: _of(figures, "proxies"),
    ),
    Figure("proxies_down", "Proxies that have no server up"),
    Figure(
        "servers_up", "Servers up, each counted for each of its proxies", column="servers up",
        show=lambda figures: _of(figures, "servers"),
    ),
    Figure("servers_down", "Servers down, each counted for each of its proxies"),
    Figure(
        "sessions", "Open connections of clients", column="sessions",
        alert=Alert("HaproxyNearlyFull", "> 0.9 * pacefab_haproxy_sessions_limit"),
    ),
    Figure("sessions_limit", "Connections of clients that are accepted at a time"),
    Figure("connections", "Connections of clients since its start", "counter"),
)  # fmt: skip


def _of(figures: Mapping[str, Value], what: str) -> str:
    up, down = int(figures[f"{what}_up"]), int(figures[f"{what}_down"])
    return f"{up} of {up + down}"


@dataclass(frozen=True)
class Statistics:
    """The answer to `COMMAND`: fields of `show info`, whether each proxy and each server is up."""

    info: Mapping[str, str]
    proxies: Mapping[str, bool]
    servers: tuple[bool, ...]

    @property
    def figures(self) -> dict[str, Value]:
        """The values of `FIGURES`."""
        return {
            "version": self.info.get("Version", ""),
            "uptime_seconds": self._number("Uptime_sec"),
            "proxies_up": sum(self.proxies.values()),
            "proxies_down": len(self.down),
            "servers_up": sum(self.servers),
            "servers_down": len(self.servers) - sum(self.servers),
            "sessions": self._number("CurrConns"),
            "sessions_limit": self._number("Maxconn"),
            "connections": self._number("CumConns"),
        }

    @property
    def down(self) -> tuple[str, ...]:
        """The proxies that have no server up."""
        return tuple(name for name, up in self.proxies.items() if not up)

    def _number(self, name: str) -> int:
        return int(self.info.get(name, "0") or 0)


def parse(text: str) -> Statistics:
    """Return what the answer says.

    Raises:
        ValueError: this is none of HAProxy's.
    """
    info, mark, table = text.partition("# pxname,")
    fields = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
    if not mark or fields.get("Name") != "HAProxy":
        raise ValueError(f"it said {text.strip()[:60]!r}")
    rows = list(_rows(f"pxname,{table}"))
    return Statistics(
        fields,
        {row["pxname"]: _is_up(row) for row in rows if row["svname"] == _BACKEND},
        tuple(_is_up(row) for row in rows if row["svname"] != _BACKEND),
    )


def _rows(table: str) -> Iterator[Mapping[str, str]]:
    return (row for row in csv.DictReader(table.splitlines()) if row.get("status"))


def _is_up(row: Mapping[str, str]) -> bool:
    return row["status"].startswith(_UP)
