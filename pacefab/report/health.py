"""A cluster's health -> one screen of text, or JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

from pacefab.errors import PacefabError
from pacefab.report import classic
from pacefab.report.table import table
from pacefab.workflows.checks.health import Health, NodeHealth, Verdict

_MIB = 1024 * 1024
_COLUMNS = (
    "node", "Pacemaker", "memcached", "answers", "version", "uptime", "items", "memory MiB",
    "hit ratio", "evictions", "connections",
)  # fmt: skip


def render_text(health: Health) -> list[str]:
    """Return resources, a table of the nodes, and the verdict with its reasons."""
    lines = [f"cluster {health.cluster}", *classic.render(health.status), ""]
    notices = [f"notice: {notice}" for notice in health.notices]
    return [*lines, *_table(health), "", *notices, *_verdict(health), *_next(health)]


def _table(health: Health) -> list[str]:
    width = len(_COLUMNS) if health.has_memcached else _COLUMNS.index("memcached")
    return table(_COLUMNS[:width], [_row(node)[:width] for node in health.nodes])


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
    once = "next: once the cause is mended, have Pacemaker try again: pcs resource cleanup"
    return [f"{once} {resource}" for resource in resources]


def _row(one: NodeHealth) -> tuple[str, ...]:
    answer = one.answer
    if answer is None or not answer.served:
        said = "not asked" if answer is None else f"no: {answer.error}"
        return (one.node, one.pacemaker, one.memcached, said, *["-"] * 7)
    used, limit = answer.number("bytes") / _MIB, answer.number("limit_maxbytes") // _MIB
    ratio = answer.hit_ratio
    return (
        one.node,
        one.pacemaker,
        one.memcached,
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
    """Return what there is of that shape when nobody could tell."""
    return _dump({"cluster": None, "verdict": str(Verdict.UNKNOWN), "reasons": [str(error)]})


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2)


def _node(one: NodeHealth) -> dict[str, Any]:
    answer = one.answer
    said: dict[str, Any] = {
        "node": one.node,
        "pacemaker": one.pacemaker,
        "memcached": one.memcached,
        "address": one.target.address if one.target else None,
        "port": one.target.port if one.target else None,
        "asked_from": one.asked_from,
        "answers": one.answers,
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
