"""Outputs as tests look at them: a terminal that remembers, and what a person sees of it."""

from __future__ import annotations

import io
import re

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    """A terminal whose size COLUMNS and LINES say; its encoding can be anything."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """Whether somebody looks at it: always."""
        return True


class NarrowTerminal(Terminal):
    """One that fails, as a real stream does, for what its encoding lacks."""

    encoding = "latin-1"

    def write(self, text: str) -> int:
        """Write what the encoding has."""
        text.encode(self.encoding)
        return super().write(text)


def seen(text: str) -> list[str]:
    """Return the lines without colours."""
    return _ESCAPES.sub("", text).splitlines()


def left(text: str) -> list[str]:
    """Return the lines that stay on the terminal once what was shown live is taken off."""
    lines: list[str] = []
    for piece in re.split(r"(\x1b\[\d+A\r\x1b\[J)", text):
        if erased := re.match(r"\x1b\[(\d+)A", piece):
            del lines[-int(erased[1]) :]
        else:
            lines += seen(piece)
    return lines
