"""Times as Pacemaker writes them: 20, 20s, 2min, 500ms, PT1M30S. Pure."""

from __future__ import annotations

import re
from typing import Final

_TIME = re.compile(r"\+?(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE)
_UNITS: Final = {
    "": 1.0, "s": 1.0, "sec": 1.0, "ms": 0.001, "msec": 0.001, "us": 1e-6, "usec": 1e-6,
    "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0,
}  # fmt: skip
# ISO 8601, of which days and shorter are of use here.
_DURATION = re.compile(
    r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE
)
_LENGTHS: Final = (604800, 86400, 3600, 60, 1)


def seconds(text: str) -> float | None:
    """Return a time of Pacemaker's in seconds (20, 20s, 2min, PT1M30S); None: it is none."""
    text = text.strip()
    if (found := _DURATION.fullmatch(text)) and any(found.groups()):
        parts = zip(found.groups(), _LENGTHS, strict=True)
        return float(sum(int(part or 0) * length for part, length in parts))
    simple = _TIME.fullmatch(text)
    unit = _UNITS.get(simple[2].lower()) if simple else None
    return float(simple[1]) * unit if simple and unit else None


def leading(text: str) -> int:
    """Return the whole number that a text begins with, as C's atoi does; 0: with none."""
    found = re.match(r"\s*[+-]?\d+", text)
    return int(found[0]) if found else 0
