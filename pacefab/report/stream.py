"""A stream that output goes to: what it can show, how wide it is, and that it never fails."""

from __future__ import annotations

import codecs
import json
import os
import sys
from pathlib import Path
from typing import TextIO

_SUBSTITUTES = {
    "…": "...",
    "·": "-",
    "―": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "✓": "ok",
    "✗": "x",
}
_KEPT = {"\n": "\n", "\t": "\t"}
_USUAL_COLUMNS, _USUAL_LINES = 80, 24
_LEAST_COLUMNS = 20
_NO_ESCAPES = {"", "dumb", "unknown"}  # values of TERM
_SUBSTITUTE = "pacefab-substitute"  # how codecs know _substitute


def _substitute(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_SUBSTITUTES.get(character, "?") for character in missing), error.end


def clean(text: str) -> str:
    r"""Return text that moves no cursor and changes no colour: `\x1b` is written as these letters.

    What nodes and files say goes through here before it is shown. Line ends and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """Return text as `clean` does, as what fits into a cell: without line ends and tabs."""
    return " ".join(clean(text).split()) if not text.isprintable() else text


def json_text(value: object, *, indent: int = 2, plain: bool = False) -> str:
    """Return a value as JSON that holds nothing unprintable raw; `plain`: letters as they are."""
    text = json.dumps(value, indent=indent, ensure_ascii=not plain)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    """Return a character as a string of JSON may hold it."""
    if character.isprintable() or character == "\n":
        return character
    return json.dumps(character)[1:-1] if not character.isascii() else f"\\u{ord(character):04x}"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return _KEPT.get(character) or character.encode("unicode_escape").decode("ascii")


def substitute_unencodable(*streams: TextIO | None) -> None:
    """Have streams write `...` for `…`, and ? for what else their encoding does not have."""
    codecs.register_error(_SUBSTITUTE, _substitute)
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_SUBSTITUTE)


def nowhere() -> TextIO:
    """Return what stands for standard output or error where that is closed (`>&-`)."""
    return Path(os.devnull).open("w", encoding="utf-8")


class Stream:
    """Text out, whatever the encoding and whoever reads.

    When nobody can read it any more (`fab … | head`, a full disk, a closed terminal) it goes quiet,
    and `lost` says why: what is half done, and above all what is being undone, goes on.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout or nowhere()
        self.lost: OSError | None = None

    @property
    def encoding(self) -> str:
        """The encoding's name; UTF-8 where text is kept as it is."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Whether somebody looks at it on a terminal."""
        return self._stream.isatty()

    @property
    def moves(self) -> bool:
        """Whether it is a terminal that can redraw what it shows."""
        return self.isatty() and os.environ.get("TERM", "") not in _NO_ESCAPES

    @property
    def colours(self) -> bool:
        """Whether colour is asked for: never but on a terminal; https://no-color.org."""
        return self.moves and not os.environ.get("NO_COLOR")

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None elsewhere: a file and a pipe have no width."""
        return self.size[0] if self.isatty() else None

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines; COLUMNS and LINES come first, and a terminal may not know its own."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns, lines = 0, 0
        columns = _positive("COLUMNS") or columns or _USUAL_COLUMNS
        lines = _positive("LINES") or lines or _USUAL_LINES
        return max(columns, _LEAST_COLUMNS), lines

    def write(self, text: str) -> int:
        """Write at once."""
        fit = _encodable(text, self.encoding)
        if self.lost is None:
            try:
                self._stream.write(fit)
                self._stream.flush()
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Do nothing: all is written at once."""

    def _lose(self, error: OSError) -> None:
        self.lost = error
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        known = "".join(_SUBSTITUTES.get(character, character) for character in text)
        return known.encode(encoding, "replace").decode(encoding)
    return text


def _positive(variable: str) -> int:
    text = os.environ.get(variable, "")
    return int(text) if text.isdecimal() else 0
