"""The text of a file of answers -> what an operator says; what is wrong with it, by its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pacefab.errors import UsageError
from pacefab.legacy.questions import Start, StartedScript
from pacefab.legacy.source import SourceFile, Tree
from pacefab.legacy.unknown import RESERVED

START, SET, VALUES, CONDITIONS = "start", "set", "values", "conditions"
SCRIPT, ARGUMENTS, ON = "script", "arguments", "on"
_SECTIONS = (START, SET, VALUES, CONDITIONS)
_OF_START = (SCRIPT, ARGUMENTS, ON)
_NULL, _BOOL = "tag:yaml.org,2002:null", "tag:yaml.org,2002:bool"
_NAME = re.compile(r"[A-Za-z_]\w*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_MOST_SHOWN = 8  # mistakes
_STEP = "correct the file, or name another one with --answers"


@dataclass(frozen=True)
class AnswersFile:
    """A file of answers: its text, what it says, and the line of each thing that it names.

    `empty`: how many of those have no answer.
    """

    file: str
    text: str
    start: Start
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    empty: int = 0

    def check(self, tree: Tree) -> None:
        """Refuse what is about no file and no line of the folder.

        Raises:
            UsageError: there is such; its lines are named.
        """
        found = sorted(self._misfits(tree))
        if found:
            raise _refused(self.file, found)

    def _misfits(self, tree: Tree) -> Iterator[tuple[int, str]]:
        names = {name for file in tree.files.values() for name in _NAME.findall(file.text)}
        for path, line in self.lines.items():
            section, *rest = path
            if section == SET and rest[0] not in names:
                yield line, f"{rest[0]} is in no file of the folder{_meant(rest[0], names)}"
            if section == START and tree.find(rest[0]) is None:
                yield line, f"{rest[0]} is not in the folder{_meant(rest[0], tree.files)}"
            if section in {VALUES, CONDITIONS} and rest[0] not in tree.files:
                yield line, f"{rest[0]} is not in the folder{_meant(rest[0], tree.files)}"
            elif section in {VALUES, CONDITIONS} and not _stands_in(tree.files[rest[0]], rest[1:]):
                yield line, f"{rest[0]} has no {rest[1]}"


def read_answers(text: str, file: str) -> AnswersFile:
    """Return what a file of answers says.

    Raises:
        UsageError: it is no such file: each mistake with its line.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refused(file, [(line, str(error.problem or "this is not YAML"))]) from error
    except (YAMLError, RecursionError) as error:
        raise _refused(file, [(1, "this is not YAML")]) from error
    reading = _AnswersReading()
    start = reading.read(root)
    if reading.mistakes:
        raise _refused(file, sorted(reading.mistakes))
    return AnswersFile(file, text, start, reading.lines, reading.empty)


