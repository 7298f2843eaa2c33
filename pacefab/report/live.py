"""Who is at work: lines that a terminal shows in place, and elsewhere a line now and then."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from pacefab.report.stream import Stream, clean, one_line

QUIET_SECONDS = 15.0  # after which an output that is no terminal gets a sign of life
WAIT_SECONDS = 5.0  # after which it is said what is waited for
_REDRAW_SECONDS = 0.2
_SPINNER, _ASCII_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"


@dataclass
class Activity:
    """What a host does since when, and what for it waits (empty: for nothing in particular)."""

    text: str
    since: float = field(default_factory=time.monotonic)
    waiting: str = ""
    said: float = field(default_factory=time.monotonic)  # when it was last printed
    noted: bool = False  # whether it is somebody's note, not only the step's name

    @property
    def seconds(self) -> float:
        """For how long it lasts."""
        return time.monotonic() - self.since

    def wait(self, text: str) -> None:
        """Note what is waited for; empty: for nothing any more. A wait that begins is said soon."""
        if text and not self.waiting:
            self.said = min(self.said, time.monotonic() - (QUIET_SECONDS - WAIT_SECONDS))
        self.waiting = text

    def __str__(self) -> str:
        wait = f"waiting: {self.waiting}" if self.waiting else ""
        return "; ".join(filter(None, (self.text, wait)))


class Board:
    """The activities by host, shown while `shown` lasts. The caller holds `lock` at each change."""

    def __init__(self, stream: Stream, lock: threading.RLock) -> None:
        self.activities: dict[str, Activity] = {}
        self._stream = stream
        self._lock = lock
        self._drawn = 0  # lines on the terminal
        self._shown = False
        self._aside = False
        self._turn = 0

    @property
    def moves(self) -> bool:
        """Whether activities are shown in place, right now."""
        return self._shown and self._stream.moves

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show the activities during the block."""
        ended = threading.Event()
        self._shown = True
        show, pause = (self._redraw, _REDRAW_SECONDS) if self.moves else (self._remind, 1.0)
        thread = threading.Thread(target=_repeat, args=(ended, pause, show), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            with self._lock:
                self.erase()
                self.activities.clear()
                self._shown = False  # a host that is still at work draws nothing any more

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Leave the terminal to a prompt during the block."""
        with self._lock:
            self.erase()
            self._aside = True
        try:
            yield
        finally:
            self._aside = False

    def erase(self) -> None:
        """Take the lines off the terminal; what is printed next stands in their place."""
        if self._drawn:
            self._stream.write(self._erasing())

    def draw(self) -> None:
        """Put the lines as they are now below what was printed, in place of those before."""
        if self._aside or not self.moves:
            return
        columns, rows = self._stream.size
        lines = self._lines(columns - 1)
        most = max(rows - 1, 1)
        if len(lines) > most:
            more = f"  and {len(lines) - most + 1} more hosts"
            lines = [*lines[: most - 1], more[: columns - 1]]
        # In one piece, or it flickers.
        self._stream.write(self._erasing() + "".join(f"{line}\n" for line in lines))
        self._drawn = len(lines)

    def _erasing(self) -> str:
        drawn, self._drawn = self._drawn, 0
        return f"\x1b[{drawn}A\r\x1b[J" if drawn else ""

    def _lines(self, width: int) -> list[str]:
        spinner = _SPINNER if self._stream.encoding.lower().startswith("utf") else _ASCII_SPINNER
        sign = spinner[self._turn % len(spinner)]
        shown = [(one_line(host), now) for host, now in self.activities.items()]
        widest = max((len(host) for host, _ in shown), default=0)
        return [
            _fit(f"{sign} {host:<{widest}}  {one_line(str(now))}", f" {now.seconds:4.0f} s", width)
            for host, now in shown
        ]

    def _redraw(self) -> None:
        with self._lock:
            self._turn += 1
            self.draw()

    def _remind(self) -> None:
        """Print what goes on and was not said for a while, hosts that do the same in one line."""
        with self._lock:
            due = {
                host: now
                for host, now in self.activities.items()
                if time.monotonic() - now.said >= QUIET_SECONDS
            }
            alike: dict[tuple[str, int], list[str]] = {}
            for host, now in due.items():
                now.said = time.monotonic()
                alike.setdefault((str(now), round(now.seconds)), []).append(host)
            for (text, seconds), hosts in alike.items():
                line = f"… {', '.join(hosts):<12} {text}, {seconds} s"
                self._stream.write(f"{clean(line)}\n")


def _repeat(ended: threading.Event, pause: float, show: Callable[[], None]) -> None:
    while not ended.wait(pause):
        show()


def _fit(text: str, end: str, width: int) -> str:
    """Return a line of at most `width` columns whose end is never cut off."""
    room = max(width - len(end), 1)
    return f"{text if len(text) <= room else text[: max(room - 3, 0)] + '...'}{end}"[:width]


__all__: Sequence[str] = ("QUIET_SECONDS", "Activity", "Board")
