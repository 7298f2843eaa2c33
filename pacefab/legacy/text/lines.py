"""A text as lines, and lines as a text."""

from __future__ import annotations

from collections.abc import Sequence


def lines(text: str) -> list[str]:
    """Return the lines of a text, without an empty one after the last newline."""
    return text.removesuffix("\n").split("\n") if text else []


def joined(parts: Sequence[str]) -> str:
    """Return lines as a text."""
    return "".join(f"{part}\n" for part in parts)
