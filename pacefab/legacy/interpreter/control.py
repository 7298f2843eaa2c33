"""Loops and branches: if, case, for, while, until, select.

Where a condition is not known, all its branches are evaluated, each from the same state; what they
leave different is unknown after them, and pcs commands in them carry the condition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from pacefab.legacy.bash.budget import MOST_ROUNDS
from pacefab.legacy.bash.globs import glob
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.patterns import UnsafeError, matchable
from pacefab.legacy.bash.shell import LoopSignal, Signal
from pacefab.legacy.bash.syntax import Node
from pacefab.legacy.interpreter.branches import Branches, CaseItem
from pacefab.legacy.model import AssumedStatus, CommandResult, Fate
from pacefab.legacy.unknown import is_known

STATEMENTS = {
    "command", "variable_assignment", "variable_assignments", "declaration_command",
    "unset_command", "redirected_statement", "pipeline", "list", "if_statement", "for_statement",
    "c_style_for_statement", "while_statement", "case_statement", "function_definition",
    "compound_statement", "subshell", "negated_command", "test_command",
}  # fmt: skip


def run_if(interpreter: Interpreter, node: Node) -> CommandResult:
    """Evaluate an `if`: one branch, or all that may be taken."""
    branches = Branches(interpreter, interpreter.script)
    found = list(branches.of_if(node))
    for at, (condition, body) in enumerate(found):
        value: int | None = 0
        if condition:
            with interpreter.world.resting(interpreter.script.place(node)):
                value = interpreter.statements(condition).status
        words = " ".join(interpreter.script.text(part) for part in condition)
        if value is None:
            value = branches.decided(words, condition[0])
        further = found[at + 1 :] if value == 0 else [([], body)] if value else []
        for parts in further:
            _pass_over(interpreter, *parts)
            if isinstance(value, AssumedStatus):
                branches.aside(words if value else f"not: {words}", parts[1])
        if value == 0 and not branches.some:
            return interpreter.statements(body)
        if not value:
            branches.add(words or f"not: {branches.first}", body, excluded=branches.rivals)
        if value == 0:
            return branches.merge(node, complete=True)
    return branches.merge(node, complete=False) if branches.some else CommandResult()


def _pass_over(interpreter: Interpreter, *bodies: Sequence[Node]) -> None:
    for body in bodies:
        interpreter.world.pass_over(interpreter.script, body)


def run_case(interpreter: Interpreter, node: Node) -> CommandResult:
    """Evaluate a `case`: one item, or all that may be taken; ;& and ;;& go on to further ones."""
    subject = node.child_by_field_name("value")
    with interpreter.world.resting(interpreter.script.place(node)):
        text = interpreter.words.text(subject) if subject is not None else ""
    branches = Branches(interpreter, interpreter.script)
    items = list(branches.of_case(node))
    parts: list[str] = []
    falls = taken = False
    for at, (patterns, body, ending) in enumerate(items):
        matches = [_matches(interpreter, text, pattern) for pattern in patterns]
        if falls or (True in matches and not branches.some):
            answer = interpreter.statements(body)
            parts.append(answer.output)
            falls, taken = ending == ";&", True
            if ending not in {";&", ";;&"}:
                _pass_over(interpreter, *(further for _, further, _ in items[at + 1 :]))
                return CommandResult(answer.status, "".join(parts))
        elif not (True in matches or None in matches):
            _pass_over(interpreter, body)
        else:
            shown = "|".join(interpreter.script.text(part) for part in patterns)
            whole = _with_following(items[at:])
            branches.add(f"{text} is {shown}", whole, excluded=branches.rivals)
            if True in matches and ending not in {";&", ";;&"}:
                _pass_over(interpreter, *(further for _, further, _ in items[at + 1 :]))
                return branches.merge(node, complete=True)
    if branches.some:
        merged = branches.merge(node, complete=False)
        return CommandResult(merged.status, "".join([*parts, merged.output]))
    return CommandResult(interpreter.shell.status if taken else 0, "".join(parts))


def _with_following(items: Sequence[CaseItem]) -> list[Node]:
    """Return the body of an item with those that ;& goes on to."""
    whole: list[Node] = []
    for _, body, ending in items:
        whole += body
        if ending != ";&":
            break
    return whole


def _matches(interpreter: Interpreter, text: str, pattern: Node) -> bool | None:
    desired = interpreter.words.pattern(pattern)
    if not is_known(text, desired):
        return True if desired == "*" else None
    try:
        ignore_case = "nocasematch" in interpreter.shell.options
        return glob(desired, ignore_case=ignore_case).match(matchable(text))
    except UnsafeError:
        return None


def run_for(interpreter: Interpreter, node: Node) -> CommandResult:
    """Evaluate `for NAME in WORDS`, and `select` as if each were chosen."""
    variable = node.child_by_field_name("variable")
    body = node.child_by_field_name("body")
    if variable is None or body is None:
        return CommandResult(None)
    values = node.children_by_field_name("value")
    with interpreter.world.resting(interpreter.script.place(node)):
        words = [word for value in values for word in interpreter.words.fields(value)]
        if not values and not any(child.type == "in" for child in node.children):
            words = interpreter.words.arguments()
    parts: list[str] = []
    for word in words:
        unknown = not is_known(word) or node.children[0].type == "select"
        interpreter.shell.set(interpreter.script.text(variable), word)
        with interpreter.world.condition(f"for each of {word}") if unknown else nullcontext():
            if not _round(interpreter, body, parts):
                break
    if not words:
        _pass_over(interpreter, [body])
    return CommandResult(interpreter.shell.status if words else 0, "".join(parts))


def run_counted(interpreter: Interpreter, node: Node) -> CommandResult:
    """Evaluate `for ((…; …; …))`."""
    parts: list[list[Node]] = [[], [], []]
    at = 0
    for child in node.children:
        if child.type in {"do_group", "))"}:
            break
        if child.type == ";":
            at = min(at + 1, 2)
        elif child.type not in {"for", "(("}:
            parts[at].append(child)
    body = node.child_by_field_name("body")
    interpreter.truth(parts[0])

    def goes_on() -> bool | None:
        return interpreter.truth(parts[1]) if parts[1] else True

    return _loop(interpreter, node, body, goes_on, lambda: interpreter.truth(parts[2]))


def run_while(interpreter: Interpreter, node: Node) -> CommandResult:
    """Evaluate `while` and `until`."""
    until = node.children[0].type == "until"
    conditions = [child for child in node.children if child.type in {*STATEMENTS, "ERROR"}]
    body = node.child_by_field_name("body")
    conditions = [part for part in conditions if part != body]

    def goes_on() -> bool | None:
        with interpreter.world.resting(interpreter.script.place(node)):
            status = interpreter.statements(conditions).status
        return None if status is None else (status == 0) != until

    return _loop(interpreter, node, body, goes_on, lambda: None)


def _loop(
    interpreter: Interpreter,
    node: Node,
    body: Node | None,
    goes_on: Callable[[], bool | None],
    step: Callable[[], object],
) -> CommandResult:
    """Run a loop while its condition holds; once, as a branch, where that is not known."""
    parts: list[str] = []
    for number in range(MOST_ROUNDS):
        holds = goes_on()
        if holds is False and not number and body is not None:
            _pass_over(interpreter, [body])
        if holds is None and body is not None:
            parts.append(_once(interpreter, node, body))
        if not holds or body is None or not _round(interpreter, body, parts):
            return CommandResult(0, "".join(parts))
        step()
    interpreter.world.note(
        Fate.UNTRANSLATED,
        interpreter.script.place(node),
        interpreter.script.text(node).split("\n")[0],
        f"the loop did not end after {MOST_ROUNDS} rounds; reading continues after it",
        "check whether it ends and what it does",
    )
    return CommandResult(None, "".join(parts))


def _once(interpreter: Interpreter, node: Node, body: Node) -> str:
    text = interpreter.script.text(node).split("\n")[0].removesuffix("do").strip("; ")
    branches = Branches(interpreter, interpreter.script)
    branches.add(text, body.children, excluded=False)
    return branches.merge(node, complete=False).output


def _round(interpreter: Interpreter, body: Node, parts: list[str]) -> bool:
    """Run a loop's body once; return whether the loop continues."""
    interpreter.world.budget.step()
    try:
        parts.append(interpreter.statements(body.children).output)
    except LoopSignal as signal:
        kind, levels = signal.args
        parts.append(signal.output)
        if levels > 1:
            further = LoopSignal(kind, levels - 1)
            further.output = "".join(parts)
            raise further from None
        return bool(kind == "continue")
    except Signal as signal:
        signal.output = "".join([*parts, signal.output])
        raise
    return True
