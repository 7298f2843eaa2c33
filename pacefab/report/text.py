"""Outcomes -> lines that fit one screen. Colour only on a terminal, never the only sign."""

from __future__ import annotations

import contextlib
import re
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO

from pacefab.errors import PacefabError
from pacefab.host.model import Mark, Outcome
from pacefab.report.live import Activity, Board
from pacefab.report.stream import Stream, clean

_SIGNS = {
    Mark.UNCHANGED: ("=", ""),
    Mark.CHANGED: ("+", "green"),
    Mark.PLANNED: ("~", "cyan"),
    Mark.FAILED: ("!", "red"),
    Mark.UNREACHABLE: ("!", "red"),
    Mark.SKIPPED: ("-", "yellow"),
}
_COLOURS = {"red": 31, "green": 32, "yellow": 33, "cyan": 36, "bold": 1}  # of ANSI escapes
_SEEN_LINES = 12  # of an error's output
_HANG = re.compile(r" *(?:(?:[-+~=!…]|next:|seen:|attempted:|note:|notice:|error:) +)?")

Style = Callable[[str], str]
"""A line -> the name of its colour, empty for none."""


def plain(_line: str) -> str:
    """Return no colour."""
    return ""


class Printer:
    """Prints a line as each host finishes, then a summary and a block per failure.

    On a terminal it shows, while it lasts, what each host is at and since when; elsewhere it prints
    that now and then. Safe to call from several threads; no encoding and no reader who leaves
    makes it fail (see `Stream`). What is printed for people goes through `spelled` first.
    """

    def __init__(self, stream: TextIO | None = None, spelled: Callable[[str], str] = str) -> None:
        self.stream = Stream(stream)
        self._spelled = spelled
        self._lock = threading.RLock()
        self._board = Board(self.stream, self._lock)
        self._begun = time.monotonic()

    @property
    def lost(self) -> OSError | None:
        """Why nobody can read it any more."""
        return self.stream.lost

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None where the output is none."""
        return self.stream.width

    @contextlib.contextmanager
    def working(self, step: str, hosts: Iterable[str]) -> Iterator[None]:
        """Show during the block that `hosts` are at work on `step`; the summary's time begins."""
        self._begun = time.monotonic()
        with self._lock:
            self._board.activities |= {host: Activity(step) for host in hosts}
        with self._board.shown():
            try:
                yield
            finally:
                with self._lock:
                    for host in list(self._board.activities):
                        self._close(host)

    def looking(self, step: str, hosts: Iterable[str]) -> contextlib.AbstractContextManager[None]:
        """Show on a terminal that `hosts` are asked; a log of that is of no use."""
        return self.working(step, hosts if self.stream.moves else ())

    def aside(self) -> contextlib.AbstractContextManager[None]:
        """Leave the terminal to a prompt during the block."""
        return self._board.aside()

    def ask(self, question: str) -> str:
        """Return the operator's answer, empty for Ctrl-D; progress stands aside meanwhile.

        The question is seen on the terminal also where the output goes into a file or a pipe.
        """
        shown = self.stream if self.stream.isatty() else Stream(sys.stderr)
        with self.aside(), contextlib.suppress(EOFError, UnicodeDecodeError):
            shown.write(clean(question))
            return input()
        return ""

    def note(self, host: str, text: str) -> None:
        """Print what goes on right now on a host; a terminal shows it live, then with its time."""
        with self._lock:
            self._keep(host)
            self._board.activities[host] = Activity(text, noted=True)
            if self._board.moves:
                self._board.draw()
            else:
                self._print([f"… {host:<12} {text}"])

    def waiting(self, host: str, text: str) -> None:
        """Show what a host waits for; empty: for nothing any more."""
        with self._lock:
            now = self._board.activities.setdefault(host, Activity(""))
            now.wait(text)
            if not str(now):
                del self._board.activities[host]

    def finished(self, outcome: Outcome) -> None:
        """Print a host's line, its notes below it."""
        sign, style = _SIGNS[outcome.mark]
        line = (
            f"{sign} {outcome.host:<12} {outcome.step:<18} {outcome.mark:<11}"
            f" {outcome.seconds:6.1f} s"
        )
        with self._lock:
            self._close(outcome.host)
            self._print([line], lambda _: style)
            self._print(f"    {note}" for note in outcome.notes)

    def summary(self, outcomes: Sequence[Outcome]) -> None:
        """Print the one line that sums up, and what failed with what to do next."""
        counts = Counter(outcome.mark for outcome in outcomes)
        counted = ", ".join(f"{counts[mark]} {mark}" for mark in Mark if counts[mark])
        step = outcomes[-1].step if outcomes else "nothing"
        colour = "green" if all(outcome.mark.ok for outcome in outcomes) else "red"
        seconds = time.monotonic() - self._begun
        self._print([f"{step}: {counted} in {seconds:.1f} s"], lambda _: colour)
        for outcome in outcomes:
            if outcome.error is not None:
                self._print(["", *render_error(outcome.error)], error_style)

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines as they are, for programs and files; nothing when there are none."""
        self._write("".join(f"{clean(line)}\n" for line in lines))

    def text(self, lines: Iterable[str], style: Style = plain) -> None:
        """Print lines for people: folded to a terminal's width, in colour where it shows any."""
        self._print(lines, style)

    def _close(self, host: str) -> None:
        """Take a host off the board."""
        self._keep(host)
        self._board.activities.pop(host, None)

    def _keep(self, host: str) -> None:
        """Print what a terminal showed of a host live, with its time."""
        last = self._board.activities.get(host)
        if last and last.noted and self._board.moves:
            self._print([f"… {host:<12} {last.text}, {last.seconds:.1f} s"])

    def render(self, lines: Iterable[str], style: Style = plain) -> list[str]:
        """Return lines as they are printed: each fits the terminal's width, colour included."""
        return _render(map(self._spelled, lines), self.stream, style)

    def _print(self, lines: Iterable[str], style: Style = plain) -> None:
        self._write("".join(f"{line}\n" for line in self.render(lines, style)))

    def _write(self, text: str) -> None:
        with self._lock:
            self._board.erase()
            self.stream.write(text)
            self._board.draw()


