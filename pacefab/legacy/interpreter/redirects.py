"""Redirections of a statement: where its input comes from and where its output goes."""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Node, Script, child_of
from pacefab.legacy.bash.words import Words
from pacefab.legacy.bash.world import World
from pacefab.legacy.model import CommandResult, Place

_OUTPUTS = {">", ">>", ">|", "&>", "&>>"}


class Redirects:
    """The redirections of one statement.

    Args:
        words: expands their words.
        world: where files are read and written.
        script: where they stand.
        shell: whose host files are written on.
    """

    def __init__(self, words: Words, world: World, script: Script, shell: Shell) -> None:
        self._words = words
        self._world = world
        self._script = script
        self._host, self._folder = shell.host, shell.folder
        self._target: tuple[str, bool, Place] | None = None  # path, append, place
        self._silent = False
        self._joined: int | None = None  # lines of standard error before 2>&1
        self.stdin: str | None = None
        self.place: Place | None = None  # of stdin's first line
        self.pipeline: list[Node] = []  # what a here document's line goes on with
        self.operator = ""
        self.right: Node | None = None

    def read(self, nodes: Sequence[Node]) -> None:
        """Take redirections in, in their order."""
        for node in nodes:
            if node.type == "file_redirect":
                self._file(node)
            elif node.type == "heredoc_redirect":
                self._here_document(node)
            elif node.type == "herestring_redirect":
                self.stdin = (
                    "".join(self._words.text(child) for child in node.named_children) + "\n"
                )
                self.place = self._script.place(node)

    def _file(self, node: Node) -> None:
        destination = node.child_by_field_name("destination")
        if destination is None:
            return
        operator = next((child.type for child in node.children if not child.is_named), "")
        path = self._words.text(destination)
        if operator == ">&" and path == "1" and not self._of_output(node):
            self._joined = self._world.errors
        elif operator == "<":
            self._input(path)
        elif self._of_output(node):
            self._output(operator, path, self._script.place(node))

    def _of_output(self, node: Node) -> bool:
        """Return whether a redirection is of standard output, not of another descriptor."""
        descriptor = child_of(node, "file_descriptor")
        return descriptor is None or self._script.text(descriptor) == "1"

    def _input(self, path: str) -> None:
        text = self._world.files.read(path, self._script.file, self._folder)
        self.stdin = text.text if text else self._world.mark(f"what is in {path}") + "\n"
        self.place = text.place if text else None

    def _output(self, operator: str, path: str, place: Place) -> None:
        if operator == ">&" and path == "2":
            self._silent = True
        elif operator in _OUTPUTS:
            self._target = (path, ">>" in operator, place)

    def _here_document(self, node: Node) -> None:
        for child in node.children:
            if child.type == "pipeline":
                self.pipeline += child.named_children
            elif child.type.endswith("_redirect"):
                self.read([child])
        operator = node.child_by_field_name("operator")
        self.operator = self._script.text(operator) if operator is not None else ""
        self.right = node.child_by_field_name("right")
        start, body = child_of(node, "heredoc_start"), child_of(node, "heredoc_body")
        if body is None or start is None:
            self.stdin = ""
        else:
            self._body(node, start, body, child_of(node, "heredoc_end"))

    def _body(self, node: Node, start: Node, body: Node, end: Node | None) -> None:
        """Take the text: the grammar's node leaves out blanks at its beginning."""
        source = self._script.source
        last = max(
            (child.end_byte for child in node.children if child.end_byte <= body.start_byte),
            default=start.end_byte,
        )
        first = source.find(b"\n", last) + 1
        until = end.start_byte if end is not None else body.end_byte
        until = max(source.rfind(b"\n", 0, until) + 1, first)
        word = self._script.text(start)
        text = self._script.between(first, until)
        if not set(word) & set("'\"\\"):
            text = self._words.here_document(body, first, until)
        if node.children[0].type == "<<-":
            text = "\n".join(line.lstrip("\t") for line in text.split("\n"))
        self.stdin = text
        row = source.count(b"\n", 0, first)
        self.place = Place(self._script.file, self._script.first_line + row)

    def keep(self, answer: CommandResult) -> CommandResult:
        """Put output where it goes; return what is left of it."""
        if self._silent and answer.output:
            self._world.errors += 1
        if self._joined is not None and self._world.errors > self._joined:
            answer = CommandResult(answer.status, self._world.mark("what 2>&1 adds"))
        if self._target is not None:
            path, append, place = self._target
            first = self.place if answer.output == self.stdin else None
            self._world.files.write(
                path, answer.output, self._host, place, append=append, first=first
            )
            return CommandResult(answer.status)
        return CommandResult(answer.status) if self._silent else answer
