"""Drills -> one HTML page that needs no network: text, tables, and a timeline of each drill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pacefab.report import drill_chart
from pacefab.report.drill import amount, percent, seconds

_TEMPLATE = "drill.html.j2"
_OBJECTIVES = {
    "recovery": "recovery",
    "worst_stall": "worst stall of a client",
    "vip_away": "VIP away",
    "client_errors": "errors seen by clients",
}


def render(data: Mapping[str, Any]) -> str:
    """Return the page for what `report.drill.to_data` returned."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # 50 ms

    environment = Environment(
        loader=PackageLoader("pacefab.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"seconds": seconds, "percent": percent, "count": "{:,}".format}
    template = environment.get_template(_TEMPLATE)
    charts = [drill_chart.draw(drill, data["objectives"]) for drill in data["drills"]]
    return template.render(
        data=data, charts=charts, amount=amount, objectives=_OBJECTIVES, chart=drill_chart
    )
