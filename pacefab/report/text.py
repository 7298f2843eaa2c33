"""Outcomes -> lines that fit one screen. Colour only on a terminal, never the only sign."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pacefab.errors import PacefabError
from pacefab.host.model import Mark, Outcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_SIGNS = {
    Mark.UNCHANGED: ("=", ""),
    Mark.CHANGED: ("+", "green"),
    Mark.PLANNED: ("~", "cyan"),
    Mark.FAILED: ("!", "red"),
    Mark.UNREACHABLE: ("!", "red"),
    Mark.SKIPPED: ("-", "yellow"),
}
_SEEN_LINES = 12  # of an error's output


class Printer:
    """Prints a line as each host finishes, then a summary and a block per failure.

    On a terminal it shows, while it lasts, which hosts are still at work and for how long. Safe to
    call from several threads. When nobody can read it any more (`fab … | head`, a full disk) it
    goes quiet and `lost` says why: what is half done, and above all what is being undone, goes on.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self.lost: OSError | None = None
        self._lock = threading.Lock()
        self._console: Console | None = None
        self._busy: list[str] = []
        self._refresh: Callable[[], None] = lambda: None  # until a terminal shows who is busy
        self._aside: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext

    @contextlib.contextmanager
    def working(self, step: str, hosts: Iterable[str]) -> Iterator[None]:
        """Show that `hosts` are at work on `step`; nothing where the output is no terminal."""
        if not self._stream.isatty():
            yield
            return
        from rich.console import Console  # noqa: PLC0415  # 50 ms that a script need not pay
        from rich.progress import (  # noqa: PLC0415
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._console = Console(file=self._stream, highlight=False)
        self._busy = list(hosts)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as bar:
            shown = bar.add_task("", total=None)
            self._refresh = lambda: bar.update(shown, description=f"{step} {' '.join(self._busy)}")
            self._refresh()
            self._aside = lambda: _stopped(bar)
            try:
                yield
            finally:
                self._console, self._aside = None, contextlib.nullcontext

    def ask(self, question: str) -> str:
        """Return the operator's answer, empty for Ctrl-D; progress stands aside meanwhile."""
        with self._aside(), contextlib.suppress(EOFError):
            return input(question)
        return ""

    def note(self, host: str, text: str) -> None:
        """Print what goes on right now on a host."""
        self._print(f"… {host:<12} {text}")

    def finished(self, outcome: Outcome) -> None:
        """Print a host's line, its notes below it."""
        sign, style = _SIGNS[outcome.mark]
        line = (
            f"{sign} {outcome.host:<12} {outcome.step:<18} {outcome.mark:<11}"
            f" {outcome.seconds:6.1f} s"
        )
        self._print(line, *(f"    {note}" for note in outcome.notes), style=style)
        if outcome.host in self._busy:
            self._busy.remove(outcome.host)
            self._refresh()

    def summary(self, outcomes: Sequence[Outcome]) -> None:
        """Print the one line that sums up, and what failed with what to do next."""
        counts = Counter(outcome.mark for outcome in outcomes)
        counted = ", ".join(f"{counts[mark]} {mark}" for mark in Mark if counts[mark])
        step = outcomes[-1].step if outcomes else "nothing"
        seconds = max((outcome.seconds for outcome in outcomes), default=0.0)
        self._print(f"{step}: {counted} in {seconds:.1f} s")
        for outcome in outcomes:
            if outcome.error is not None:
                self._print("", *render_error(outcome.error))

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines as they are; nothing when there are none."""
        if every := tuple(lines):
            self._print(*every)

    def _print(self, *lines: str, style: str = "") -> None:
        with self._lock:
            try:
                self._write(lines, style)
            except OSError as error:
                self.lost = error
                with Path(os.devnull).open("w") as nowhere:
                    os.dup2(nowhere.fileno(), self._stream.fileno())

    def _write(self, lines: Iterable[str], style: str) -> None:
        if self._console is None:
            print(*lines, sep="\n", file=self._stream, flush=True)
            return
        for line in lines:
            self._console.print(line, style=style, markup=False, soft_wrap=True)
            style = ""


@contextlib.contextmanager
def _stopped(bar: Progress) -> Iterator[None]:
    bar.stop()
    try:
        yield
    finally:
        bar.start()


def render_error(error: PacefabError) -> list[str]:
    """Return an error's lines: where, attempted, seen, next."""
    seen = error.seen.strip().splitlines() or ["nothing"]
    if len(seen) > _SEEN_LINES:
        seen = [f"({len(seen) - _SEEN_LINES} lines before these)", *seen[-_SEEN_LINES:]]
    lines = [f"error on {error.host}" if error.host else "error"]
    lines += [f"  attempted: {error.attempted}", f"  seen:      {seen[0]}"]
    lines += [f"             {line}" for line in seen[1:]]
    return [*lines, f"  next:      {error.next_step}"] if error.next_step else lines