def fold(line: str, width: int | None) -> list[str]:
    """Return a line, cleaned, as lines of at most `width` columns, the others below its words."""
    parts: list[str] = []
    for part in clean(line).split("\n"):
        if width is None or len(part.expandtabs()) <= width:
            parts.append(part)
        else:
            parts += _hang(part.expandtabs(), width)
    return parts


def _hang(line: str, width: int) -> list[str]:
    found = _HANG.match(line)
    begin = line[: min(found.end() if found else 0, width // 3)]
    hang = " " * (len(begin) + (0 if begin.strip() else 2))
    return textwrap.wrap(
        line[len(begin) :],
        width,
        initial_indent=begin,
        subsequent_indent=hang,
        break_on_hyphens=False,
    )


def _render(lines: Iterable[str], stream: Stream, style: Style) -> list[str]:
    width, colours = stream.width, stream.colours
    shown: list[str] = []
    for line in lines:
        code = _COLOURS.get(style(line)) if colours else None
        shown += (f"\x1b[{code}m{part}\x1b[0m" if code else part for part in fold(line, width))
    return shown


def error_style(line: str) -> str:
    """Return the colour of a line of an error."""
    return "red" if line.startswith("error") else ""


def render_last_words(error: PacefabError, stream: TextIO | None = None) -> str:
    """Return an error as text for a stream, stderr by default: folded and coloured for it."""
    return "\n".join(_render(render_error(error), Stream(stream or sys.stderr), error_style))


def render_error(error: PacefabError) -> list[str]:
    """Return an error's lines: where, attempted, seen, next."""
    seen = error.seen.strip().splitlines() or ["nothing"]
    if len(seen) > _SEEN_LINES:
        seen = [f"({len(seen) - _SEEN_LINES} lines before these)", *seen[-_SEEN_LINES:]]
    lines = [f"error on {error.host}" if error.host else "error"]
    lines += [f"  attempted: {error.attempted}", f"  seen:      {seen[0]}"]
    lines += [f"             {line}" for line in seen[1:]]
    return [*lines, f"  next:      {error.next_step}"] if error.next_step else lines
