"""What is asked -> the text of a file of answers; what is answered there stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from pacefab.legacy.answers.reading import (
    ARGUMENTS,
    CONDITIONS,
    ON,
    SCRIPT,
    SET,
    START,
    VALUES,
    AnswersFile,
)
from pacefab.legacy.masking import is_secret
from pacefab.legacy.questions import AskedStart, Reasons, Unanswered

_HEADER = """\
# What no script of {folder} says. Fill in what you know, and run the same command again: what stays
# empty stays unknown. A secret is not needed here: the inventory has its name alone.
"""
_TITLES = {
    START: "The scripts that are started by hand, in the order that is taken for granted. Move an\n"
    "# entry, remove one that is not started, repeat one that is started again. Arguments: an\n"
    "# entry each; remove those that are not given.",
    SET: "Variables that nothing in the folder sets.",
    VALUES: "What is known at run time alone: what is typed in, and what commands print.",
    CONDITIONS: "Conditions that are known at run time alone: true or false.",
}
_PLAIN = re.compile(r"[A-Za-z_./][\w./@-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def write(asked: Unanswered, folder: str, answers: AnswersFile | None = None) -> str:
    """Return the text of a file of answers with all that is asked.

    Args:
        asked: what a migration asks.
        folder: the name of the scripts' folder.
        answers: the file as it is: its lines stay, and what is new is added.
    """
    if answers is None:
        return "\n".join([_HEADER.format(folder=folder), *_sections(asked)])
    return _Addition(answers).text(asked)


def _sections(asked: Unanswered) -> Iterator[str]:
    """Yield the lines of all sections."""
    if asked.starts:
        yield from _titled(START, (line for one in asked.starts for line in _entry(one)))
    if asked.variables:
        yield from _titled(SET, _named(asked.variables, "  "))
    for name, found in ((VALUES, asked.values), (CONDITIONS, asked.conditions)):
        if found:
            yield from _titled(name, (line for one in found.items() for line in _of_file(*one)))


def _titled(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"# {_TITLES[name]}"
    yield f"{name}:"
    yield from lines
    yield ""


def _entry(start: AskedStart) -> Iterator[str]:
    yield f"- {SCRIPT}: {_scalar(start.script)}"
    if start.arguments or start.others:
        together = ("all arguments together, an entry each:",) if start.others else ()
        yield from _comments((*together, *start.others), "  ")
        yield f"  {ARGUMENTS}:"
        for number in range(1, max(start.arguments, default=0) + 1):
            yield from _argument(number, start.arguments.get(number, ()), "  ")
    if start.host:
        yield from _comments(("the host where it runs:", *start.host), "  ")
        yield f"  {ON}:"


def _argument(number: int, reasons: Reasons, indent: str) -> Iterator[str]:
    yield from _comments((f"${number} {reasons[0] if reasons else ''}", *reasons[1:]), indent)
    yield f"{indent}-"


def _named(found: Mapping[str, Reasons], indent: str) -> Iterator[str]:
    for name, reasons in found.items():
        more = ("a secret: leave it empty",) if _is_secret(name) else ()
        yield from _comments((*reasons, *more), indent)
        yield f"{indent}{_scalar(name)}:"


def _is_secret(name: str) -> bool:
    """Return whether a variable, also one that is typed in, is named like a secret."""
    variable = name.removeprefix("read ")
    return variable.isidentifier() and is_secret(variable)


def _of_file(file: str, texts: Mapping[str, Reasons], indent: str = "  ") -> Iterator[str]:
    yield f"{indent}{_scalar(file)}:"
    yield from _named(texts, f"{indent}  ")


def _indent(node: Node | None, otherwise: str) -> str:
    """Return the blanks before the keys of a mapping that has some."""
    if isinstance(node, MappingNode) and node.value:
        return " " * int(node.value[0][0].start_mark.column)
    return otherwise


def _comments(texts: Iterable[str], indent: str) -> Iterator[str]:
    yield from (f"{indent}# {' '.join(text.split())}".rstrip() for text in texts)


def _scalar(text: str) -> str:
    """Return a text as YAML has it in one line."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text)


