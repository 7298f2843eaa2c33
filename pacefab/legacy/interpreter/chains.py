"""Commands in a chain: `A && B || C`, and pipelines."""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import ExitSignal
from pacefab.legacy.bash.syntax import Node
from pacefab.legacy.interpreter.branches import Branches
from pacefab.legacy.interpreter.control import STATEMENTS
from pacefab.legacy.interpreter.shapes import opposite
from pacefab.legacy.model import AssumedStatus, CommandResult
from pacefab.legacy.text.lines import lines


def run_list(interpreter: Interpreter, node: Node) -> CommandResult:
    """Evaluate `A && B || C`."""
    answer = CommandResult(interpreter.shell.status)
    operator = ""
    parts: list[str] = []
    for child in node.children:
        if child.type in {"&&", "||"}:
            operator = child.type
        elif child.type in STATEMENTS:
            with interpreter.world.resting(interpreter.script.place(node)):
                answer = (
                    joined(interpreter, answer, operator, child)
                    if operator
                    else interpreter.execute(child)
                )
            parts.append(answer.output)
    return CommandResult(answer.status, "".join(parts))


def joined(
    interpreter: Interpreter, answer: CommandResult, operator: str, right: Node | None
) -> CommandResult:
    """Return what `LEFT && RIGHT` makes of the left one's answer."""
    if right is None or not operator:
        return answer
    if answer.status is None:
        return _perhaps(interpreter, right, operator)
    if (answer.status == 0) == (operator == "&&"):
        return interpreter.execute(right)
    interpreter.world.pass_over(interpreter.script, [right])
    if isinstance(answer.status, AssumedStatus):
        condition = _left_of(interpreter, right, operator)
        Branches(interpreter, interpreter.script).aside(condition, [right])
    return CommandResult(answer.status)


def _perhaps(interpreter: Interpreter, right: Node, operator: str) -> CommandResult:
    """Evaluate what runs only when a command succeeded, or failed, which is unknown."""
    branches = Branches(interpreter, interpreter.script)
    text = _left_of(interpreter, right, operator)
    branches.of_body(right)
    fails = branches.decided(text, right)
    if fails is not None:  # of || the text says that the left one fails
        return interpreter.execute(right) if not fails else CommandResult(int(operator == "&&"))
    branches.add(text, [right], excluded=operator == "||")
    return branches.merge(right, complete=False)


def _left_of(interpreter: Interpreter, right: Node, operator: str) -> str:
    """Return the condition that the left side of an operator is."""
    before = right.prev_sibling
    while before is not None and before.type not in STATEMENTS:
        before = before.prev_sibling
    text = interpreter.script.text(before).split("\n")[0] if before is not None else "the command"
    return text if operator == "&&" else f"{text} fails"


def run_pipeline(interpreter: Interpreter, node: Node) -> CommandResult:
    """Evaluate `A | B`: each in a subshell, which reads what the one before printed."""
    stages = [child for child in node.children if child.type in STATEMENTS]
    if not stages:
        return CommandResult(None)
    # The grammar takes the ! before a pipeline for one before its first command.
    negated = stages[0].type == "negated_command"
    first = stages[0].named_children[0] if negated else stages[0]
    answer = piped(
        interpreter, stages[1:], _in_subshell(interpreter, first, interpreter.shell.stdin)
    )
    return opposite(answer) if negated else answer


def piped(interpreter: Interpreter, stages: Sequence[Node], answer: CommandResult) -> CommandResult:
    """Hand an answer's output through further stages of a pipeline."""
    for stage in stages:
        answer = _in_subshell(interpreter, stage, lines(answer.output))
    return answer


def _in_subshell(interpreter: Interpreter, node: Node, stdin: list[str] | None) -> CommandResult:
    inside = interpreter.fork()
    inside.shell.stdin = stdin
    try:
        return inside.execute(node)
    except ExitSignal as signal:
        return CommandResult(signal.args[0], signal.output)
