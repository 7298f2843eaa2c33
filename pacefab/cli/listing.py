"""What `--list` shows: the tasks by when they are used."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from invoke.collection import Collection
from invoke.tasks import Task
from invoke.util import helpline

_NARROWEST = 60  # columns; below that, words would stand one below the other


def render_listing(
    groups: Mapping[str, Sequence[Task[Any]]], collection: Collection, program: str, columns: int
) -> Iterator[str]:
    """Yield the lines, in the order of the groups."""
    typed = {title: _names(collection, tasks) for title, tasks in groups.items()}
    width = max(len(name) for names in typed.values() for name in names)
    for title, names in typed.items():
        yield title
        for name in names:
            purpose = helpline(collection[name]) or ""
            yield from entry(f"  {name:{width}}   ", purpose, columns)
        yield ""
    yield f"{program} --help TASK shows a task's options, and an example."


def _names(collection: Collection, tasks: Sequence[Task[Any]]) -> list[str]:
    return [collection.transform(task.name) for task in tasks]


def entry(name: str, purpose: str, columns: int) -> list[str]:
    """Return a name, already as wide as all of them, and what it is for, as lines."""
    return textwrap.wrap(
        purpose,
        max(columns, _NARROWEST),
        initial_indent=name,
        subsequent_indent=" " * len(name),
    ) or [name.rstrip()]
