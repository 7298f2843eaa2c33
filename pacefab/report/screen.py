"""A screen that is refreshed in place, for watching."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from pacefab.report.text import Printer, Style

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"  # the other screen, no cursor
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"

Show = Callable[[Sequence[str]], None]


@contextlib.contextmanager
def screen(printer: Printer, style: Style) -> Iterator[Show]:
    """Show lines in place of the previous ones, on a screen of their own.

    What does not fit is cut off at the bottom, and a line says so. At the end, Ctrl-C included, the
    terminal is as it was. One that cannot redraw gets the lines one look below the other.
    """
    stream = printer.stream

    def redraw(lines: Sequence[str]) -> None:
        shown = printer.render(lines, style)
        _, rows = stream.size
        if len(shown) > rows:
            cut = len(shown) - rows + 1
            shown = [*shown[: rows - 1], f"({cut} more lines: enlarge the terminal)"]
        end = f"{_REST_OF_LINE}\r\n"
        stream.write(_HOME + end.join(shown) + _REST_OF_LINE + _REST_OF_SCREEN)

    if not stream.moves:
        yield lambda lines: printer.text([*lines, ""], style)
        return
    stream.write(_ENTER)
    try:
        yield redraw
    finally:
        stream.write(_LEAVE)
