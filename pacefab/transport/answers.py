"""What a host answered in earlier tasks of one command: `fab install-… create-… status` looks once.

An answer is taken again only by a later task, while it is at most `SECONDS` old, and while this
command has changed nothing on any host since: what is changed on one node shows on others too.
Within a task, whoever asks twice wants to see what is new.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from pacefab.transport.command import Section, Step

SECONDS = 2.0
"""How old an answer may be; each task would itself take about a second from its look to its end."""

_worked = -SECONDS  # when something was last done on a host, but for looking


def forget() -> None:
    """Take no answer again that was given before now."""
    global _worked  # noqa: PLW0603  # what is done on one host may show on every other
    _worked = time.monotonic()


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
