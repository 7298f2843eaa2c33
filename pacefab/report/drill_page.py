"""Drills -> one HTML page that needs no network: text, tables, and a timeline of each drill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pacefab.report import drill_chart
from pacefab.report.drill import amount, percent, seconds
from pacefab.report.drill_chart import NARROW, WIDTH, draw, letter
from pacefab.report.drill_dips import find_dips, longest
from pacefab.report.pages.page import render_page

_TEMPLATE = "drill.html.j2"
_OBJECTIVES = {
    "recovery": "recovery",
    "worst_stall": "worst stall of a client",
    "vip_away": "VIP away",
    "client_errors": "errors seen by clients",
    "worst_gap": "longest without an acknowledged write",
    "lost": "acknowledged writes lost",
}


def render(data: Mapping[str, Any]) -> str:
    """Return the page for what `report.drill.to_data` returned; times are local ones."""
    dips = [find_dips(drill, data["load"], longest(drill)) for drill in data["drills"]]
    charts = [
        [draw(drill, longest(drill), found, width) for width in (WIDTH, NARROW)]
        for drill, found in zip(data["drills"], dips, strict=True)
    ]
    values = {
        "data": data,
        "charts": charts,
        "dips": dips,
        "letter": letter,
        "amount": amount,
        "objectives": _measured(data),
        "chart": drill_chart,
    }
    filters: dict[str, Callable[..., str]] = {
        "seconds": seconds, "percent": percent, "count": "{:,}".format, "local": local_time,
    }  # fmt: skip
    return render_page(_TEMPLATE, values, filters)


def local_time(when: str) -> str:
    """Return an ISO 8601 time as the clock here shows it, with its zone."""
    local = datetime.fromisoformat(when).astimezone()
    offset = f" (UTC{local:%z})" if local.utcoffset() else ""
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}{offset}"


def _measured(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the titles of the objectives that were measured; without VIPs nothing is of them."""
    has_vips = any(drill.get("has_vips", drill["vips"]) for drill in data["drills"])
    measured = {goal["objective"] for drill in data["drills"] for goal in drill["objectives"]}
    there = measured if has_vips else measured - {"vip_away"}
    return {name: title for name, title in _OBJECTIVES.items() if name in there}
