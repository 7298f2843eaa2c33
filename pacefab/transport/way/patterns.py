"""OpenSSH's patterns: `*`, `?` and lists with `!` (PATTERNS in ssh_config(5))."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable


def matches(name: str, pattern: str) -> bool:
    """Whether a name is one of the pattern's; brackets mean themselves."""
    return bool(_compiled(pattern).fullmatch(name))


def matches_list(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is one of a list's: one pattern says so, and none with `!` says no."""
    found = False
    for pattern in patterns:
        negated, plain = pattern.startswith("!"), pattern.removeprefix("!")
        if matches(name, plain):
            if negated:
                return False
            found = True
    return found


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)
