"""Rows -> lines whose columns stand below each other, within a width where there is one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from pacefab.report.stream import one_line

_GAP = "  "


def table(
    heading: Sequence[str], rows: Iterable[Sequence[str]], width: int | None = None
) -> list[str]:
    """Return the lines; a column is as wide as its longest cell, nothing is cut.

    What does not fit `width` goes on in a second block below the first, each with the first column;
    so the columns that matter most come first. A cell that is too long for that is folded.
    """
    every = [[one_line(cell) for cell in row] for row in (heading, *rows)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    if width is None or sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        return [_line(row, widths) for row in every]
    widths = [min(n, _share(place, width)) for place, n in enumerate(widths)]
    blocks = list(_blocks(widths, width))
    lines: list[str] = []
    for block in blocks:
        lines += [""] if lines else []
        chosen = [widths[place] for place in block]
        for row in every:
            lines += _folded([row[place] for place in block], chosen)
    return lines


def _share(place: int, width: int) -> int:
    """Return the most that a column gets: the first a third, so that another fits beside it."""
    return width // 3 if place == 0 else width - width // 3 - len(_GAP)


def _blocks(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Yield the columns of each block, as many as fit."""
    block, used = [0], widths[0]
    for place in range(1, len(widths)):
        needed = len(_GAP) + widths[place]
        if len(block) > 1 and used + needed > width:
            yield block
            block, used = [0], widths[0]
        block.append(place)
        used += needed
    yield block


def _folded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    cells = [textwrap.wrap(cell, max(n, 1)) for cell, n in zip(row, widths, strict=True)]
    for place in range(max(map(len, cells))):
        yield _line([cell[place] if place < len(cell) else "" for cell in cells], widths)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(map(str.ljust, row, widths)).rstrip()
