"""Drills -> a table for the screen, and the values that JSON and the HTML page share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from pacefab.drill.drill import DrillReport
from pacefab.drill.fencing import FencingFigures
from pacefab.drill.figures import Figures, ObjectiveResult, VipMove
from pacefab.drill.timeline import Trace, Window
from pacefab.report.stream import json_text
from pacefab.report.table import table

_VIPS = "VIPs away"  # left out where the cluster has none
_ELSEWHERE = "what ran there elsewhere:"
_SWITCH_ON = "see its console, and switch it on by its management board"
_UNGUARDED = "without fencing, nothing keeps a cluster from that"


def render_text(report: DrillReport, width: int | None = None) -> list[str]:
    """Return the table, what was missed, and whether the cluster is healthy again."""
    header, *rows = _rows(report)
    lines = table(header, rows, width)
    for result in report.results:
        lines += _fencing(result.trace, result.figures.fencing)
        missed = [_missed(verdict) for verdict in result.figures.verdicts if not verdict.passed]
        lines += [f"{_title(result.trace)}: {text}" for text in missed]
    if report.unhealthy:
        next_step = "next: fab drill --undo, then fab status: it shows what is left to fix"
        return [*lines, "", "the cluster is NOT healthy:", *report.unhealthy, next_step]
    verdict = "all objectives met" if report.passed else "objectives missed"
    return [*lines, "", f"{verdict}; the cluster is healthy"]


def _title(trace: Trace) -> str:
    return f"{trace.fault.name} on {trace.node}"


def _fencing(trace: Trace, figures: FencingFigures) -> list[str]:
    """Return what fencing did, and what it did not: a line for each."""
    lines = [*figures.wrong]
    if figures.switched:
        off = "" if figures.off is None else f" after {seconds(figures.off)}"
        there, back = seconds(figures.elsewhere), seconds(figures.back)
        lines.insert(0, f"{' and '.join(figures.switched)} off{off}, {_ELSEWHERE} {there}")
        lines.insert(1, f"back in the cluster: {back}")
    if trace.fencing:
        lines += [f"{node} is off, or boots still: {_SWITCH_ON}" for node in trace.boots.silent]
    else:
        lines += [f"{twice}: {_UNGUARDED}" for twice in figures.twice]
    if trace.fencing and trace.boots.before and not figures.twice and not figures.unrecorded:
        lines.append("nothing was active on two nodes at once")
    if figures.unrecorded:
        lines.append(f"what was active there was not recorded: {', '.join(figures.unrecorded)}")
    return [f"{_title(trace)}: {line}" for line in lines]


def _rows(report: DrillReport) -> list[list[str]]:
    """Return the table's header and rows."""
    rows = [_row(result.trace, result.figures) for result in report.results]
    vips = any(_has_vips(result.trace) for result in report.results)
    shown = [[cell for cell in row if vips or cell[0] != _VIPS] for row in rows]
    header = [title for title, _ in shown[0]]
    return [header, *([text for _, text in row] for row in shown)]


def style(line: str) -> str:
    """Return the colour of a line: the verdict's."""
    if line.startswith(("all objectives met;", "objectives missed;")):
        return "green" if line.startswith("all") else "red"
    if line.startswith("the cluster is "):
        return "green" if line.endswith("is healthy") else "red"
    return ""


def _missed(verdict: ObjectiveResult) -> str:
    measured = "never" if verdict.measured is None else amount(verdict.objective, verdict.measured)
    return f"{verdict.objective} {measured}, at most {amount(verdict.objective, verdict.limit)}"


def amount(objective: str, value: float) -> str:
    """Return a value of an objective with its unit."""
    return str(int(value)) if objective in {"client_errors", "lost"} else seconds(value)


def seconds(value: float | None) -> str:
    """Return a time for people: 0.012 s, 1.25 s, 41.2 s, and 30 s as it is; None is never."""
    if value is None:
        return "never"
    if value == int(value):
        return f"{value:.0f} s"
    digits = 3 if value < 0.1 else 2 if value < 10 else 1  # noqa: PLR2004
    return f"{value:.{digits}f} s"


def percent(ratio: float | None) -> str:
    """Return a ratio for people."""
    return "-" if ratio is None else f"{ratio:.1%}"


def _row(trace: Trace, figures: Figures) -> list[tuple[str, str]]:
    """Return the columns' titles and cells."""
    away = [f"{move.resource} {seconds(move.away)}" for move in figures.vips]
    return [
        ("drill", trace.fault.name),
        ("node", trace.node),
        ("noticed", seconds(figures.noticed)),
        ("recovered", seconds(figures.recovered)),
        *_clients(trace, figures),
        (_VIPS, ", ".join(away) or "-"),
        ("objectives", "met" if figures.passed else "MISSED"),
    ]


