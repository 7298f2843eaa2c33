"""Shapes in the syntax tree that need a closer look."""

from __future__ import annotations

from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.model import CommandResult

_EXPRESSIONS = {
    "binary_expression", "unary_expression", "parenthesized_expression", "negation_expression",
}  # fmt: skip


def file_read(node: Node) -> Node | None:
    """Return the file's word of $(<FILE)."""
    inside = node.named_children
    if len(inside) == 1 and inside[0].type in {"redirected_statement", "file_redirect"}:
        one = inside[0]
        if one.type == "redirected_statement":
            if one.child_by_field_name("body") is not None or not one.named_children:
                return None
            one = one.named_children[0]
        if one.type == "file_redirect" and any(child.type == "<" for child in one.children):
            return one.child_by_field_name("destination")
    return None


def leaves_of_test(node: Node) -> list[Node]:
    """Return the words between [ and ] in their order; operators are words there too."""
    found: list[Node] = []
    waiting = list(reversed(node.children[1:-1]))
    while waiting:
        one = waiting.pop()
        if one.type in _EXPRESSIONS:
            waiting.extend(reversed(one.children))
        else:
            found.append(one)
    return found


def status_of(value: bool | None) -> int | None:  # a truth value, not a switch
    """Return the exit status of a condition: None when it is not known."""
    return None if value is None else int(not value)


def opposite(answer: CommandResult) -> CommandResult:
    """Return what `!` makes of an answer."""
    status = None if answer.status is None else int(answer.status == 0)
    return CommandResult(status, answer.output)


def prefixes(node: Node, script: Script) -> set[str]:
    """Return the variables that a command's own assignments set (NAME=value command)."""
    assignments = [one for one in node.children if one.type == "variable_assignment"]
    names = [one.child_by_field_name("name") for one in assignments]
    return {script.text(name) for name in names if name is not None}
