"""Pieces of a word: which of its nodes are expanded or quoted, and what braces make of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pacefab.legacy.bash.braces import braces
from pacefab.legacy.bash.splitting import PartKind, WordPart
from pacefab.legacy.bash.syntax import Node

EXPANSIONS = {
    "simple_expansion", "expansion", "command_substitution", "arithmetic_expansion",
    "process_substitution",
}  # fmt: skip
QUOTED = {"string", "translated_string", "raw_string", "ansi_c_string"}
_FIRST_STAND_IN, _LAST_STAND_IN = 0xE100, 0xF0FF  # characters for parts of a word


def variants(parts: list[WordPart]) -> list[list[WordPart]]:
    """Return what braces make of a word: they are read before anything in it is expanded."""
    if not any(part.kind is PartKind.LITERAL and "{" in part.text for part in parts):
        return [parts]
    if len(parts) > _LAST_STAND_IN - _FIRST_STAND_IN:
        return [parts]
    whole = "".join(
        part.text if part.kind is PartKind.LITERAL else chr(_FIRST_STAND_IN + at)
        for at, part in enumerate(parts)
    )
    return [list(_parted(variant, parts)) for variant in braces(whole)]


def _parted(variant: str, parts: list[WordPart]) -> Iterator[WordPart]:
    """Yield literal pieces, and the parts that characters of a variant stand for."""
    for piece in re.split(f"([{chr(_FIRST_STAND_IN)}-{chr(_LAST_STAND_IN)}])", variant):
        if piece and 0 <= ord(piece[0]) - _FIRST_STAND_IN < len(parts):
            yield parts[ord(piece[0]) - _FIRST_STAND_IN]
        elif piece:
            yield WordPart(piece, PartKind.LITERAL)


def topmost(node: Node, start: int, end: int) -> Iterator[Node]:
    """Yield the expansions and quoted texts of a node between two bytes, in order."""
    waiting = list(reversed(node.children))
    while waiting:
        below = waiting.pop()
        if below.end_byte <= start or below.start_byte < start or below.end_byte > end:
            continue
        if below.type in EXPANSIONS | QUOTED:
            yield below
        else:
            waiting.extend(reversed(below.children))


def expansions_below(node: Node, start: int, end: int) -> Iterator[Node]:
    """Yield the topmost expansions below a node that stand between two bytes, in order."""
    waiting = list(reversed(node.children))
    while waiting:
        below = waiting.pop()
        if below.end_byte <= start or below.start_byte >= end:
            continue
        if below.type in EXPANSIONS:
            yield below
        else:
            waiting.extend(reversed(below.children))
