"""What the crm shell reads: lines, words and levels -> its commands. Nothing is executed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pacefab.legacy.crm.levels import ENDING, LEAVING, ROOT, full_name, has_commands, levels_at


@dataclass(frozen=True)
class CrmStatement:
    """A command of the shell: its level, its full name, its words, and its line (from 0)."""

    level: str
    name: str
    words: tuple[str, ...]
    line: int

    @property
    def arguments(self) -> tuple[str, ...]:
        """The level (none for the root's), the command and its words."""
        return (*((self.level,) if self.level else ()), self.name, *self.words)


@dataclass(frozen=True)
class CrmUnreadable:
    """A line that crmsh refuses: its text, why, and its number (from 0)."""

    text: str
    why: str
    line: int


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with its number (from 0); a backslash at its end goes on, # is a comment."""
    begun, first = "", 0
    for number, line in enumerate(text.split("\n")):
        stripped = line.strip()
        first = first if begun else number
        if stripped.endswith("\\"):
            begun += stripped.rstrip("\\") or " "
            continue
        whole, begun = (begun + stripped).strip(), ""
        if whole and not whole.startswith("#"):
            yield first, whole
    if begun.strip():
        yield first, begun.strip()


def line_of(arguments: Sequence[str]) -> str:
    """Return a command line's arguments as the line that crmsh makes of them."""
    return " ".join(_quoted(word) for word in arguments)


def _quoted(word: str) -> str:
    """Return a word with quotes around it when it has a blank, as crmsh does (add_quotes)."""
    if " " not in word:
        return word
    quote = "'" if '"' in word else '"'
    return word if quote in word else f"{quote}{word}{quote}"


class CrmSession:
    """One crm process: the level that it is on, and whether it has ended."""

    def __init__(self) -> None:
        self._levels: list[str] = []
        self.ended = False

    @property
    def level(self) -> str:
        """The level on which the next line is read."""
        return self._levels[-1] if self._levels else ROOT

    def read(self, line: str, number: int) -> CrmStatement | CrmUnreadable | None:
        """Return the command of a line; None when it only changes the level.

        A level before a command (`configure primitive …`) is left again behind it.
        """
        before = list(self._levels)
        try:
            words = shlex.split(line)
        except ValueError as error:
            return CrmUnreadable(line, f"{error} in this line", number)
        for at, word in enumerate(words):
            name = full_name(self.level, word) or ("" if has_commands(self.level) else word)
            if not name:
                level, self._levels = self.level, before
                where = f"on its level {level}" if level else ""
                return CrmUnreadable(line, f"there is no command {word} {where}".strip(), number)
            if name in levels_at(self.level):
                self._levels.append(name)
                continue
            return self._command(name, tuple(words[at + 1 :]), number, before)
        return None

    def _command(
        self, name: str, words: tuple[str, ...], number: int, before: list[str]
    ) -> CrmStatement | None:
        if name in ENDING:
            self.ended = True
            return None
        if name in LEAVING:
            self._leave(words if name == "cd" else ())
            return None
        made = CrmStatement(self.level, name, words, number)
        self._levels = before
        return made

    def _leave(self, words: tuple[str, ...]) -> None:
        path = words[0] if words else ".."
        if path.startswith("/"):
            self._levels.clear()
        for part in path.split("/"):
            if part == "..":
                del self._levels[-1:]
            elif part not in {"", "."}:
                self._levels.append(full_name(self.level, part) or part)