def _clients(trace: Trace, figures: Figures) -> Iterator[tuple[str, str]]:
    """Yield what clients saw; what is said of a cache is not what is said of a store."""
    lost, errors = f"{figures.items_lost} of {figures.items_stored}", str(figures.client_errors)
    if not trace.kept:
        yield "worst stall", seconds(figures.worst_stall)
        yield "errors", errors
        yield "lowest hit ratio", percent(figures.hit_ratio_lowest)
        yield "items lost", lost
        return
    yield "worst gap", seconds(figures.worst_gap)
    yield "errors", errors
    yield "writes lost", lost
    if figures.redelivered is not None:
        yield "redelivered", str(figures.redelivered)


def render_json(report: DrillReport) -> str:
    """Return the shape that README documents; keys are added in later versions, never renamed."""
    return json_text(to_data(report), indent=1) + "\n"


def to_data(report: DrillReport) -> dict[str, Any]:
    """Return the report as plain data; times are seconds from the failure."""
    return {
        "cluster": report.cluster,
        "service": report.service,
        "begun": report.begun,
        "operator": report.operator,
        "versions": dict(report.versions),
        "passed": report.passed,
        "healthy_after": not report.unhealthy,
        "reasons": list(report.unhealthy),
        "objectives": dict(report.objectives.items()),
        "load": {
            "what": report.load.what,
            "operations_per_second": report.rate,
            "threads": report.load.threads,
            "servers": list(map(str, report.load.servers)),
            "options": dict(report.load.options),
        },
        "drills": [_drill(result.trace, result.figures) for result in report.results],
    }


def _drill(trace: Trace, figures: Figures) -> dict[str, Any]:
    return {
        "kind": trace.fault.name,
        "what": trace.fault.what,
        "node": trace.node,
        "begun": trace.begun,
        "passed": figures.passed,
        "noticed_seconds": _round(figures.noticed),
        "undone_seconds": _round(trace.undone - trace.caused),
        "recovered_seconds": _round(figures.recovered),
        "worst_stall_seconds": _round(figures.worst_stall),
        "worst_gap_seconds": _round(figures.worst_gap),
        "client_errors": figures.client_errors,
        "unanswered_sets": figures.unanswered,
        "operations": figures.operations,
        "operations_per_second": _round(figures.operations_per_second, 1),
        "hit_ratio": {
            "before": _round(figures.hit_ratio_before, 4),
            "lowest": _round(figures.hit_ratio_lowest, 4),
            "after": _round(figures.hit_ratio_after, 4),
        },
        "items": {"stored": figures.items_stored, "lost": figures.items_lost},
        "redelivered": figures.redelivered,
        "kept": trace.kept,
        "vips": [_vip(move) for move in figures.vips],
        "has_vips": _has_vips(trace),
        "fencing": _fenced(trace, figures.fencing),
        "objectives": [
            {**asdict(v), "measured": _round(v.measured), "passed": v.passed}
            for v in figures.verdicts
        ],
        "events": [
            {"seconds": _round(event.at - trace.caused), "text": event.text}
            for event in figures.events
        ],
        "timeline": _timeline(trace.windows, trace.caused),
    }  # fmt: skip


def _fenced(trace: Trace, figures: FencingFigures) -> dict[str, Any]:
    zero = trace.caused
    return {
        "enabled": trace.fencing,
        "switched_off": list(figures.switched),
        "off_seconds": _round(figures.off),
        "elsewhere_seconds": _round(figures.elsewhere),
        "back_seconds": _round(figures.back),
        "recorded": [each.node for each in trace.recordings if each.times],
        "active_twice": [
            {
                "resource": twice.what, "nodes": list(twice.nodes),
                "from_seconds": _round(twice.at - zero), "seconds": _round(twice.seconds),
            }
            for twice in figures.twice
        ],
        "wrong": list(figures.wrong),
    }  # fmt: skip


def _has_vips(trace: Trace) -> bool:
    return bool(trace.samples and trace.samples[0].vips)


def _vip(move: VipMove) -> dict[str, Any]:
    away = _round(move.away)
    return {
        "resource": move.resource, "from": move.source, "to": move.target, "away_seconds": away
    }  # fmt: skip


def _timeline(windows: Sequence[Window], zero: float) -> dict[str, Any]:
    """Return one list a quantity, a place for each window; a ratio of nothing is null."""
    looked = [window.hit + window.miss for window in windows]
    return {
        "seconds": [_round(window.at - zero) for window in windows],
        "operations": [window.operations for window in windows],
        "hit_ratio": [
            _round(window.hit / total, 4) if total else None
            for window, total in zip(windows, looked, strict=True)
        ],
        "median_seconds": [_round(window.median, 5) for window in windows],
        "worst_seconds": [_round(window.worst, 5) for window in windows],
        "errors": [window.error for window in windows],
        "unanswered_sets": [window.unanswered for window in windows],
    }


def _round(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
