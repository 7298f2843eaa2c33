"""A screen that is refreshed in place, for watching."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence


@contextlib.contextmanager
def screen() -> Iterator[Callable[[Sequence[str]], None]]:
    """Show lines in place of those before, on a screen of their own.

    At the end, Ctrl-C included, the terminal is as it was before.
    """
    from rich.live import Live  # noqa: PLC0415  # 50 ms that only watching pays
    from rich.text import Text  # noqa: PLC0415

    with Live(screen=True, auto_refresh=False) as live:

        def show(lines: Sequence[str]) -> None:
            text = Text("\n".join(lines), no_wrap=True, overflow="crop")
            live.update(text, refresh=True)

        yield show
