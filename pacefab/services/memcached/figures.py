"""What memcached's statistics say of an instance, and how each of them is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.services.figures import Figure, Value, span
from pacefab.services.memcached.probe import Answer

_MIB = 1024 * 1024


def _memory(figures: Mapping[str, Value]) -> str:
    used, limit = float(figures["memory_used_bytes"]), int(figures["memory_limit_bytes"])
    return f"{used / _MIB:.1f} of {limit // _MIB}"


FIGURES = (
    Figure("answer_seconds", "Time of a set, a get and a delete"),
    Figure("version", "Version of memcached", "info", column="version"),
    Figure(
        "uptime_seconds", "Time since its start", column="uptime",
        show=lambda figures: span(figures["uptime_seconds"]),
    ),
    Figure("items", "Items in the cache", column="items"),
    Figure(
        "memory_used_bytes", "Memory that items use", metric="used_bytes",
        column="memory MiB", show=_memory,
    ),
    Figure("memory_limit_bytes", "Memory that items may use", metric="limit_bytes"),
    Figure(
        "hit_ratio", "Gets that found their key, of all", metric="-",
        column="hit ratio", show=lambda figures: f"{figures['hit_ratio']:.1%}",
    ),
    Figure("evictions", "Items thrown out for lack of memory", "counter", column="evictions"),
    Figure("connections", "Open connections", column="connections"),
    Figure("get_hits", "Gets that found their key", "counter"),
    Figure("get_misses", "Gets that did not", "counter"),
)  # fmt: skip


def read(answer: Answer) -> dict[str, Value]:
    """Return the values of `FIGURES` from the answer of one that serves."""
    found: dict[str, Value] = {
        "answer_seconds": answer.seconds,
        "version": answer.stats.get("version", ""),
        "uptime_seconds": answer.number("uptime"),
        "items": answer.number("curr_items"),
        "memory_used_bytes": answer.number("bytes"),
        "memory_limit_bytes": answer.number("limit_maxbytes"),
        "evictions": answer.number("evictions"),
        "connections": answer.number("curr_connections"),
        "get_hits": answer.number("get_hits"),
        "get_misses": answer.number("get_misses"),
    }
    ratio = answer.hit_ratio
    return found if ratio is None else found | {"hit_ratio": ratio}
