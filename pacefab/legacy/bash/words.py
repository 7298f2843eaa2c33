"""Expansion: a word of a script -> the texts it stands for, as bash would make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pacefab.legacy.bash.arithmetic import Arithmetic, UnclearError
from pacefab.legacy.bash.budget import bounded
from pacefab.legacy.bash.files import Text
from pacefab.legacy.bash.parameters import ShellParameters
from pacefab.legacy.bash.patterns import UnsafeError, escaped, glob
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.splitting import (
    BLANKS,
    MOST_WORDS,
    PartKind,
    WordPart,
    ansi,
    braces,
    split,
)
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.bash.world import World
from pacefab.legacy.unknown import BREAK, is_known

_EXPANSIONS = {
    "simple_expansion", "expansion", "command_substitution", "arithmetic_expansion",
    "process_substitution",
}  # fmt: skip
_ALL = re.compile(r'"\$(@|\{(@|\w+\[@\])[^}]*\})"')
_NESTED = {"string", "translated_string", "raw_string", "ansi_c_string", "concatenation", "word"}


class Words:
    """Expands words of one shell's script.

    Args:
        shell: whose variables count.
        script: where the words stand.
        world: its files, and the register of what is unknown.
        substitute: runs a command substitution and returns its output.
        joints: keep a backslash at a line's end within quotes, so that lines can be counted in a
            text that is passed to another shell (to which it means the same).
    """

    def __init__(
        self,
        shell: Shell,
        world: World,
        script: Script,
        substitute: Callable[[Node], str],
        *,
        joints: bool = False,
    ) -> None:
        self._shell = shell
        self._world = world
        self._script = script
        self._substitute = substitute
        self._joints = joints
        self._parameters = ShellParameters(shell, world)

    def fields(self, node: Node) -> list[str]:
        """Return the words that a word becomes: none, one or many."""
        parts = list(self._parts(node))
        words = split(parts, self._shell.variables.get("IFS", BLANKS))
        if all(part.kind is not PartKind.QUOTED for part in parts):
            words = [variant for word in words for variant in braces(word)]
        if any(part.kind is PartKind.LITERAL and re.search(r"[*?[]", part.text) for part in parts):
            words = [path for word in words for path in self._matching(word)]
        return words

    @contextmanager
    def consulting(self) -> Iterator[dict[str, None]]:
        """Yield the names, once known, that an expansion asked for and that nothing sets."""
        before, self._world.consulted = self._world.consulted, {}
        names: dict[str, None] = {}
        try:
            yield names
        finally:
            names.update(self._world.consulted)
            self._world.consulted = before | names

    def text(self, node: Node) -> str:
        """Return the one text that a word becomes where nothing is split (an assignment)."""
        parts = [part.text for part in self._parts(node)]
        return bounded("".join(" " if text == BREAK else text for text in parts))

    def pattern(self, node: Node) -> str:
        """Return the pattern that a word is: what is quoted in it stands for itself."""
        if node.type == "concatenation":
            return "".join(self.pattern(child) for child in node.children)
        if node.type in _EXPANSIONS or node.named_child_count or node.type in _NESTED - {"word"}:
            quoted = node.type not in _EXPANSIONS
            return escaped(self.text(node)) if quoted else self.text(node)
        return self._script.text(node)

    def here_document(self, node: Node, start: int, end: int) -> str:
        """Return the text of a here document's body, which stands between two bytes.

        The grammar does not see `…` in there: what it prints is not known here.
        """
        text = "".join(part.text for part in self._region(node, start, end))
        return re.sub(r"`[^`\n]+`", lambda found: self._world.mark(found[0]), text)

    def arithmetic(self, text: str) -> int:
        """Return what an arithmetic expression makes; the shell's variables are changed.

        Raises:
            UnclearError: it cannot be known.
        """
        return Arithmetic(text, self._number_text, self._shell.set).value()

    def number(self, text: str) -> int | None:
        """Return what an arithmetic expression makes; None when it cannot be known."""
        try:
            return self.arithmetic(text) if is_known(text) else None
        except UnclearError:
            return None

    def expanded_source(self, node: Node) -> str:
        """Return a node's text with its expansions in place (of arithmetic and patterns)."""
        region = self._region(node, node.start_byte, node.end_byte, raw=True)
        return "".join(part.text for part in region)

    def _number_text(self, name: str) -> str:
        base, bracket, index = name.partition("[")
        text = self._parameters.value(base, index.removesuffix("]") if bracket else None)
        if not is_known(text):
            raise UnclearError(f"${base} is not known")
        return text

    def _parts(self, node: Node) -> Iterator[WordPart]:
        kind = node.type
        if kind == "concatenation":
            for child in node.children:
                yield from self._parts(child)
        elif kind in {"string", "translated_string"}:
            yield from self._in_quotes(node)
        elif kind in {"raw_string", "ansi_c_string"}:
            text = self._script.text(node)
            yield WordPart(
                text[1:-1] if kind == "raw_string" else ansi(text[2:-1]), PartKind.QUOTED
            )
        elif kind in _EXPANSIONS:
            for text in self._expansion(node):
                yield WordPart(text, PartKind.EXPANDED)
        elif kind == "ERROR":
            yield WordPart(self._world.mark("what cannot be parsed"), PartKind.QUOTED)
        elif node.named_child_count and kind not in {"word", "number", "brace_expression"}:
            yield from self._region(node, node.start_byte, node.end_byte)
        else:
            text = self._script.text(node).replace("\\\n", "")
            kind_of_part = PartKind.QUOTED if "\\" in text else PartKind.LITERAL
            yield WordPart(re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL), kind_of_part)

    def _in_quotes(self, node: Node) -> Iterator[WordPart]:
        every = bool(_ALL.fullmatch(self._source(node)))  # "$@" of nothing is no word at all
        if not every:
            yield WordPart("", PartKind.QUOTED)
        start = node.start_byte + (2 if node.type == "translated_string" else 1)
        for part in self._region(node, start, node.end_byte - 1):
            if part.text or not every:
                yield WordPart(part.text, PartKind.QUOTED)

    def _region(self, node: Node, start: int, end: int, *, raw: bool = False) -> Iterator[WordPart]:
        """Yield what stands between two bytes of a node: literal text, and expansions in it.

        Text is taken by what stands between the expansions: the grammar does not always have
        nodes for it.
        """
        at = start
        for child in _expansions_below(node, start, end):
            literal = self._script.between(at, child.start_byte) + self._blanks(child)
            yield WordPart(literal if raw else self._unescape(literal), PartKind.QUOTED)
            for text in self._expansion(child):
                yield WordPart(text, PartKind.QUOTED)
            at = child.end_byte
        literal = self._script.between(at, end)
        yield WordPart(literal if raw else self._unescape(literal), PartKind.QUOTED)

    def _unescape(self, literal: str) -> str:
        r"""Remove the backslash that double quotes honour: before $ ` " \ and a line's end."""
        if not self._joints:
            literal = literal.replace("\\\n", "")
        return re.sub(r'\\([$`"\\])', r"\1", literal)

    def _blanks(self, node: Node) -> str:
        """Return the blanks that the grammar takes for the beginning of an expansion."""
        text = self._script.text(node)
        return text[: len(text) - len(text.lstrip())] if node.type in _EXPANSIONS else ""

    def _source(self, node: Node) -> str:
        return self._script.text(node).lstrip()

    def _expansion(self, node: Node) -> list[str]:
        if node.type == "simple_expansion":
            return self._parameters.plain(self._source(node)[1:])
        if node.type == "expansion":
            return self._braced(node)
        source = self._source(node)
        # In here documents the grammar takes $((1)) for a command in a subshell.
        if node.type == "arithmetic_expansion" or (source[:3] + source[-2:] == "$(())"):
            return [self._arithmetic_text(node)]
        if node.type == "command_substitution":
            return [self._substitute(node).rstrip("\n")]
        if node.type == "process_substitution" and self._source(node).startswith("<("):
            return [self._as_file(node)]
        return [self._world.mark(self._source(node))]

    def _as_file(self, node: Node) -> str:
        """Return the name of a file with the output of <(…)."""
        place = self._script.place(node)
        name = f"/dev/fd/{place.line}-{node.start_byte}"
        self._world.files.keep(name, Text(self._substitute(node), place))
        return name

    def _arithmetic_text(self, node: Node) -> str:
        text = self._source(node)
        inner = self.expanded_source(node).lstrip()
        opened = 3 if text.startswith("$((") else 2
        inner = inner[opened : -(opened - 1)]
        if not is_known(inner):
            return self._world.mark(f"{text} (with an unknown part)")
        try:
            return str(self.arithmetic(inner))
        except UnclearError as error:
            return self._world.mark(f"{text} ({error})")

    def _braced(self, node: Node) -> list[str]:
        """Return what ${…} stands for; the operand's own expansions are done first."""
        inner = self._source(node)[2:-1]
        found = re.match(r"[#!]?(\w+|[@*#?$!-])(\[[^\]]*\])?", inner)
        if not found:
            return [self._world.mark(self._source(node))]
        head = node.start_byte + len(self._blanks(node)) + 2 + len(found[0].encode())
        operand = "".join(part.text for part in self._operand(node, head, node.end_byte - 1))
        return self._parameters.braced(found[0], operand, self._index)

    def _operand(self, node: Node, start: int, end: int) -> Iterator[WordPart]:
        at = start
        for child in node.children:
            if child.start_byte < at or child.end_byte > end:
                continue
            if child.type in _EXPANSIONS | _NESTED:
                literal = self._script.between(at, child.start_byte) + self._blanks(child)
                yield WordPart(literal, PartKind.QUOTED)
                yield from self._parts(child)
                at = child.end_byte
        yield WordPart(self._script.between(at, end), PartKind.QUOTED)

    def _index(self, text: str) -> str:
        """Return an array's index: a number where it is arithmetic."""
        text = re.sub(r"\$\{?(\w+)\}?", lambda found: self._parameters.value(found[1]), text)
        try:
            return str(self.arithmetic(text.strip("\"'")))
        except UnclearError:
            return self._world.mark(f"the index {text}")

    def index(self, node: Node, name: str) -> str:
        """Return the index of an assignment to an element."""
        text = self.expanded_source(node)
        return text.strip("\"'") if name in self._shell.named else self._index(text)

    def _matching(self, word: str) -> list[str]:
        """Return the tree's files that a pattern names; the pattern when there are none."""
        if not re.search(r"[*?[]", word) or not is_known(word) or word.startswith("/"):
            return [word]
        try:
            pattern = glob(word.removeprefix("./"))
        except UnsafeError:
            return [word]
        folder = f"{self._script.file.rpartition('/')[0]}/".removeprefix("/")
        found = sorted(
            path for path in self._world.tree.files
            if pattern.match(path.removeprefix(folder)) or pattern.match(path)
        )  # fmt: skip
        return found[:MOST_WORDS] or [word]


def _expansions_below(node: Node, start: int, end: int) -> Iterator[Node]:
    """Yield the topmost expansions below a node that stand between two bytes, in order."""
    waiting = list(reversed(node.children))
    while waiting:
        below = waiting.pop()
        if below.end_byte <= start or below.start_byte >= end:
            continue
        if below.type in _EXPANSIONS:
            yield below
        else:
            waiting.extend(reversed(below.children))
