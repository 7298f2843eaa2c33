"""What the program knows of each task beside its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Values = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Traits:
    """What sets a task apart.

    Args:
        file: the option whose value may follow the task's name at once; empty for none.
        reads_only: whether it changes nothing anywhere, so that it is its own --dry-run.
        values: the words that an option takes, for completion; asked for only then.
    """

    file: str = ""
    reads_only: bool = False
    values: Mapping[str, Values] = field(default_factory=dict)


TRAITS: dict[str, Traits] = {}
"""The traits of each task, by the name that is typed."""
NO_TRAITS = Traits()


def traits(task: str) -> Traits:
    """Return a task's traits, in a collection of any name: those of ha.status are status'."""
    return TRAITS.get(task.rpartition(".")[2], NO_TRAITS)
