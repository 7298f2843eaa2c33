"""Drills -> one HTML page that needs no network: text, tables, and a timeline of each drill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pacefab.report import drill_chart
from pacefab.report.drill import amount, percent, seconds
from pacefab.report.drill_chart import NARROW, WIDTH, draw, letter
from pacefab.report.drill_dips import find_dips, longest
from pacefab.report.stream import clean

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
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # 50 ms

    environment = Environment(
        loader=PackageLoader("pacefab.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )
    environment.filters |= {
        "seconds": seconds, "percent": percent, "count": "{:,}".format, "local": local_time,
    }  # fmt: skip
    dips = [find_dips(drill, data["load"], longest(drill)) for drill in data["drills"]]
    charts = [
        [draw(drill, longest(drill), found, width) for width in (WIDTH, NARROW)]
        for drill, found in zip(data["drills"], dips, strict=True)
    ]
    return environment.get_template(_TEMPLATE).render(
        data=data,
        charts=charts,
        dips=dips,
        letter=letter,
        amount=amount,
        objectives=_measured(data),
        chart=drill_chart,
    )


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


def _clean(value: object) -> object:
    """Return what a page may hold: nothing unprintable of what nodes said."""
    from markupsafe import Markup  # noqa: PLC0415  # comes with jinja2

    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
