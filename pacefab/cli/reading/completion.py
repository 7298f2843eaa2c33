"""Completion of options' values, where they are words of a list; the rest is Invoke's."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from pacefab.cli.traits import traits


def completed(line: str, tasks: Iterable[str]) -> list[str] | None:
    """Return the values to offer at the end of a command line; None where no list is known."""
    try:
        words = [word for word in shlex.split(line) if word != "="]  # which bash makes a word
    except ValueError:  # a quote that is not closed yet
        return None
    option, start = _at_the_end(words, ends_word=line[-1:].isspace())
    task = next((word for word in reversed(words) if word in set(tasks)), "")
    values = traits(task).values.get(option.lstrip("-"))
    return None if values is None else [name for name in values() if name.startswith(start)]


def _at_the_end(words: Sequence[str], *, ends_word: bool) -> tuple[str, str]:
    """Return the option whose value is due, and what is typed of it."""
    last = words[-1] if words else ""
    if last.startswith("--"):
        option, _, start = last.partition("=")
        return option, start
    before = words[-2] if len(words) > 1 else ""
    return (before, last) if before.startswith("--") and not ends_word else ("", "")
