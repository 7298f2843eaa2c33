"""Text of the code as Markdown: escaped, in tables, in definition lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\*_\[\]<>|$`])")


def escape(text: str) -> str:
    """Return plain text so that Markdown shows it as it is; what stands in backticks stays code."""
    parts = text.split("`")
    plain = [_SPECIAL.sub(r"\\\1", part) if n % 2 == 0 else part for n, part in enumerate(parts)]
    return "`".join(plain) if len(parts) % 2 else _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """Return text as code, also in a table's cell."""
    return f"`{text}`".replace("|", "\\|")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
