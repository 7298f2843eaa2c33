"""What an operator says about a folder of scripts: options, and the file of answers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pacefab.errors import UsageError
from pacefab.report.text import Printer

if TYPE_CHECKING:
    from pacefab.legacy.answers.reading import AnswersFile
    from pacefab.legacy.model import Migration


@dataclass(frozen=True)
class Scripts:
    """A folder of scripts, and what an operator says about them.

    Args:
        folder: the scripts.
        ini: a file in the place of the ini file of its name.
        entries: the scripts that are started, with their arguments.
        settings: their environment.
        hosts: the hosts that a script ran on.
        answers: the file of answers, which may not be there yet.
    """

    folder: Path
    ini: Path | None = None
    entries: Sequence[tuple[str, ...]] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    answers: Path | None = None


def started(text: str) -> tuple[str, ...]:
    """Return a script that is started and its arguments.

    Raises:
        UsageError: it is none, or has a quote without an end.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"--entry {text}", str(error), "quote as in a shell") from None
    if not words:
        raise UsageError("read --entry", "it names no script", "write --entry 'SCRIPT ARGUMENTS'")
    return words


def settings(words: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE words as a mapping.

    Raises:
        UsageError: one is none.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--set {word}", "it is no NAME=VALUE", "write --set NAME=VALUE")
        found[name] = value
    return found


def hosts_of(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return HOST=SCRIPT words as the hosts of each script.

    Raises:
        UsageError: one is none.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        host, equals, script = word.partition("=")
        if not equals or not script or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*\w)?", host):
            raise UsageError(f"--on {word}", "it is no HOST=SCRIPT", "write --on HOST=SCRIPT")
        found[script] = (*found.get(script, ()), host)
    return found


def read_given(file: Path | None) -> AnswersFile | None:
    """Return what a file of answers says; None where there is none yet."""
    if file is None or not file.exists():
        return None
    from pacefab.legacy.answers.reading import read_answers

    try:
        return read_answers(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        seen = error.strerror or str(error)
        raise UsageError(f"read {file}", seen, "name another file with --answers") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"read {file}", "it is no UTF-8 text", "save it as UTF-8") from error


def write_asked(file: Path, folder: Path, done: Migration, given: AnswersFile | None) -> None:
    """Write what is asked into a file of answers; of one that is there every line stays."""
    from pacefab.legacy.answers.reading import read_answers
    from pacefab.legacy.answers.writing import write
    from pacefab.legacy.questions import Unanswered

    called = folder.name or folder.resolve().name
    text = write(done.asked or Unanswered(), called, given)
    if given is None or text != given.text:
        write_text(file, text)
    empty = read_answers(text, str(file)).empty
    said = f"{empty} without an answer: fill in what you know, then run this again with --force"
    Printer().lines([f"answers: {file}{f', {said}' if empty else ''}"])


def write_text(file: Path, text: str) -> None:
    """Write a file, its folder too.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"write {file}", error.strerror or str(error), "name another file"
        ) from error
