"""Shapes in the syntax tree that need a closer look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.model import AssumedStatus, CommandResult

_PLAIN_WORDS = re.compile(r"[\w./=@:,-]+(\s+[\w./=@:,-]+)*\s*")
_EXPRESSIONS = {
    "binary_expression", "unary_expression", "parenthesized_expression", "negation_expression",
}  # fmt: skip


def file_read(node: Node) -> Node | None:
    """Return the file's word of $(<FILE)."""
    inside = node.named_children
    if len(inside) == 1 and inside[0].type in {"redirected_statement", "file_redirect"}:
        statement = inside[0]
        if statement.type == "redirected_statement":
            if statement.child_by_field_name("body") is not None or not statement.named_children:
                return None
            statement = statement.named_children[0]
        if statement.type == "file_redirect" and any(
            child.type == "<" for child in statement.children
        ):
            return statement.child_by_field_name("destination")
    return None


def leaves_of_test(node: Node) -> list[Node]:
    """Return the words between [ and ] in their order; operators are words there too."""
    found: list[Node] = []
    waiting = list(reversed(node.children[1:-1]))
    while waiting:
        leaf = waiting.pop()
        if leaf.type in _EXPRESSIONS:
            waiting.extend(reversed(leaf.children))
        else:
            found.append(leaf)
    return found


def status_of(value: bool | None) -> int | None:  # a truth value, not a switch
    """Return the exit status of a condition: None when it is not known."""
    return None if value is None else int(not value)


def opposite(answer: CommandResult) -> CommandResult:
    """Return what `!` makes of an answer."""
    if answer.status is None:
        return answer
    kind = AssumedStatus if isinstance(answer.status, AssumedStatus) else int
    return CommandResult(kind(answer.status == 0), answer.output)


def without_alias(command: Command, shell: Shell, script: Script) -> Command:
    """Return a command with the words that an alias stands for, when they are plain ones."""
    text = shell.aliases.get(command.words[0], "")
    written = script.text(command.nodes[0]) if command.nodes else ""
    if written != command.words[0] or "expand_aliases" not in shell.options:
        return command
    if not _PLAIN_WORDS.fullmatch(text):
        return command
    words = text.split()
    nodes = (command.nodes[0],) * len(words) + command.nodes[1:]
    return replace(command, words=[*words, *command.arguments], nodes=nodes)


def prefixes(node: Node, script: Script) -> set[str]:
    """Return the variables that a command's own assignments set (NAME=value command)."""
    assignments = [child for child in node.children if child.type == "variable_assignment"]
    names = [assignment.child_by_field_name("name") for assignment in assignments]
    return {script.text(name) for name in names if name is not None}


def put_back(shell: Shell, before: Mapping[str, str], names: Iterable[str]) -> None:
    """Undo what `NAME=value command` sets for the command alone."""
    for name in names:
        if name in before:
            shell.variables[name] = before[name]
        else:
            shell.variables.pop(name, None)
