"""Outcomes -> lines that fit one screen. Colour only on a terminal, never the only sign."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from fabfile.errors import PacefabError
from fabfile.host.model import Mark, Outcome

_SIGNS = {
    Mark.UNCHANGED: ("=", ""),
    Mark.CHANGED: ("+", "32"),
    Mark.PLANNED: ("~", "36"),
    Mark.FAILED: ("!", "31"),
    Mark.UNREACHABLE: ("!", "31"),
    Mark.SKIPPED: ("-", "33"),
}
_SEEN_LINES = 12  # of an error's output


class Printer:
    """Prints a line as each host finishes, then a summary and a block per failure.

    Safe to call from several threads.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lock = threading.Lock()

    def note(self, host: str, text: str) -> None:
        """Print what goes on right now on a host."""
        self._print(f"… {host:<12} {text}")

    def finished(self, outcome: Outcome) -> None:
        """Print a host's line, its notes below it."""
        sign, colour = _SIGNS[outcome.mark]
        line = (
            f"{sign} {outcome.host:<12} {outcome.step:<18} {outcome.mark:<11}"
            f" {outcome.seconds:6.1f} s"
        )
        self._print(self._paint(line, colour), *(f"    {note}" for note in outcome.notes))

    def summary(self, outcomes: Sequence[Outcome]) -> None:
        """Print the one line that sums up, and what failed with what to do next."""
        counts = Counter(outcome.mark for outcome in outcomes)
        counted = ", ".join(f"{counts[mark]} {mark}" for mark in Mark if counts[mark])
        step = outcomes[0].step if outcomes else "nothing"
        seconds = max((outcome.seconds for outcome in outcomes), default=0.0)
        self._print(f"{step}: {counted} in {seconds:.1f} s")
        self.failures(outcome.error for outcome in outcomes)

    def failures(self, errors: Iterable[PacefabError | None]) -> None:
        """Print a block for each error."""
        for error in errors:
            if error is not None:
                self._print("", *render_error(error))

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines as they are."""
        self._print(*lines)

    def _print(self, *lines: str) -> None:
        with self._lock:
            print(*lines, sep="\n", file=self._stream, flush=True)

    def _paint(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if colour and self._stream.isatty() else text


def render_error(error: PacefabError) -> list[str]:
    """Return an error's lines: where, attempted, seen, next."""
    seen = error.seen.strip().splitlines() or ["nothing"]
    if len(seen) > _SEEN_LINES:
        seen = [f"({len(seen) - _SEEN_LINES} lines before these)", *seen[-_SEEN_LINES:]]
    lines = [f"error on {error.host}" if error.host else "error"]
    lines += [f"  attempted: {error.attempted}", f"  seen:      {seen[0]}"]
    lines += [f"             {line}" for line in seen[1:]]
    return [*lines, f"  next:      {error.next_step}"] if error.next_step else lines
