"""How much of a hostile tree is read: limits on steps, seconds and sizes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

MOST_STEPS = 1_500_000  # commands and rounds of loops, of a whole tree
MOST_STEPS_OF_ONE = 150_000  # of one script that is started by hand, with all that it calls
MOST_STEPS_ASIDE = 10_000  # of one that has no cluster command and calls nothing that has one
MOST_SECONDS = 60.0  # a last guard: what is read is to depend on steps, not on the machine
MOST_ROUNDS = 10_000  # of one loop
MOST_CALLS = 1_500  # pcs commands of one script that is started by hand, likewise
MOST_OPERANDS = 20_000  # words of one command, as they are written
MOST_DEPTH = 40  # nested constructs, functions and scripts
LONGEST_TEXT = 1_000_000  # characters of one value


class ExhaustedError(Exception):
    """A bound was reached; its only argument says which, for people."""


class Budget:
    """What is left of the bounds of one migration.

    Args:
        seconds: how long it may take, from now on.
    """

    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._steps = 0
        self._steps_of_one = 0
        self._most_of_one = MOST_STEPS_OF_ONE
        self._calls_of_one = 0
        self._depth = 0

    def begin(self, most: int = MOST_STEPS_OF_ONE) -> None:
        """Begin a script that is started by hand, which may take so many steps."""
        self._most_of_one = most
        self._steps_of_one = self._calls_of_one = 0

    def step(self) -> None:
        """Count a step.

        Raises:
            ExhaustedError: there have been too many, or it took too long.
        """
        self._steps += 1
        self._steps_of_one += 1
        if self._steps_of_one > self._most_of_one:
            raise ExhaustedError(f"more than {self._most_of_one} steps: is there an endless loop?")
        if self._steps > MOST_STEPS:
            raise ExhaustedError(f"more than {MOST_STEPS} steps of all scripts together")
        if self._steps % 256 == 0 and time.monotonic() > self._end:
            raise ExhaustedError(f"more than {self._seconds:.0f} s")

    def operands(self, count: int) -> None:
        """Check the number of a command's words.

        Raises:
            ExhaustedError: there are too many.
        """
        if count > MOST_OPERANDS:
            raise ExhaustedError(f"a command of more than {MOST_OPERANDS} words")

    def call(self) -> None:
        """Count a pcs command.

        Raises:
            ExhaustedError: there have been too many.
        """
        self._calls_of_one += 1
        if self._calls_of_one > MOST_CALLS:
            raise ExhaustedError(f"more than {MOST_CALLS} pcs commands")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Go down a level: a function, a script, a substitution.

        Raises:
            ExhaustedError: there are too many levels.
        """
        self._depth += 1
        try:
            if self._depth > MOST_DEPTH:
                raise ExhaustedError(f"nested more than {MOST_DEPTH} levels deep")
            yield
        finally:
            self._depth -= 1


def bounded(text: str) -> str:
    """Return the text.

    Raises:
        ExhaustedError: it is too long.
    """
    if len(text) > LONGEST_TEXT:
        raise ExhaustedError(f"a value of more than {LONGEST_TEXT} characters")
    return text
