"""Ask a host again, for a limited time, when its connection broke: sshd may have been restarted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pacefab import interrupts
from pacefab.errors import LostError, NoEndError, UnreachableError

T = TypeVar("T")

AGAIN_SECONDS = 6.0
_POLL_SECONDS = 0.5


def persist(ask: Callable[[], T]) -> T:
    """Return what `ask` returns; it is called again when the connection breaks, or is refused.

    A host that is frozen or cut off takes about 25 s: to be noticed, and to be tried once more.

    Raises:
        UnreachableError: no connection could be made for `AGAIN_SECONDS`.
        LostError: it broke for the second time, or the host is there and `ask` found no end.
    """
    since, broken = time.monotonic(), False
    while True:
        try:
            return ask()
        except NoEndError:
            raise
        except LostError:
            if broken:
                raise
            since, broken = time.monotonic(), True
        except UnreachableError:
            if time.monotonic() - since > AGAIN_SECONDS:
                raise
            interrupts.pause(_POLL_SECONDS)
