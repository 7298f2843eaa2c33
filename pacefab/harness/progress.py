"""Shows the long steps of building a cluster, with the time each took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

_console = Console(stderr=True, highlight=False)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Announce a step, and print its time in seconds when it is done.

    On a terminal a spinner runs meanwhile; elsewhere the step gets one plain line at its end. A
    step that raises is printed as failed, and the error goes on.
    """
    started = time.monotonic()
    try:
        with _console.status(what) if _console.is_terminal else _silence():
            yield
    except BaseException:
        note(f"{_elapsed(started)}  failed: {what}")
        raise
    note(f"{_elapsed(started)}  {what}")


def note(text: str) -> None:
    """Print one line beside the steps."""
    _console.print(text, markup=False, soft_wrap=True)


@contextmanager
def _silence() -> Iterator[None]:
    yield


def _elapsed(started: float) -> str:
    return f"{time.monotonic() - started:6.1f} s"
