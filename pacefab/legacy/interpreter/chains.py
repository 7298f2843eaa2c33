"""Commands in a chain: `A && B || C`, and pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from pacefab.legacy.bash.state import ExitSignal, Shell, World
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.interpreter.branches import Branches
from pacefab.legacy.interpreter.control import STATEMENTS
from pacefab.legacy.interpreter.shapes import opposite
from pacefab.legacy.model import CommandResult
from pacefab.legacy.text.filters import lines


class Evaluation(Protocol):
    """What chains need of the evaluation around them."""

    shell: Shell
    world: World
    script: Script

    def statements(self, nodes: Sequence[Node]) -> CommandResult:
        """Evaluate statements one after the other."""

    def execute(self, node: Node) -> CommandResult:
        """Evaluate one statement."""

    def fork(self) -> Self:
        """Return the evaluation of a subshell."""


def run_list(ev: Evaluation, node: Node) -> CommandResult:
    """Evaluate `A && B || C`."""
    answer = CommandResult(ev.shell.status)
    operator = ""
    parts: list[str] = []
    for child in node.children:
        if child.type in {"&&", "||"}:
            operator = child.type
        elif child.type in STATEMENTS:
            answer = joined(ev, answer, operator, child) if operator else ev.execute(child)
            parts.append(answer.output)
    return CommandResult(answer.status, "".join(parts))


def joined(
    ev: Evaluation, answer: CommandResult, operator: str, right: Node | None
) -> CommandResult:
    """Return what `LEFT && RIGHT` makes of the left one's answer."""
    if right is None or not operator:
        return answer
    if answer.status is None:
        return _perhaps(ev, right, operator)
    if (answer.status == 0) == (operator == "&&"):
        return ev.execute(right)
    return CommandResult(answer.status)


def _perhaps(ev: Evaluation, right: Node, operator: str) -> CommandResult:
    """Evaluate what runs only when a command went well, or failed, which nobody can know."""
    before = right.prev_sibling
    while before is not None and before.type not in STATEMENTS:
        before = before.prev_sibling
    text = ev.script.text(before).split("\n")[0] if before is not None else "the command"
    text = text if operator == "&&" else f"{text} fails"
    branches = Branches(ev, ev.script)
    branches.add(text, [right], excluded=operator == "||")
    return branches.merge(right, complete=False)


def run_pipeline(ev: Evaluation, node: Node) -> CommandResult:
    """Evaluate `A | B`: each in a subshell, which reads what the one before printed."""
    stages = [one for one in node.children if one.type in STATEMENTS]
    if not stages:
        return CommandResult(None)
    # The grammar takes the ! before a pipeline for one before its first command.
    negated = stages[0].type == "negated_command"
    first = stages[0].named_children[0] if negated else stages[0]
    answer = piped(ev, stages[1:], _in_subshell(ev, first, ev.shell.stdin))
    return opposite(answer) if negated else answer


def piped(ev: Evaluation, stages: Sequence[Node], answer: CommandResult) -> CommandResult:
    """Hand an answer's output through further stages of a pipeline."""
    for stage in stages:
        answer = _in_subshell(ev, stage, lines(answer.output))
    return answer


def _in_subshell(ev: Evaluation, node: Node, stdin: list[str] | None) -> CommandResult:
    inside = ev.fork()
    inside.shell.stdin = stdin
    try:
        return inside.execute(node)
    except ExitSignal as signal:
        return CommandResult(signal.args[0], signal.output)
