"""Options of a command line, split from its operands as getopt does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class UnknownOptionError(ValueError):
    """The program has no such option, as far as it is known here; its argument is the word."""


@dataclass(frozen=True)
class Syntax:
    """The options of a program; names are letters (-x) or words (--name), parted by blanks.

    Args:
        values: options that a value follows: -xVALUE, -x VALUE, --name=VALUE, --name VALUE.
        flags: the options without a value; None: every other option is one.
        attached: options whose value can only be attached (sed -iSUFFIX).
        long: short names of long options.
        mixed: options may also follow operands; else the first operand ends the options.
    """

    values: str = ""
    flags: str | None = None
    attached: str = ""
    long: Mapping[str, str] = field(default_factory=dict)
    mixed: bool = False

    def takes_value(self, name: str) -> bool:
        """Return whether a value follows an option."""
        return name in self.values.split()

    def takes_attached(self, name: str) -> bool:
        """Return whether an option has only the value that is attached to it."""
        return name in self.attached.split()

    def knows(self, name: str) -> bool:
        """Return whether the program has an option."""
        taking = self.takes_value(name) or self.takes_attached(name)
        return self.flags is None or taking or name in self.flags.split()


@dataclass(frozen=True)
class GivenOption:
    """An option as given: its name (the short one if it has one), its value, and where that is."""

    name: str
    value: str
    at: int  # index of the word that has the value


@dataclass
class SplitOptions:
    """The options and operands of one command line.

    `first` is the index of the first operand; without operands, the number of words.
    """

    given: list[GivenOption] = field(default_factory=list)
    operands: list[str] = field(default_factory=list)
    first: int = 0

    def __contains__(self, name: object) -> bool:
        return any(option.name == name for option in self.given)

    @property
    def names(self) -> set[str]:
        """The names of all options given."""
        return {option.name for option in self.given}

    def values(self, *names: str) -> list[str]:
        """Return the values of options, in their order."""
        return [option.value for option in self.given if option.name in names]

    def value(self, name: str, otherwise: str = "") -> str:
        """Return the value of an option: the last one, as programs take it."""
        return (self.values(name) or [otherwise])[-1]


def split_options(words: Sequence[str], syntax: Syntax) -> SplitOptions:
    """Split a program's arguments; a lone - is an operand, and -- ends the options.

    Raises:
        UnknownOptionError: the syntax lists the flags, and this is none of its options.
    """
    return _Splitter(words, syntax).split()


class _Splitter:
    def __init__(self, words: Sequence[str], syntax: Syntax) -> None:
        self._words = words
        self._syntax = syntax
        self._at = 0
        self._options = SplitOptions(first=len(words))

    def split(self) -> SplitOptions:
        while self._at < len(self._words):
            word = self._words[self._at]
            if word == "--":
                self._at += 1
                self._rest()
            elif not word.startswith("-") or word == "-":
                self._operand(word)
            elif word.startswith("--"):
                self._long(word)
            else:
                self._short(word)
        return self._options

    def _rest(self) -> None:
        """Take all further words for operands."""
        while self._at < len(self._words):
            self._add_operand(self._words[self._at])

    def _operand(self, word: str) -> None:
        if self._syntax.mixed:
            self._add_operand(word)
        else:
            self._rest()

    def _add_operand(self, word: str) -> None:
        self._options.first = min(self._options.first, self._at)
        self._options.operands.append(word)
        self._at += 1

    def _long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        name = self._syntax.long.get(name, name)
        if not self._syntax.knows(name):
            raise UnknownOptionError(word)
        if self._syntax.takes_value(name) and not equals:
            self._following(name, word)
        else:
            self._add(name, value)

    def _short(self, word: str) -> None:
        for place, letter in enumerate(word[1:], 2):
            if not self._syntax.knows(letter):
                raise UnknownOptionError(word)
            attached = word[place:]
            if self._syntax.takes_value(letter) and not attached:
                self._following(letter, word)
                return
            if self._syntax.takes_value(letter) or self._syntax.takes_attached(letter):
                self._add(letter, attached)
                return
            self._options.given.append(GivenOption(letter, "", self._at))
        self._at += 1

    def _following(self, name: str, word: str) -> None:
        """Take the next word for the value of an option."""
        self._at += 1
        if self._at >= len(self._words) and self._syntax.flags is not None:
            raise UnknownOptionError(word)
        self._add(name, self._words[self._at] if self._at < len(self._words) else "")

    def _add(self, name: str, value: str) -> None:
        self._options.given.append(GivenOption(name, value, self._at))
        self._at += 1
