"""Regular expressions of the shell, grep, sed and awk, safe to match.

A pattern comes from a script that is not trusted: one that could make Python's matcher run for
ever (a repeated group with a repetition or similar alternatives in it) is refused, and so is a
line that is too long for its pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

_LONGEST_PATTERN = 300
_LONGEST_LINE = 3000
_MOST_STEPS = 30_000_000  # of one match, about a second
_MOST_TIMES = 255  # in {n,m}
_MOST_OPTIONAL = 8  # parts
_OPTIONAL = re.compile(r"(?<!\\)\?")
_REPETITION = re.compile(r"(?<!\\)[*+?{]")
_REPEATED_GROUP = re.compile(r"\(((?:[^()\\]|\\.)*)\)(?:[*+]|\{)")
_REPEATED_NEST = re.compile(r"\)[^()]*\)(?:[*+]|\{)")
# Parts that match nearly any text, and parts that are repeated beside each other.
_BROAD = re.compile(r"(?:(?<!\\)\.|\[\^[^\]]+\]|\\[SWD])(?:[*+]|\{\d*,)")
_ATOM = r"(?:\\.|\[[^\]]+\]|[^\\\[\]()|*+?{}.])"
_SIDE_BY_SIDE = re.compile(rf"{_ATOM}(?:[*+]|\{{\d*,\d*\}})(?={_ATOM}(?:[*+]|\{{\d*,))")
# Members of [:NAME:], as they stand within [...].
CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "digit": "0-9", "space": r"\s", "upper": "A-Z",
    "lower": "a-z", "blank": " \\t", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9a-fA-F",
}  # fmt: skip


class UnsafeError(ValueError):
    """A pattern that is no pattern, or that could take for ever."""


@dataclass(frozen=True)
class Regex:
    """A regular expression whose time is bounded, with the methods of Python's that are used.

    Args:
        compiled: Python's pattern.
        weight: how many of its parts can share a text between them in many ways; the time of a
            match may grow with the text's length to that power.
    """

    compiled: re.Pattern[str]
    weight: int

    @property
    def groups(self) -> int:
        """How many groups it has."""
        return self.compiled.groups

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match. Errors of `checked`."""
        return self.compiled.search(self.checked(text))

    def split(self, text: str) -> list[str]:
        """Return what stands between matches. Errors of `checked`."""
        return self.compiled.split(self.checked(text))

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yield all matches. Errors of `checked`."""
        return self.compiled.finditer(self.checked(text))

    def subn(
        self, new: str | Callable[[re.Match[str]], str], text: str, count: int = 0
    ) -> tuple[str, int]:
        """Return the text with matches replaced, and how many. Errors of `checked`."""
        return self.compiled.subn(new, self.checked(text), count=count)

    def checked(self, text: str) -> str:
        """Return the text.

        Raises:
            UnsafeError: matching it could take for ever.
        """
        if self.weight > 1 and len(text) ** self.weight > _MOST_STEPS:
            raise UnsafeError(f"a line of {len(text)} characters for {self.compiled.pattern[:40]}")
        return text


@lru_cache(maxsize=2000)
def regex(pattern: str, *, extended: bool, ignore_case: bool = False) -> Regex:
    """Return a POSIX regular expression; `extended` as of egrep and awk, else as of grep and sed.

    Raises:
        UnsafeError: it is none, or it could take for ever.
    """
    text = _classes(pattern)
    text = text if extended else _basic_to_extended(text)
    if len(text) > _LONGEST_PATTERN or _runs_away(text):
        raise UnsafeError(f"a pattern that could take for ever: {pattern[:40]}")
    compiled = _compiled(text, flags=re.IGNORECASE if ignore_case else 0)
    return Regex(compiled, len(_BROAD.findall(text)) + len(_SIDE_BY_SIDE.findall(text)))


def _runs_away(text: str) -> bool:
    """Return whether a match may take time that doubles with each character."""
    many = [int(number) for number in re.findall(r"\{(\d{1,9})", text)]
    if max(many, default=0) > _MOST_TIMES or len(_OPTIONAL.findall(text)) > _MOST_OPTIONAL:
        return True
    if _REPEATED_NEST.search(text):
        return True
    return any(map(_is_ambiguous, (found[1] for found in _REPEATED_GROUP.finditer(text))))


def _is_ambiguous(group: str) -> bool:
    """Return whether what a repeated group has in it can match one text in several ways."""
    firsts = [one[:1] for one in group.split("|")]
    alike = len(set(firsts)) < len(firsts) or not all(one.isalnum() for one in firsts)
    return bool(_REPETITION.search(group)) or (len(firsts) > 1 and alike)


def matchable(line: str) -> str:
    """Return the line.

    Raises:
        UnsafeError: it is too long to be matched within reason.
    """
    if len(line) > _LONGEST_LINE:
        raise UnsafeError(f"a line of {len(line)} characters")
    return line


def _compiled(text: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(text, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise UnsafeError(f"no pattern: {text[:40]}") from error


def _classes(pattern: str) -> str:
    for name, members in CLASSES.items():
        pattern = pattern.replace(f"[:{name}:]", members)
    return pattern


def _basic_to_extended(pattern: str) -> str:
    r"""Swap the meaning of ( ) { } + ? | with and without a backslash, outside of brackets."""
    done: list[str] = []
    at, bracket = 0, False
    while at < len(pattern):
        character = pattern[at]
        if bracket:
            bracket = character != "]"
            done.append(character)
        elif character == "\\" and at + 1 < len(pattern):
            at += 1
            after = pattern[at]
            done.append(after if after in "(){}+?|" else "\\" + after)
        else:
            bracket = character == "["
            done.append("\\" + character if character in "(){}+?|" else character)
        at += 1
    return "".join(done)
