"""Alert rules for Prometheus and a Grafana dashboard, of the table that metrics are made of.

`scripts/monitoring` writes them into `docs/monitoring`; a test compares.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from docs.generator import metrics
from pacefab.report import prometheus
from pacefab.report.prometheus import Metric

_STALE = 'time() - node_textfile_mtime_seconds{file=~".*pacefab.*"} > 300'
_WIDTH, _HEIGHT, _COLUMNS = 8, 7, 3  # of a panel, in Grafana's grid of 24 columns


def render_rules() -> str:
    """Return the rules; JSON's quoting is YAML's too."""
    rules = [*_rules(), *_rule("PacefabNotWritten", _STALE, 5, "status has not been written")]
    head = "# Written by scripts/monitoring from the table of metrics: changes are overwritten."
    return "\n".join([head, "groups:", "  - name: pacefab", "    rules:", *rules, ""])


def _rules() -> Iterator[str]:
    for metric in _metrics():
        if metric.alert:
            expression = f"{metric.full_name}{_joined(metric.alert.when)}"
            summary = f"{_where(metric)}: {metric.help}: {{{{ $value }}}}"
            yield from _rule(metric.alert.name, expression, metric.alert.minutes, summary)


def _joined(when: str) -> str:
    return when if when.startswith("{") else f" {when}"


def _where(metric: Metric) -> str:
    labels = [name for name in metric.samples[0][0] if name != "verdict"] if metric.samples else []
    return ", ".join(f"{name} {{{{ $labels.{name} }}}}" for name in ("cluster", *labels))


def _rule(name: str, expression: str, minutes: int, summary: str) -> Iterator[str]:
    yield f"      - alert: {name}"
    yield f"        expr: {json.dumps(expression)}"
    yield f"        for: {minutes}m"
    yield "        annotations:"
    yield f"          summary: {json.dumps(summary)}"


def render_dashboard() -> str:
    """Return a dashboard: one row of panels after the other, a panel for each metric."""
    shown = [metric for metric in _metrics() if not metric.name.endswith("_info")]
    dashboard = {
        "title": "pacefab",
        "uid": "pacefab",
        "schemaVersion": 37,
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_variable("source", "datasource", "prometheus"), _CLUSTER]},
        "panels": [_panel(place, metric) for place, metric in enumerate(shown)],
    }
    return json.dumps(dashboard, indent=2) + "\n"


def _variable(name: str, kind: str, query: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "query": query}


_SOURCE = {"type": "prometheus", "uid": "${source}"}
_CLUSTER = {
    **_variable("cluster", "query", "label_values(pacefab_cluster_verdict, cluster)"),
    "datasource": _SOURCE,
    "refresh": 2,
}


def _panel(place: int, metric: Metric) -> dict[str, Any]:
    selected = f'{metric.full_name}{{cluster="$cluster"}}'
    counts = metric.kind == "counter"
    labels = list(metric.samples[0][0])
    return {
        "id": place + 1,
        "type": "timeseries",
        "title": metric.help,
        "description": metric.full_name + (", per second" if counts else ""),
        "datasource": _SOURCE,
        "gridPos": {
            "x": place % _COLUMNS * _WIDTH,
            "y": place // _COLUMNS * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": _unit(metric.name)}, "overrides": []},
        "targets": [
            {
                "refId": "A",
                "expr": f"rate({selected}[5m])" if counts else selected,
                "legendFormat": " ".join(f"{{{{{name}}}}}" for name in labels) or metric.name,
            }
        ],
    }


def _unit(name: str) -> str:
    """Return Grafana's name for the unit that a metric's name ends with."""
    units = {"_seconds": "s", "_bytes": "bytes", "_ratio": "percentunit"}
    return next((unit for ending, unit in units.items() if name.endswith(ending)), "short")


def _metrics() -> list[Metric]:
    return prometheus.metrics(metrics.sample())


FILES: Mapping[str, Callable[[], str]] = {
    "pacefab.rules.yaml": render_rules,
    "pacefab.dashboard.json": render_dashboard,
}
