"""Rows -> lines whose columns stand below each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines; a column is as wide as its longest cell, nothing is folded or cut."""
    every = [heading, *rows]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    return [_line(row, widths) for row in every]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(map(str.ljust, row, widths)).rstrip()
