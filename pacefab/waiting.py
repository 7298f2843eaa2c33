"""Wait for a condition: the one loop that asks again until something holds or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pacefab import interrupts

T = TypeVar("T")

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Pending:
    """What is waited for does not hold yet; `seen` says what was found instead."""

    seen: str = ""


Waits = Callable[[str], None]
"""Hears the first line of what is waited for right now; empty: for nothing any more."""


def unheard(_text: str) -> None:
    """Hear of a wait that nobody needs to see."""


def wait_until(
    look: Callable[[], T | Pending],
    seconds: float,
    *,
    poll: float = POLL_SECONDS,
    waits: Waits = unheard,
) -> T | Pending:
    """Look until the result is not `Pending`; return it, or the last `Pending` when time is up.

    Args:
        look: asks once; it is called at least once, and what it raises ends the wait;
            so does an interruption.
        seconds: how long to wait, by the monotonic clock; a look under way is not cut off.
        poll: seconds between two looks, and as long as a look took at least: what is asked also
            has to get on.
        waits: hears of the wait before each pause, and of its end, however that comes.
    """
    deadline = time.monotonic() + seconds
    try:
        begun = time.monotonic()
        while isinstance(found := look(), Pending) and time.monotonic() < deadline:
            waits(found.seen.partition("\n")[0])
            interrupts.pause(max(poll, time.monotonic() - begun))
            begun = time.monotonic()
    finally:
        waits("")
    return found
