"""The same step on all nodes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")
AT_ONCE: Final = 16


def on_all(act: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """Do the same for all things at once; results keep the order, the first error is raised."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(act, things))
