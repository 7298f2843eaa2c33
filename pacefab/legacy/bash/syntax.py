"""Bash -> a syntax tree, by tree-sitter's grammar; texts and lines of its nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from pacefab.legacy.model import Place

__all__ = ["Node", "Script", "child_of", "children_of", "parse", "walk"]

_FOR_DO = re.compile(rb"(?m)(^[ \t]*for[ \t]+[A-Za-z_]\w*)([ \t]+do\b)")
_MOST_REPAIRS = 20  # times; one is enough but for nested texts


@dataclass(frozen=True)
class Script:
    """Bash to evaluate: a file, or a text that ssh or a here document hands to a shell."""

    file: str
    source: bytes
    first_line: int = 1

    def text(self, node: Node) -> str:
        """Return what stands at a node."""
        return self.source[node.start_byte : node.end_byte].decode(errors="replace")

    def between(self, start: int, end: int) -> str:
        """Return what stands between two bytes."""
        return self.source[start:end].decode(errors="replace")

    def place(self, node: Node) -> Place:
        """Return the file and line of a node."""
        return Place(self.file, self.first_line + node.start_point.row)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def parse(script: Script) -> tuple[Script, Node]:
    """Return the syntax tree of a script; what is no bash is in nodes of type ERROR.

    The grammar takes a command for the continuation of the line before it: of several assignments,
    or of a pipeline when a here document follows. A semicolon at the line's end puts that right; so
    the script returned may differ by semicolons.
    """
    script = Script(script.file, _FOR_DO.sub(rb"\1;\2", script.source), script.first_line)
    root = _root(script.source)
    for _ in range(_MOST_REPAIRS):
        changes = sorted({*_swallowed(root, script.source), *_torn(root, script.source)})
        if not changes:
            break
        source = script.source
        for start, end, text in reversed(changes):
            source = source[:start] + text + source[end:]
        script = Script(script.file, source, script.first_line)
        root = _root(source)
    return script, root


def _root(source: bytes) -> Node:
    """Return the root of a source's tree.

    The grammar's scanner asks C's isalpha() about characters beyond ASCII, which reads whatever is
    in memory there and may crash (tree-sitter-bash 0.25.1). It gets dots in their place, byte for
    byte: part of a word as they are, and of no name.
    """
    return _parser().parse(re.sub(rb"[\x80-\xff]", b".", source)).root_node


_TORN_OFF = {"concatenation", "word", "number"}
_Change = tuple[int, int, bytes]  # from and to in the source, and what has to be there


def _swallowed(root: Node, source: bytes) -> Iterator[_Change]:
    """Yield where a line ends that the grammar joined to the next one: no backslash is there."""
    for node in walk(root):
        if node.type not in {"command", "redirected_statement"}:
            continue
        for child, after in pairwise(node.children):
            between = source[child.end_byte : after.start_byte].replace(b"\\\n", b"")
            if b"\n" in between and child.type != "heredoc_redirect":
                yield child.end_byte, child.end_byte, b";"
                break


def _torn(root: Node, source: bytes) -> Iterator[_Change]:
    r"""Yield how to write what the grammar takes for two words: $a.$b, $"…", {a,b}\ c."""
    for node in walk(root):
        for child, after in pairwise(node.children):
            between = source[child.end_byte : after.start_byte]
            if between == b"\\ " and child.is_named and after.is_named:
                yield child.end_byte, after.start_byte, b"' '"
            elif between or source[child.end_byte - 1 : child.end_byte] != b"$":
                continue
            elif child.type == "$" and after.type == "string":
                yield child.start_byte, child.end_byte, b""
            elif child.type == "concatenation" and after.type in _TORN_OFF:
                text = source[child.start_byte : after.end_byte]
                if not set(text) & set(b"'\"`"):
                    text = re.sub(rb"\$([A-Za-z_]\w*|\d)", rb"${\1}", text)
                    yield child.start_byte, after.end_byte, text


def children_of(node: Node | None, kind: str) -> list[Node]:
    """Return a node's children of one type."""
    return [child for child in node.children if child.type == kind] if node is not None else []


def child_of(node: Node, kind: str) -> Node | None:
    """Return a node's first child of a type; None when it has none."""
    return next(iter(children_of(node, kind)), None)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, in the order of the text."""
    waiting = [node]
    while waiting:
        below = waiting.pop()
        yield below
        waiting.extend(reversed(below.children))
