"""A command line that Invoke cannot read -> what was typed, and what may have been meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from invoke.exceptions import ParseError
from invoke.parser.context import ParserContext

from pacefab.cli.options import allowed_number, shown, whole_number
from pacefab.cli.reading.spelling import alternatives, nearest
from pacefab.cli.traits import TRAITS
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
                word = self._whole(word)
                return _wrong(f"{word} {self._not_of(task)}", self._option(word, task))
            return self._word(word, task)
        if missing := _NO_VALUE.fullmatch(str(error)):
            option = _typed(missing[1])
            return _wrong(f"{option} without a value", f"{option} VALUE; {self._help(task)}")
        return _wrong(str(error), self._help(task))

    def wrong_number(self) -> UsageError | None:
        """Return the option of the program whose number is none; None when all are right."""
        for typed, value in self._numbers():
            if whole_number(value, least=1) is None:
                return _wrong(f"{typed} {shown(value)}", f"allowed: {allowed_number(1, value)}")
        return None

    def repeated(self) -> UsageError | None:
        """Return a value of the program's own that is given twice: only the last would count."""
        flags, seen = self.core.flags, set()
        for word in self._own_words():
            option = word.partition("=")[0]
            if option not in flags or not flags[option].takes_value:
                continue
            name = flags[option].name
            if name in seen and flags[option].kind is not list:
                return _twice(option)
            seen.add(name)
        return None

    def empty(self) -> UsageError | None:
        """Return the option that is given an empty text, which would count as not given."""
        for option, value in self._given():
            if (
                self._takes_value(option)
                and not value.strip()
                and option not in self._own_words()[-1:]
            ):
                return _wrong(f"{option} {shown(value)}", f"{option} VALUE, or leave it out")
        return None

    def no_collection(self, name: str) -> UsageError:
        """Return what is wrong with --list NAME where there is no such collection."""
        seen = f"there is no collection of tasks {name}"
        return _wrong(seen, f"{self._listing(hosts=False)}; for programs: --list -F json")

    def _own_words(self) -> Sequence[str]:
        """Return what was typed before a command behind `--`."""
        return self.words[: self.words.index("--")] if "--" in self.words else self.words

    def _takes_value(self, option: str) -> bool:
        contexts = (self.core, *self.tasks.values())
        known = [context.flags[option] for context in contexts if option in context.flags]
        return bool(known) and all(flag.takes_value for flag in known)

    def _numbers(self) -> Iterator[tuple[str, str]]:
        """Yield what was typed as numbers of the program's own options."""
        flags = self.core.flags
        numbers = [name for name in self.core.flag_names() if flags[name].kind is int]
        for word, following in pairwise([*self._own_words(), ""]):
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
        if (name := plain.strip("-").lower()) in self.tasks:
            return f"{name} is a task: {self.program} {name}"
        if not task and behind:
            return f"it belongs behind the task: {self.program} {behind} {word} …"
        if takers:
            return f"it is an option of {', '.join(takers[:4])}; {self._help(task)}"
        return _guess(
            nearest(plain, self._long_options(task)) if plain.strip("-") else []
        ) + self._help(task)

    def _long_options(self, task: str | None) -> list[str]:
        own = self.tasks[task].flag_names() if task else ()
        return [name for name in (*own, *self.core.flag_names()) if name.startswith("--")]

    def _word(self, word: str, task: str | None) -> UsageError:
        """Return what is wrong with a word that is neither task nor option nor its value."""
        if wrong := self._value(word):
            return wrong
        if task is None and word in TRAITS:
            return _wrong(f"there is no task {word} here", f"it is one of fab: fab {word}")
        meant = nearest(word, self.tasks)
        file = self.files.get(task or "")
        if file and (set("./") & set(word) or not meant):
            named = f"{self.program} {task} {file} {word}"
            return _wrong(f"{word} behind {task}", f"a file follows the task at once, or: {named}")
        if task is None or meant:
            next_step = _guess(meant) + self._listing(hosts=not meant)
            return _wrong(f"there is no task {shown(word)}", next_step)
        seen = f"{shown(word)} behind {task}, which takes options only"
        return _wrong(seen, self._help(task))

    def _value(self, word: str) -> UsageError | None:
        """Return what is wrong with the value of an option that takes none, or has one already."""
        options = [option for option, value in self._given() if value == word]
        option = next((option for option in options if option not in {"-h", "--help"}), None)
        if option is None:
            return None
        if self._takes_value(option):
            return _twice(option)
        if f"{option}={word}" in self.words:
            return _wrong(f"{option}={word}, but {option} takes no value", f"{option} alone")
        return None

    def _given(self) -> Iterator[tuple[str, str]]:
        """Yield options, and what follows them."""
        for word, following in pairwise([*self._own_words(), ""]):
            option, equals, value = word.partition("=")
            if option.startswith("-"):
                yield option, value if equals else following

    def _whole(self, option: str) -> str:
        """Return the word that Invoke took an option of one letter from: -status for -s."""
        short = len(option) == len("-s")
        whole = (w for w in self.words if w.startswith(option) and not w.startswith("--"))
        return next(whole, option) if short and option not in self.words else option

    def _not_of(self, task: str | None) -> str:
        return f"is no option of {task}" if task else f"is no option of {self.program} itself"

    def _listing(self, *, hosts: bool) -> str:
        listing = f"{self.program} --list shows the tasks"
        return f"{listing}; hosts are given with -H" if hosts and self._has_hosts else listing

    @property
    def _has_hosts(self) -> bool:
        return "--hosts" in self.core.flags

    def _help(self, task: str | None) -> str:
        return f"{self.program} --help{f' {task}' if task else ''} shows the options"


def _guess(meant: Sequence[str]) -> str:
    return f"did you mean {alternatives(meant)}? " if meant else ""


def _wrong(seen: str, next_step: str) -> UsageError:
    return UsageError(_ATTEMPTED, seen, next_step)


def _twice(option: str) -> UsageError:
    step = "give all hosts at once: -H c1,c2" if option in {"-H", "--hosts"} else "give it once"
    return _wrong(f"{option} is given twice", step)


def _typed(name: str) -> str:
    """Return an option as it is typed, by the name that Invoke has for it."""
    dashed = name.replace("_", "-").rstrip("-")
    return f"--{dashed}" if len(dashed) > 1 else f"-{dashed}"
