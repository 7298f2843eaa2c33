"""Expansion: a word of a script -> the texts it stands for, as bash would make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pacefab.legacy.bash.arithmetic import Arithmetic, UnclearError
from pacefab.legacy.bash.braces import MOST_WORDS
from pacefab.legacy.bash.budget import bounded
from pacefab.legacy.bash.files import Text
from pacefab.legacy.bash.globs import escaped, glob
from pacefab.legacy.bash.parameters import ShellParameters
from pacefab.legacy.bash.patterns import UnsafeError
from pacefab.legacy.bash.pieces import (
    EXPANSIONS,
    QUOTED,
    expansions_below,
    topmost,
    variants,
)
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.splitting import BLANKS, PartKind, WordPart, ansi, split
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.bash.world import World
from pacefab.legacy.unknown import BREAK, is_known

_ALL = re.compile(r'"\$(@|\{(@|\w+\[@\])[^}]*\})"')
_GLOB = re.compile(r"[*?[]")
_BRACED_NAME = re.compile(r"\$\w+\{[^{}]*(,|\.\.)[^{}]*\}")


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
        self._parameters = ShellParameters(shell, world, script.file)

    def fields(self, node: Node) -> list[str]:
        """Return the words that a word becomes: none, one or many."""
        parts = list(self._parts(node))
        if _BRACED_NAME.search(self._source(node)):
            return [self._world.mark(self._source(node))]  # $x{1,2} is $x1 $x2
        separators = self._shell.variables.get("IFS", BLANKS)
        words = [word for some in variants(parts) for word in split(some, separators)]
        pattern = any(part.kind is PartKind.LITERAL and _GLOB.search(part.text) for part in parts)
        if pattern and "noglob" not in self._shell.options:
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

    def pattern(self, node: Node, keep: Callable[[str], str] = escaped) -> str:
        """Return the pattern that a word is: what is quoted in it stands for itself.

        `keep` makes a pattern of a text: one of the shell, or a regular expression.
        """
        if node.type == "concatenation":
            return "".join(self.pattern(child, keep) for child in node.children)
        if node.type in EXPANSIONS:
            return self.text(node)
        if node.type in QUOTED:
            return keep(self.text(node))
        if not node.named_child_count:
            return self._script.text(node)
        return "".join(self._pieces_of_pattern(node, keep))

    def _pieces_of_pattern(self, node: Node, keep: Callable[[str], str]) -> Iterator[str]:
        at = node.start_byte
        for child in node.children:
            yield self._script.between(at, child.start_byte)
            yield self.pattern(child, keep)
            at = child.end_byte
        yield self._script.between(at, node.end_byte)

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

    def value(self, name: str) -> str:
        """Return what a variable is."""
        return self._parameters.value(name)

    def arguments(self) -> list[str]:
        """Return what "$@" stands for."""
        return split([WordPart(text, PartKind.QUOTED) for text in self._parameters.plain("@")])

    def is_set(self, name: str) -> bool | None:
        """Return whether NAME or NAME[INDEX] is set, as -v asks; None: the environment's."""
        base, bracket, index = name.partition("[")
        if self._parameters.is_set(base, index.removesuffix("]") if bracket else None):
            return True
        return None if self._shell.foreign or (not bracket and base.isupper()) else False

    def mark(self, reason: str) -> str:
        """Return a value that is unknown for this reason."""
        return self._world.mark(reason)

    def number_text(self, text: str) -> str:
        """Return the number that a text comes to, as a text; a mark when it cannot be known."""
        value = self.number(text)
        return self._world.mark(f"$(({text}))") if value is None else str(value)

    def expanded_source(self, node: Node) -> str:
        """Return a node's text with its expansions in place (of arithmetic and patterns)."""
        if node.type in {"simple_expansion", "expansion"}:  # no other node is around it
            return "".join(self._expansion(node))
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
        elif kind in EXPANSIONS:
            for text in self._expansion(node):
                yield WordPart(text, PartKind.EXPANDED)
        elif kind == "ERROR":
            yield WordPart(self._world.mark("what cannot be parsed"), PartKind.QUOTED)
        elif node.named_child_count and kind not in {"word", "number", "brace_expression"}:
            yield from self._region(node, node.start_byte, node.end_byte)
        else:
            text = self._script.text(node).replace("\\\n", "")
            for piece in re.findall(r"\\.|[^\\]+|\\", text, flags=re.DOTALL):
                quoted = len(piece) > 1 and piece[0] == "\\"
                kind_of_part = PartKind.QUOTED if quoted else PartKind.LITERAL
                yield WordPart(piece[quoted:], kind_of_part)

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
        for child in expansions_below(node, start, end):
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
        return text[: len(text) - len(text.lstrip())] if node.type in EXPANSIONS else ""

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
        if node.type == "command_substitution" and not ("\\`" in source and source[0] == "`"):
            return [self._substitute(node).rstrip("\n")]
        file = node.type == "process_substitution" and source.startswith("<(")
        return [self._as_file(node) if file else self._world.mark(source)]

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
        operand = "".join(self._operand(node, head, node.end_byte - 1))
        return self._parameters.braced(found[0], operand, self._index)

    def _operand(self, node: Node, start: int, end: int) -> Iterator[str]:
        """Yield operator and operand; what is quoted there gets backslashes: it is no pattern."""
        at = start
        for child in topmost(node, start, end):
            yield self._named(self._script.between(at, child.start_byte) + self._blanks(child))
            text = "".join(part.text for part in self._parts(child))
            yield escaped(text) if child.type in QUOTED else text
            at = child.end_byte
        yield self._named(self._script.between(at, end))

    def _named(self, text: str) -> str:
        """Return a piece of an operand with the variables that the grammar takes for letters."""
        if "$" not in text:
            return text
        text = re.sub(
            r"(?<!\\)\$(?:\{(\w+)\}|([A-Za-z_]\w*|\d))",
            lambda found: self._parameters.value(found[1] or found[2]),
            text,
        )
        return self._world.mark(text) if re.search(r"(?<!\\)\$[({]", text) else text

    def _index(self, text: str) -> str:
        """Return an array's index: a number where it is arithmetic."""
        text = re.sub(
            r"\$\{?#(\w+)\[[@*]\]\}?|\$\{?(\w+|#)\}?",
            lambda found: (
                self._parameters.braced(f"#{found[1]}[@]", "", str)[0]
                if found[1]
                else self._parameters.value(found[2])
            ),
            text,
        )
        if not is_known(text):
            return self._world.mark(f"the index {self._world.unknowns.show(text)}")
        try:
            return str(self.arithmetic(text.strip("\"'")))
        except UnclearError:
            return self._world.mark(f"the index {text}")

    def index(self, node: Node, name: str) -> str:
        """Return the index of an assignment to an element."""
        whole = node.type in EXPANSIONS | QUOTED | {"concatenation"}
        text = self.text(node) if whole else self.expanded_source(node)
        return text.strip("\"'") if name in self._shell.named else self._index(text)

    def _matching(self, word: str) -> list[str]:
        """Return the tree's files that a pattern names; the pattern when there are none."""
        if not re.search(r"[*?[]", word) or not is_known(word):
            return [word]
        if word.startswith("/"):
            return [self._world.mark(f"the files {word}")]
        try:
            pattern = glob(word.removeprefix("./"))
        except UnsafeError:
            return [word]
        folder = f"{self._script.file.rpartition('/')[0]}/".removeprefix("/")
        found = sorted(
            path for path in self._world.tree.files
            if pattern.match(path.removeprefix(folder)) or pattern.match(path)
        )  # fmt: skip
        nothing = [] if "nullglob" in self._shell.options else [word]
        return found[:MOST_WORDS] or nothing
