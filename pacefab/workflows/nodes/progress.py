"""What a flow tells while it runs; `tasks` passes in who listens. Nothing in deploy prints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from pacefab.errors import PacefabError, UnreachableError
from pacefab.host.model import Mark, Outcome
from pacefab.transport.fanout import errors, fan_out, values

V = TypeVar("V")


class Progress(Protocol):
    """Somebody who watches a task."""

    def note(self, host: str, text: str) -> None:
        """Hear of something that is going on right now."""

    def finished(self, outcome: Outcome) -> None:
        """Hear that a host is done."""


class Stopwatch:
    """Seconds since the task began; each host's outcome carries them."""

    def __init__(self, step: str, progress: Progress) -> None:
        self.step = step
        self.progress = progress
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the task began."""
        return time.monotonic() - self._begun

    def finish(self, host: str, mark: Mark, *notes: str) -> Outcome:
        """Report a host as done."""
        return self._report(Outcome(host, self.step, mark, self.seconds, notes))

    def fail(self, host: str, error: PacefabError) -> Outcome:
        """Report a host as failed, or as unreachable when the error says so."""
        error.host = error.host or host
        mark = Mark.UNREACHABLE if isinstance(error, UnreachableError) else Mark.FAILED
        return self._report(Outcome(host, self.step, mark, self.seconds, (), error))

    def fail_all(self, failed: Mapping[str, PacefabError]) -> list[Outcome]:
        """Report several hosts as failed."""
        return [self.fail(host, error) for host, error in failed.items()]

    def each(
        self, inputs: Mapping[str, V], call: Callable[[str, V], Outcome], limit: int
    ) -> list[Outcome]:
        """Work on hosts side by side, each reported as it is done; return lines in their order.

        One that fails stops no other.
        """

        def work(name: str, value: V) -> Outcome:
            try:
                return call(name, value)
            except PacefabError as error:
                return self.fail(name, error)

        done = fan_out(inputs, work, limit=limit)
        outcomes = values(done) | {one.host: one for one in self.fail_all(errors(done))}
        return [outcomes[name] for name in inputs]

    def _report(self, outcome: Outcome) -> Outcome:
        self.progress.finished(outcome)
        return outcome
