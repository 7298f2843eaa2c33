"""Words out of the parts that expansion left, and fields of a line: splitting at $IFS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from pacefab.legacy.bash.braces import MOST_WORDS
from pacefab.legacy.bash.budget import ExhaustedError
from pacefab.legacy.unknown import BREAK

BLANKS = " \t\n"
_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "e": "\033", "E": "\033",
    "a": "\a", "b": "\b", "f": "\f", "v": "\v", "?": "?",
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U00[0-9a-fA-F]{1,6}|[0-7]{1,3}|c.|.)", re.DOTALL
)


class PartKind(Enum):
    """How a part of a word is treated after expansion."""

    LITERAL = auto()  # not split, but a pattern of file names
    QUOTED = auto()  # neither
    EXPANDED = auto()  # split at blanks


@dataclass(frozen=True)
class WordPart:
    """A piece of a word."""

    text: str
    kind: PartKind


def ansi(text: str) -> str:
    """Return what $'…' stands for."""
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8) & 255)
    if code[0] == "c" and len(code) > 1:
        return chr(ord(code[1].upper()) ^ 64)
    return _ESCAPES.get(code, found[0])


def split(parts: list[WordPart], separators: str = BLANKS) -> list[str]:
    """Join parts to words; what was expanded is split at separators ($IFS).

    Blanks at the ends, and several in a row, separate once; each other character separates two
    words, of which one may be empty.
    """
    joiner = _Joiner()
    for part in parts:
        if part.text == BREAK:
            joiner.end()
        elif part.kind is PartKind.QUOTED or not separators:
            joiner.add(part.text)
        elif part.kind is PartKind.LITERAL:
            if part.text:
                joiner.add(part.text)
        else:
            _add_split(joiner, part.text, separators)
    joiner.end()
    return joiner.words


def _add_split(joiner: _Joiner, text: str, separators: str) -> None:
    """Add what was expanded, with a word's end at each separator."""
    blanks = "".join(one for one in separators if one in BLANKS)
    others = "".join(one for one in separators if one not in BLANKS)
    around = f"[{re.escape(blanks)}]" if blanks else "(?!)"
    apart = f"{around}*[{re.escape(others)}]{around}*|{around}+" if others else f"{around}+"
    at = 0
    for found in re.finditer(apart, text):
        piece = text[at : found.start()]
        if piece or (found[0].strip(blanks) and not joiner.begun):
            joiner.add(piece)
        joiner.end()
        at = found.end()
    if text[at:]:
        joiner.add(text[at:])


class _Joiner:
    """Joins pieces to words; an empty piece makes a word, no piece makes none."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._pieces: list[str] = []

    @property
    def begun(self) -> bool:
        """Whether a word has begun."""
        return bool(self._pieces)

    def add(self, piece: str) -> None:
        """Add a piece to the word."""
        self._pieces.append(piece)

    def end(self) -> None:
        """End the word, if one has begun."""
        if self._pieces:
            self.words.append("".join(self._pieces))
            self._pieces = []
        if len(self.words) > MOST_WORDS:
            raise ExhaustedError(f"a line of more than {MOST_WORDS} words")


def fields_of(line: str, separators: str, most: int, *, raw: bool = True) -> list[str]:
    """Return the fields that `read` makes of a line: at most so many, the last one with the rest.

    A backslash keeps the character after it from being a separator, unless `raw`.
    """
    blanks = "".join(one for one in separators if one in BLANKS)
    others = "".join(one for one in separators if one not in BLANKS)
    kept = line.strip(blanks) if raw else line.lstrip(blanks)
    fields: list[str] = []
    at = 0
    while at < len(kept) and len(fields) < most - 1:
        end = _end_of_field(kept, at, separators, raw=raw)
        fields.append(kept[at:end])
        at = end
        at = _skipped(kept, at, blanks)
        if others and kept[at : at + 1] and kept[at] in others:
            at = _skipped(kept, at + 1, blanks)
    rest = kept[at:]
    if rest:
        fields.append(_last(rest, blanks, others))
    return fields if raw else [re.sub(r"\\(.)", r"\1", field) for field in fields]


def _last(rest: str, blanks: str, others: str) -> str:
    """Return the last field: one separator at its end is none of it, when it is the only one."""
    rest = rest.rstrip(blanks)
    alone = bool(others) and rest[-1:] in set(others) and not set(rest[:-1]) & set(others)
    return rest[:-1].rstrip(blanks) if alone else rest


def _end_of_field(text: str, at: int, separators: str, *, raw: bool) -> int:
    while at < len(text) and text[at] not in separators:
        at += 2 if text[at] == "\\" and not raw else 1
    return min(at, len(text))


def _skipped(text: str, at: int, blanks: str) -> int:
    while at < len(text) and text[at] in blanks:
        at += 1
    return at
