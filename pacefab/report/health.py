"""A cluster's health -> one screen of text, or JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

from pacefab.errors import PacefabError
from pacefab.report import classic
from pacefab.report.table import table
from pacefab.report.text import error_style, render_error
from pacefab.workflows.checks.health import Health, NodeHealth, Verdict

_MIB = 1024 * 1024
_COLUMNS = (
    "node", "Pacemaker", "memcached", "answers", "version", "uptime", "items", "memory MiB",
    "hit ratio", "evictions", "connections",
)  # fmt: skip
_STYLES = {"healthy": "green", "degraded": "red", "unknown": "red", "notice": "yellow"}


def render_text(health: Health, width: int | None = None, *, watched: bool = False) -> list[str]:
    """Return resources, a table of the nodes, and the verdict with its reasons.

    The verdict comes last, as on a terminal that scrolls; where it is `watched` first, as on a
    screen that cuts off what does not fit.
    """
    notices = [f"notice: {notice}" for notice in health.notices]
    resources = [f"cluster {health.cluster}", *classic.render(health.status)]
    nodes = _table(health, width)
    if watched:
        verdict = [*_verdict(health), *_next(health), *notices]
        return [*verdict, "", *nodes, "", *resources]
    return [*resources, "", *nodes, "", *notices, *_verdict(health), *_next(health)]


def render_unknown(error: PacefabError, *, watched: bool = False) -> list[str]:
    """Return why the cluster's state is unknown, in the same order."""
    verdict = [f"{Verdict.UNKNOWN}: no host could report the state of the cluster"]
    return [*verdict, *render_error(error)] if watched else [*render_error(error), *verdict]


def style(line: str) -> str:
    """Return the colour of a line: the verdict, notices and errors have one."""
    word = line.partition(":")[0]
    return _STYLES.get(word) or error_style(line)


def _table(health: Health, width: int | None) -> list[str]:
    count = len(_COLUMNS) if health.has_memcached else _COLUMNS.index("memcached")
    return table(_COLUMNS[:count], [_row(node)[:count] for node in health.nodes], width)


def _verdict(health: Health) -> list[str]:
    if health.verdict is Verdict.HEALTHY:
        if not health.has_memcached:
            return ["healthy: every resource runs"]
        serving = sum(node.answers for node in health.nodes)
        return [f"healthy: memcached serves on {serving} of {len(health.nodes)} nodes"]
    first, *others = health.reasons
    return [f"{health.verdict}: {first}", *(f"          {reason}" for reason in others)]


def _next(health: Health) -> list[str]:
    """Return what to do about failures: Pacemaker remembers them when their cause is gone."""
    resources = dict.fromkeys(f.resource.partition(":")[0] for f in health.status.failures)
    once = "next: once the cause is fixed, have Pacemaker try again: pcs resource cleanup"
    return [f"{once} {resource}" for resource in resources]


def _row(node: NodeHealth) -> tuple[str, ...]:
    answer = node.answer
    if answer is None or not answer.served:
        said = "not asked" if answer is None else f"no: {answer.error}"
        return (node.node, node.pacemaker, node.memcached, said, *["-"] * 7)
    used, limit = answer.number("bytes") / _MIB, answer.number("limit_maxbytes") // _MIB
    ratio = answer.hit_ratio
    return (
        node.node,
        node.pacemaker,
        node.memcached,
        f"yes, {answer.seconds * 1000:.0f} ms",
        answer.stats.get("version", "?"),
        str(timedelta(seconds=answer.number("uptime"))),
        str(answer.number("curr_items")),
        f"{used:.1f} of {limit}",
        "-" if ratio is None else f"{ratio:.1%}",
        str(answer.number("evictions")),
        str(answer.number("curr_connections")),
    )


def render_json(health: Health) -> str:
    """Return the shape that README documents; keys are added in later versions, never renamed."""
    status = health.status
    return _dump(
        {
            "cluster": health.cluster,
            "verdict": str(health.verdict),
            "reasons": list(health.reasons),
            "notices": list(health.notices),
            "quorum": status.quorum,
            "maintenance": status.maintenance,
            "fencing": status.fencing,
            "dc": status.dc,
            "nodes": [_node(node) for node in health.nodes],
            "resources": [dataclasses.asdict(item) for item in status.resources],
            "failures": [dataclasses.asdict(failure) for failure in status.failures],
        }
    )


def render_unknown_json(error: PacefabError) -> str:
    """Return what there is of that shape when the cluster's state is unknown."""
    return _dump({"cluster": None, "verdict": str(Verdict.UNKNOWN), "reasons": [str(error)]})


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2)


def _node(node: NodeHealth) -> dict[str, Any]:
    answer = node.answer
    said: dict[str, Any] = {
        "node": node.node,
        "pacemaker": node.pacemaker,
        "memcached": node.memcached,
        "address": node.target.address if node.target else None,
        "port": node.target.port if node.target else None,
        "asked_from": node.asked_from,
        "answers": node.answers,
        "error": (answer.error or None) if answer else None,
    }
    if answer is None or not answer.served:
        return said
    return said | {
        "version": answer.stats.get("version"),
        "uptime_seconds": answer.number("uptime"),
        "items": answer.number("curr_items"),
        "memory_used_bytes": answer.number("bytes"),
        "memory_limit_bytes": answer.number("limit_maxbytes"),
        "hit_ratio": answer.hit_ratio,
        "evictions": answer.number("evictions"),
        "connections": answer.number("curr_connections"),
    }