class _Addition:
    """Adds to a file of answers, and leaves every line that is there."""

    def __init__(self, answers: AnswersFile) -> None:
        self._answers = answers
        self._lines = answers.text.split("\n")
        self._added: dict[int, list[str]] = {}  # by the number of lines that are before
        self._end: list[str] = []
        self._keys: dict[int, int] = {}  # the line of the key of a value
        root = YAML(typ="safe", pure=True).compose(answers.text)
        self._root = self._children(root)

    def text(self, asked: Unanswered) -> str:
        """Return the file's text with what is asked and not yet there."""
        for start in asked.starts:
            self._arguments(start)
        new = {name: why for name, why in asked.variables.items()
               if (SET, name) not in self._answers.lines}  # fmt: skip
        self._into(SET, self._root.get(SET), new, "  ")
        for name, found in ((VALUES, asked.values), (CONDITIONS, asked.conditions)):
            section = self._root.get(name)
            files = self._children(section)
            for file, node in files.items():
                there = self._children(node)
                texts = {t: why for t, why in found.get(file, {}).items() if t not in there}
                self._into(file, node, texts, _indent(section, "  ") + "  ")
            self._files(name, section, {f: t for f, t in found.items() if f not in files})
        return self._joined()

    def _joined(self) -> str:
        if not self._added and not self._end:
            return self._answers.text
        lines: list[str] = [*self._added.get(0, ())]
        for number, line in enumerate(self._lines, 1):
            lines += [line, *self._added.get(number, ())]
        before, end = "\n".join(lines).rstrip(), "\n".join(self._end).rstrip()
        return f"{before}\n\n{end}\n" if end else f"{before}\n"

    def _arguments(self, start: AskedStart) -> None:
        """Add places for arguments of a script whose list is open."""
        for node in _entries(self._root.get(START)):
            parts = self._children(node)
            words = parts.get(ARGUMENTS)
            if getattr(parts.get(SCRIPT), "value", "") != start.script:
                continue
            if not isinstance(words, SequenceNode) or words.flow_style or not _is_open(words):
                continue
            indent = " " * (words.start_mark.column)
            for number in range(len(words.value) + 1, max(start.arguments, default=0) + 1):
                lines = _argument(number, start.arguments.get(number, ()), indent)
                self._after(words, list(lines))

    def _files(
        self, name: str, section: Node | None, found: Mapping[str, Mapping[str, Reasons]]
    ) -> None:
        indent = _indent(section, "  ")
        lines = [line for one in found.items() for line in _of_file(*one, indent)]
        self._section(name, section, lines)

    def _into(
        self, name: str, node: Node | None, found: Mapping[str, Reasons], indent: str
    ) -> None:
        self._section(name, node, list(_named(found, _indent(node, indent))))

    def _section(self, name: str, node: Node | None, lines: list[str]) -> None:
        if not lines:
            return
        if node is None:
            self._end += _titled(name, lines)
        elif not _is_in_braces(node):
            self._after(node, lines)

    def _after(self, node: Node, lines: Sequence[str]) -> None:
        self._added.setdefault(self._last_line(node), []).extend(lines)

    def _last_line(self, node: Node) -> int:
        """Return the number of the last line that a node stands in, without what follows it."""
        if isinstance(node, MappingNode) and node.value and not node.flow_style:
            key, value = node.value[-1]
            return int(key.end_mark.line) + 1 if _is_null(value) else self._last_line(value)
        if isinstance(node, SequenceNode) and node.value and not node.flow_style:
            return self._last_line(node.value[-1])
        if _is_null(node):  # of a key, its mark is where the next thing stands
            return self._keys.get(id(node), int(node.start_mark.line) + 1)
        return int(node.end_mark.line) + 1

    def _children(self, node: Node | None) -> dict[str, Node]:
        """Return the values of a mapping by their keys, whose lines are kept."""
        if not isinstance(node, MappingNode):
            return {}
        self._keys |= {id(value): int(key.end_mark.line) + 1 for key, value in node.value}
        return {str(key.value): value for key, value in node.value}


def _entries(node: Node | None) -> list[Node]:
    return list(node.value) if isinstance(node, SequenceNode) else []


def _is_open(words: SequenceNode) -> bool:
    return any(map(_is_null, words.value))


def _is_null(node: Node) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _is_in_braces(node: Node) -> bool:
    """Return whether a mapping is written in one piece, which takes no further lines."""
    return bool(isinstance(node, MappingNode) and node.flow_style)