class _AnswersReading:
    """One walk over the nodes of a file."""

    def __init__(self) -> None:
        self.mistakes: list[tuple[int, str]] = []
        self.lines: dict[tuple[str, ...], int] = {}
        self.empty = 0
        self._keys: dict[int, int] = {}  # the line of the key of a value

    def read(self, root: Node | None) -> Start:
        sections = dict(self._items(root, "the file", _SECTIONS))
        return Start(
            tuple(self._entries(sections.get(START))),
            dict(self._settings(sections.get(SET))),
            values={k: v for k, v in self._texts(VALUES, sections) if isinstance(v, str)},
            conditions={k: v for k, v in self._texts(CONDITIONS, sections) if isinstance(v, bool)},
        )

    def _refuse(self, node: Node, text: str) -> None:
        self.mistakes.append((self._keys.get(id(node), _line(node)), text))

    def _items(
        self, node: Node | None, what: str, known: tuple[str, ...] = ()
    ) -> Iterator[tuple[str, Node]]:
        """Yield keys and values of a mapping; nothing of an empty one."""
        if node is None or _is_null(node):
            return
        if not isinstance(node, MappingNode):
            self._refuse(node, f"{what} has to be a mapping of names and values")
            return
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._refuse(key, f"{what}: a key has to be a text")
            elif key.value in seen:
                self._refuse(key, f"{what}: {key.value} is there twice")
            elif known and key.value not in known:
                self._refuse(key, f"{what} has no {key.value}: there are {', '.join(known)}")
            else:
                seen.add(key.value)
                self._keys[id(value)] = _line(key)
                yield key.value, value

    def _list(self, node: Node | None, what: str) -> list[Node]:
        if node is None or _is_null(node):
            return []
        if not isinstance(node, SequenceNode):
            self._refuse(node, f"{what} has to be a list: an entry a line, with - before it")
            return []
        return list(node.value)

    def _text(self, node: Node, what: str) -> str | None:
        """Return a text as it is written; None where nothing is."""
        if not isinstance(node, ScalarNode):
            kind = "list" if isinstance(node, SequenceNode) else "mapping"
            self._refuse(node, f"{what} has to be one text, no {kind}")
            return None
        if node.anchor or RESERVED.search(node.value) or "\0" in node.value:
            self._refuse(node, f"{what} has an anchor or a character that no script can have")
            return None
        self.empty += _is_null(node)
        return None if _is_null(node) else str(node.value)

    def _entries(self, section: Node | None) -> Iterator[StartedScript]:
        for node in self._list(section, START):
            parts = dict(self._items(node, f"an entry of {START}", _OF_START))
            script = self._text(parts[SCRIPT], SCRIPT) if SCRIPT in parts else None
            if script is None:
                self._refuse(node, f"an entry of {START} needs {SCRIPT}: PATH")
                continue
            self.lines[START, script] = _line(node)
            yield StartedScript(script, self._arguments(parts), tuple(self._hosts(parts.get(ON))))

    def _arguments(self, parts: Mapping[str, Node]) -> tuple[str | None, ...]:
        node = parts.get(ARGUMENTS)
        if node is None or _is_null(node):
            self.empty += node is not None
            return (None,)
        return tuple(self._text(one, "an argument") for one in self._list(node, ARGUMENTS))

    def _hosts(self, node: Node | None) -> Iterator[str]:
        if node is None:
            return
        for one in node.value if isinstance(node, SequenceNode) else [node]:
            name = self._text(one, ON)
            if name is not None and not _HOST.fullmatch(name):
                self._refuse(one, f"{ON}: this is no name of a host")
            elif name is not None:
                yield name

    def _settings(self, section: Node | None) -> Iterator[tuple[str, str]]:
        for name, node in self._items(section, SET):
            self.lines[SET, name] = self._keys[id(node)]
            if not _NAME.fullmatch(name):
                self._refuse(node, f"{SET}: {name} is no name of a variable")
                continue
            text = self._text(node, name)
            if text is not None:
                yield name, text

    def _texts(
        self, name: str, sections: Mapping[str, Node]
    ) -> Iterator[tuple[tuple[str, str], str | bool]]:
        for file, inner in self._items(sections.get(name), name):
            self.lines[name, file] = self._keys[id(inner)]
            for text, node in self._items(inner, f"{name}: {file}"):
                self.lines[name, file, text] = self._keys[id(node)]
                answer = self._text(node, f"{name}: {file}: {text}")
                if answer is None:
                    continue
                if name == VALUES:
                    yield (file, text), answer
                elif node.tag == _BOOL:
                    yield (file, text), answer.lower() == "true"
                else:
                    self._refuse(node, f"{name}: {file}: {text} has to be true or false")


def _is_null(node: Node) -> bool:
    return bool(node.tag == _NULL)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _stands_in(file: SourceFile, texts: Sequence[str]) -> bool:
    """Return whether a file has what a text of a question begins with."""
    return all((text.removeprefix("read ").split() or [""])[0] in file.text for text in texts)


def _meant(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f": {close[0]}?" if close else ""


def _refused(file: str, mistakes: list[tuple[int, str]]) -> UsageError:
    shown = [f"{file}:{line}: {text}" for line, text in mistakes[:_MOST_SHOWN]]
    more = len(mistakes) - _MOST_SHOWN
    return UsageError(
        f"read the answers in {file}",
        "\n".join([*shown, *([f"and {more} more"] if more > 0 else [])]),
        _STEP,
    )
