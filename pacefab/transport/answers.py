"""What a host answered in earlier tasks of one command: `fab install-… create-… status` looks once.

An answer is taken again only by a later task, while it is at most `SECONDS` old, and while this
command has changed nothing on any host since: what is changed on one node shows on others too.
Within a task, whoever asks twice wants to see what is new.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping

from pacefab.errors import CommandError
from pacefab.transport.command import Section, Step

SECONDS = 2.0
"""How old an answer may be; each task would itself take about a second from its look to its end."""

MISUNDERSTOOD = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What a parser stumbles over in an answer that is not what it should be."""

_worked = -SECONDS  # when something was last done on a host, but for looking


def forget() -> None:
    """Take no answer again that was given before now."""
    global _worked  # noqa: PLW0603  # what is done on one host may show on every other
    _worked = time.monotonic()


@contextlib.contextmanager
def understood(attempted: str, next_step: str, host: str | None = None) -> Iterator[None]:
    """Make a sentence of what parsers stumble over inside: the answer is wrong, not the parser.

    Raises:
        CommandError: they did.
    """
    try:
        yield
    except MISUNDERSTOOD as error:
        seen = f"its answer makes no sense: {stumble(error)}"
        raise CommandError(attempted, seen, next_step, host=host) from error


def stumble(error: Exception) -> str:
    """Return in one short line what a parser stumbled over."""
    first = next(iter(str(error).splitlines()), "")[:200]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


class Answers:
    """The answers of one host, by the steps that asked for them."""

    def __init__(self) -> None:
        self._task: object = None
        self._earlier: dict[Step, tuple[float, Section]] = {}
        self._own: dict[Step, tuple[float, Section]] = {}

    def begin(self, task: object) -> None:
        """Let a task take the answers of those before it."""
        if task is not self._task:
            self._task = task
            self._earlier, self._own = {**self._earlier, **self._own}, {}

    def take(self, steps: Iterable[Step]) -> dict[str, Section]:
        """Return the answers that may be taken again, by the steps' names; once in a task."""
        oldest = max(_worked, time.monotonic() - SECONDS)
        found = {step: self._earlier.pop(step) for step in steps if step in self._earlier}
        good = {step: kept for step, kept in found.items() if kept[0] > oldest}
        self._own.update(good)
        return {step.name: section for step, (_, section) in good.items()}

    def keep(self, steps: Iterable[Step], sections: Mapping[str, Section], asked_at: float) -> None:
        """Keep answers for later tasks; `asked_at` in seconds of the monotonic clock."""
        given = {step: sections[step.name] for step in steps if step.name in sections}
        self._own.update({step: (asked_at, section) for step, section in given.items()})
