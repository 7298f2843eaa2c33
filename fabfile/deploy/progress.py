"""What a flow tells while it runs; `tasks` passes in who listens. Nothing in deploy prints."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from fabfile.errors import PacefabError, UnreachableError
from fabfile.host.model import Mark, Outcome


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

    def fail_all(self, errors: Mapping[str, PacefabError]) -> list[Outcome]:
        """Report several hosts as failed."""
        return [self.fail(host, error) for host, error in errors.items()]

    def _report(self, outcome: Outcome) -> Outcome:
        self.progress.finished(outcome)
        return outcome
