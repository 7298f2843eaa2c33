"""YAML text -> plain data, and the line of every key and entry.

An inventory is data: no tags, and no anchors, which would let a short file become an endless one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pacefab.inventory.composing import compose

Plain = str | int | float | bool | None | tuple["Plain", ...] | dict[str, "Plain"]
Path = tuple[str | int, ...]

_CORE = "tag:yaml.org,2002:"
_TEXTS = {"str", "timestamp", "merge"}  # the latter two only look like something else
_LONGEST_NUMBER = 100  # characters; Python and pydantic stumble over numbers of thousands
_SECRET = re.compile(
    r"passw|passphrase|pwd|secret|credential|(private|api|auth)[_-]?key|(auth|api|access)[_-]?token",
    re.IGNORECASE,
)
_WHERE_ONE_IS = re.compile(r"_(script|file|path)$", re.IGNORECASE)  # a path to a secret is none
_REFERENCE = "secret"  # the one key of a mapping that names a secret: {secret: NAME}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # no XML
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]+")
_NO_PLACE_HERE = (
    "a secret has no place in an inventory, which is shared and shown; give secrets by the "
    "environment, a file of mode 600 or at the prompt"
)
_CONTROL_INSIDE = "there is a control character in it, which Pacemaker's XML cannot hold"


@dataclass(frozen=True)
class Mistake:
    """One thing to fix, at a line (from 1) and a key or entry of the file."""

    line: int
    path: Path
    text: str


class SyntaxMistakeError(ValueError):
    """The text is not YAML; args: line and column (from 1; 0 when not known), what is wrong."""


@dataclass
class Document:
    """What a file holds as plain data, where it stands, and what no inventory may hold."""

    data: Plain = None
    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of a key or entry; of the nearest around it when it is not there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str) -> Document:
    """Return what the text holds; secrets and what is no plain data are left out, as mistakes.

    Raises:
        SyntaxMistakeError: it is not YAML.
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        root = compose(text) or yaml.compose(text)
    except YAMLError as error:
        raise _explain(text, error) from error
    except RecursionError:
        raise SyntaxMistakeError(0, 0, "it is nested too deeply") from None
    return _Reading(yaml).read(root)


class _Reading:
    """One walk over the nodes of a document."""

    def __init__(self, yaml: YAML) -> None:
        self._yaml = yaml
        self._document = Document()

    def read(self, root: Node | None) -> Document:
        if root is not None:
            self._document.data = self._value(root, ())
        return self._document

    def _value(self, node: Node, path: Path) -> Plain:
        self._document.lines.setdefault(path, _line(node))
        if node.anchor:
            self._refuse(node, path, f"anchors (&{node.anchor}) are not read: write it out")
            return None
        kind = str(node.tag).removeprefix(_CORE)
        if isinstance(node, MappingNode) and kind == "map":
            return {key: self._value(value, (*path, key)) for key, value in self._items(node, path)}
        if isinstance(node, SequenceNode) and kind == "seq":
            return tuple(self._value(entry, (*path, i)) for i, entry in enumerate(node.value))
        if isinstance(node, ScalarNode) and kind in {*_TEXTS, "int", "float", "bool", "null"}:
            return self._scalar(node, kind, path)
        tag = str(node.tag).replace(_CORE, "!!")
        self._refuse(node, path, f"tags ({tag}) are not read: an inventory is plain data")
        return None

    def _items(self, node: MappingNode, path: Path) -> Iterator[tuple[str, Node]]:
        """Yield the entries that may stand there, and note where they do."""
        for key_node, value in node.value:
            if not isinstance(key_node, ScalarNode):
                self._refuse(key_node, path, "a key must be a text")
                continue
            key = key_node.value
            here = (*path, key)
            if here in self._document.lines:
                self._refuse(key_node, here, f"line {self._document.lines[here]} has the same key")
                continue
            self._document.lines[here] = _line(key_node)
            if _names_a_secret(key, value) and not (path and _is_reference(node)):
                self._refuse(key_node, here, _NO_PLACE_HERE)
                continue
            yield key, value

    def _scalar(self, node: ScalarNode, kind: str, path: Path) -> Plain:
        if _CONTROL.search(node.value):
            self._refuse(node, path, _CONTROL_INSIDE)
            return None
        if kind in _TEXTS:
            return str(node.value)
        if _LEADING_ZERO.fullmatch(node.value):
            self._refuse(node, path, f"{node.value} needs quotes: a number loses its leading zero")
            return None
        if len(node.value) > _LONGEST_NUMBER:
            self._refuse(node, path, f"a number of {len(node.value)} digits")
            return None
        try:
            value: Plain = self._yaml.constructor.construct_object(node)
        except ValueError:  # such as !!int abc
            self._refuse(node, path, f"this cannot be read as a YAML {kind}")
            return None
        return value

    def _refuse(self, node: Node, path: Path, text: str) -> None:
        self._document.mistakes.append(Mistake(_line(node), path, text))


def _names_a_secret(key: str, value: Node) -> bool:
    """Whether a key's value would be a secret: by the key, and not only the secret's name."""
    if not _SECRET.search(key) or _WHERE_ONE_IS.search(key):
        return False
    return not _is_reference(value)


def _is_reference(node: Node) -> bool:
    """Whether this is {secret: NAME}."""
    if not isinstance(node, MappingNode) or len(node.value) != 1:
        return False
    ((key, value),) = node.value
    return key.value == _REFERENCE and isinstance(value, ScalarNode)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _explain(text: str, error: YAMLError) -> SyntaxMistakeError:
    """Return where and what, without the line itself: it may hold anything, a password too."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        problem = ", ".join(filter(None, (error.context, error.problem)))
        return SyntaxMistakeError(mark.line + 1, mark.column + 1, problem)
    before = text[: getattr(error, "position", 0)]
    column = len(before) - (before.rfind("\n") + 1) + 1
    reason = getattr(error, "reason", "this is not YAML")
    return SyntaxMistakeError(before.count("\n") + 1, column, reason)
