"""Words out of the parts that expansion left: splitting at $IFS, and {a,b}."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from enum import Enum, auto

from pacefab.legacy.bash.budget import ExhaustedError
from pacefab.legacy.unknown import BREAK

BLANKS = " \t\n"
MOST_WORDS = 5000
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "e": "\033"}


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
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text)


def split(parts: list[WordPart], separators: str = BLANKS) -> list[str]:
    """Join parts to words; what was expanded is split at separators ($IFS).

    Blanks at the ends, and several in a row, separate once; of other characters each does.
    """
    words: list[str] = []
    present: list[str] | None = None
    for part in parts:
        if part.text == BREAK:
            words += ["".join(present)] if present is not None else []
            present = None
        elif part.kind is not PartKind.EXPANDED:
            present = [*(present or []), part.text]
        else:
            for number, piece in enumerate(_pieces(part.text, separators)):
                if number:
                    words += ["".join(present)] if present is not None else []
                    present = None
                if piece:
                    present = [*(present or []), piece]
        if len(words) > MOST_WORDS:
            raise ExhaustedError(f"a line of more than {MOST_WORDS} words")
    return [*words, "".join(present)] if present is not None else words


def _pieces(text: str, separators: str) -> list[str]:
    if not separators:
        return [text]
    blanks = "".join(one for one in separators if one in BLANKS)
    others = "".join(one for one in separators if one not in BLANKS)
    if not others:
        return re.split(f"[{re.escape(blanks)}]+", text)
    text = text.removesuffix(others[0])
    around = f"[{re.escape(blanks)}]*" if blanks else ""
    either = f"|[{re.escape(blanks)}]+" if blanks else ""
    return re.split(f"{around}[{re.escape(others)}]{around}{either}", text)


def braces(word: str) -> list[str]:
    """Return what {a,b} and {1..3} make of a word."""
    found = re.search(r"(?<!\$)\{(-?\d+\.\.-?\d+|[^{}\s]*,[^{}\s]*)\}", word)
    if not found or len(word) > 1000:  # noqa: PLR2004  # characters; no node is called so
        return [word]
    before, after = word[: found.start()], word[found.end() :]
    ends = re.fullmatch(r"(-?\d{1,9})\.\.(-?\d{1,9})", found[1])
    choices = _range(int(ends[1]), int(ends[2])) if ends else found[1].split(",")
    words = (one for choice in choices for one in braces(f"{before}{choice}{after}"))
    return list(itertools.islice(words, MOST_WORDS))


def _range(first: int, last: int) -> list[str]:
    step = 1 if last >= first else -1
    if abs(last - first) > MOST_WORDS:
        raise ExhaustedError(f"a list of more than {MOST_WORDS} words")
    return [str(number) for number in range(first, last + step, step)]
