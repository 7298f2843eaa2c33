"""A command line that Invoke cannot read -> what was typed, and what may have been meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from invoke.exceptions import ParseError
from invoke.parser.context import ParserContext

from pacefab.cli.spelling import alternatives, nearest
from pacefab.errors import UsageError

_ATTEMPTED = "read the command line"
_UNKNOWN = re.compile(r"No idea what (.+) is!", re.DOTALL)
_NO_VALUE = re.compile(r"Flag <Argument: (\S+?)[ >].*needed value and was not given one!")


@dataclass(frozen=True)
class CommandLine:
    """What was typed, and what there is to type.

    Args:
        program: its name.
        words: what was typed behind it.
        core: the program's own options.
        tasks: the options of each task, by the task's name.
        files: the option of each task that takes a file right behind the task's name.
    """

    program: str
    words: Sequence[str]
    core: ParserContext
    tasks: Mapping[str, ParserContext]
    files: Mapping[str, str]

    def explain(self, error: ParseError) -> UsageError:
        """Return what Invoke's parser found, with what to type instead."""
        task = error.context.name if error.context else None
        if unknown := _UNKNOWN.fullmatch(str(error)):
            word = str(ast.literal_eval(unknown[1]))
            if word.startswith("-"):
                return _wrong(f"{word} {self._not_of(task)}", self._option(word, task))
            return self._word(word, task)
        if missing := _NO_VALUE.fullmatch(str(error)):
            option = _typed(missing[1])
            return _wrong(f"{option} without a value", f"{option} VALUE; {self._help(task)}")
        return _wrong(str(error), self._help(task))

    def wrong_number(self) -> UsageError | None:
        """Return the option of the program whose number is none; None when all are right."""
        for typed, value in self._numbers():
            if not (value.isascii() and value.isdigit()) or int(value) < 1:
                return _wrong(f"{typed} {value}", "allowed: a whole number, 1 or more")
        return None

    def _numbers(self) -> Iterator[tuple[str, str]]:
        """Yield what was typed as numbers of the program's own options."""
        flags = self.core.flags
        numbers = [name for name in self.core.flag_names() if flags[name].kind is int]
        words = self.words[: self.words.index("--")] if "--" in self.words else self.words
        for word, following in pairwise([*words, ""]):
            option, equals, value = word.partition("=")
            if option in numbers:
                yield option, value if equals else following
            elif word[:2] in numbers and not word.startswith("--"):
                yield word[:2], word[2:].removeprefix("=")

    def _option(self, word: str, task: str | None) -> str:
        """Return what to type instead of an option that nobody knows in its place."""
        plain = word.replace("_", "-")
        takers = [name for name in self.tasks if word in self.tasks[name].flags]
        behind = next((typed for typed in self.words if typed in takers), "")
        if task and plain == "--dry-run":
            return f"{self.program} plan shows what {task} would do and changes nothing"
        if not task and behind:
            return f"it belongs behind the task: {self.program} {behind} {word} …"
        if takers:
            return f"it is an option of {', '.join(takers[:4])}; {self._help(task)}"
        return _guess(nearest(plain, self._long_options(task))) + self._help(task)

    def _long_options(self, task: str | None) -> list[str]:
        own = self.tasks[task].flag_names() if task else ()
        return [name for name in (*own, *self.core.flag_names()) if name.startswith("--")]

    def _word(self, word: str, task: str | None) -> UsageError:
        """Return what is wrong with a word that is neither task nor option nor its value."""
        switches = (typed for typed in self.words if typed.startswith("-"))
        if switch := next((typed for typed in switches if typed.endswith(f"={word}")), None):
            option = switch.removesuffix(f"={word}")
            return _wrong(f"{switch}, but {option} takes no value", f"{option} alone")
        meant = nearest(word, self.tasks)
        file = self.files.get(task or "")
        if file and (set("./") & set(word) or not meant):
            named = f"{self.program} {task} {file} {word}"
            return _wrong(f"{word} behind {task}", f"a file follows the task at once, or: {named}")
        if task is None or meant:
            next_step = _guess(meant) + self._listing(hosts=not meant)
            return _wrong(f"there is no task {word}", next_step)
        return _wrong(f"{word} behind {task}, which takes options only", self._help(task))

    def _not_of(self, task: str | None) -> str:
        return f"is no option of {task}" if task else f"is no option of {self.program} itself"

    def _listing(self, *, hosts: bool) -> str:
        listing = f"{self.program} --list shows the tasks"
        return f"{listing}; hosts are given with -H" if hosts else listing

    def _help(self, task: str | None) -> str:
        return f"{self.program} --help{f' {task}' if task else ''} shows the options"


def _guess(meant: Sequence[str]) -> str:
    return f"did you mean {alternatives(meant)}? " if meant else ""


def _wrong(seen: str, next_step: str) -> UsageError:
    return UsageError(_ATTEMPTED, seen, next_step)


def _typed(name: str) -> str:
    """Return an option as it is typed, by the name that Invoke has for it."""
    dashed = name.replace("_", "-")
    return f"--{dashed}" if len(dashed) > 1 else f"-{dashed}"
