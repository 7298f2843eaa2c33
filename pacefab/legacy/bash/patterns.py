"""Regular expressions of the shell, grep, sed and awk, safe to match.

A pattern comes from a script that is not trusted: one that could make Python's matcher run for
ever (a repeated group with a repetition in it, too many repetitions) is refused.
"""

from __future__ import annotations

import re

_LONGEST_PATTERN = 300
_MOST_REPETITIONS = 6
_LONGEST_LINE = 3000
_REPEATED_REPETITION = re.compile(r"\([^()]*[*+}][^()]*\)[^)]*\)?[*+{]")
# Members of [:NAME:], as they stand within [...].
CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "digit": "0-9", "space": r"\s", "upper": "A-Z",
    "lower": "a-z", "blank": " \\t", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9a-fA-F",
}  # fmt: skip


class UnsafeError(ValueError):
    """A pattern that is no pattern, or that could take for ever."""


def regex(pattern: str, *, extended: bool, ignore_case: bool = False) -> re.Pattern[str]:
    """Return a POSIX regular expression; `extended` as of egrep and awk, else as of grep and sed.

    Raises:
        UnsafeError: it is none, or it could take for ever.
    """
    text = _classes(pattern)
    text = text if extended else _basic_to_extended(text)
    repetitions = len(re.findall(r"(?<!\\)[*+{]", text))
    if (
        len(text) > _LONGEST_PATTERN
        or repetitions > _MOST_REPETITIONS
        or _REPEATED_REPETITION.search(text)
    ):
        raise UnsafeError(f"a pattern that could take for ever: {pattern[:40]}")
    return _compiled(text, flags=re.IGNORECASE if ignore_case else 0)


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
