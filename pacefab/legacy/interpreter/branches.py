"""Branches with an unknown condition: all are evaluated, and what differs is unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import ExitSignal, LoopSignal, ReturnSignal, Shell
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.model import CommandResult

_PCS = re.compile(r"\b\w{0,30}(?:pcs|crm)\w{0,30}(?:\[[@*\d]\])?[\"'}]{0,3}[\s<]", re.IGNORECASE)
_CALLED = re.compile(r"[\w./-]+")
_ENDS = {ExitSignal: "ends", ReturnSignal: "returns", LoopSignal: "leaves the loop"}
CaseItem = tuple[list[Node], list[Node], str]
_WORDS = {"if", "then", "elif", "else", "fi", ";", "comment", "\n"}


class Branches:
    """The branches of one statement, evaluated from the same state."""

    def __init__(self, interpreter: Interpreter, script: Script) -> None:
        self._interpreter = interpreter
        self._script = script
        self._ends: list[Shell] = []
        self._conditions: list[str] = []
        self._prints = False  # one of them prints something
        self.rivals = False  # more than one branch has pcs commands
        self._matters = True  # one of them has

    @property
    def first(self) -> str:
        """The condition of the first branch; empty when there was none."""
        return self._conditions[0] if self._conditions else ""

    @property
    def some(self) -> bool:
        """Whether a branch was evaluated."""
        return bool(self._ends)

    def of_if(self, node: Node) -> Iterator[tuple[list[Node], list[Node]]]:
        """Yield condition and body of each branch of an `if`; the condition of else is empty."""
        found = [_split_if(node.children)]
        for clause in node.children:
            if clause.type == "elif_clause":
                found.append(_split_if(clause.children))
            elif clause.type == "else_clause":
                found.append(([], [child for child in clause.children if child.type not in _WORDS]))
        self._weigh([body for _, body in found])
        yield from found

    def of_case(self, node: Node) -> Iterator[CaseItem]:
        """Yield patterns and body of each item of a `case`, and what ends it: ;; or ;& or ;;&."""
        items = [child for child in node.children if child.type == "case_item"]
        found = [
            (item.children_by_field_name("value"), _after_parenthesis(item), item.children[-1].type)
            for item in items
        ]
        self._weigh([body for _, body, _ in found])
        yield from found

    def _weigh(self, bodies: Sequence[Sequence[Node]]) -> None:
        texts = ["\n".join(self._script.text(node) for node in body) for body in bodies]
        count = sum(self._has_pcs(text, set()) for text in texts)
        self.rivals, self._matters = count > 1, count > 0

    def decided(self, condition: str, node: Node) -> int | None:
        """Return the status of an unknown condition, where an operator says whether it holds."""
        if not self._matters:
            return None
        return self._interpreter.world.decided(self._script.place(node), condition)

    def of_body(self, node: Node) -> None:
        """Look whether a branch that is a single statement has pcs commands."""
        self._weigh([[node]])

    def _has_pcs(self, text: str, seen: set[str]) -> bool:
        """Return whether a text has pcs commands, or calls functions or scripts that have."""
        if _PCS.search(text):
            return True
        tree, functions = self._interpreter.world.tree, self._interpreter.shell.functions
        for word in set(_CALLED.findall(text)) - seen:
            seen.add(word)
            if word in functions:
                body, script = functions[word]
                called = script.text(body)
            else:
                file = tree.find(word) if word.endswith(".sh") else None
                called = file.text if file else ""
            if called and self._has_pcs(called, seen):
                return True
        return False

    def add(self, condition: str, body: Sequence[Node], *, excluded: bool) -> None:
        """Evaluate a branch from the state before all of them.

        Its exit is not taken: a script that could end there is read as if it went on.
        """
        interpreter, world = self._interpreter, self._interpreter.world
        before = interpreter.shell.fork()
        self._conditions.append(world.unknowns.show(condition))
        try:
            with world.condition(condition, excluded=excluded):
                self._prints |= bool(interpreter.statements(body).output)
        except (ExitSignal, ReturnSignal, LoopSignal) as signal:
            self._prints |= bool(signal.output)
            if body:  # its place is that of the condition: of if, elif, the pattern of a case
                place = self._script.place(body[0].parent or body[0])
                what = _ENDS[type(signal)]
                world.assume(f"not true: {condition} (the script {what} then)", place)
        else:
            self._ends.append(interpreter.shell.fork())
        _restore(interpreter.shell, before)

    def aside(self, condition: str, body: Sequence[Node]) -> None:
        """Evaluate a branch that is not taken as things are assumed, for its cluster commands."""
        if self._has_pcs("\n".join(self._script.text(node) for node in body), set()):
            Branches(self._interpreter, self._script).add(condition, body, excluded=True)

    def merge(self, node: Node, *, complete: bool) -> CommandResult:
        """Continue after the branches; `complete`: it is certain that one of them is taken."""
        shell, world = self._interpreter.shell, self._interpreter.world
        ends = self._ends if complete and self._ends else [*self._ends, shell.fork()]
        mark = world.mark(f"it depends on: {self.first} ({self._script.place(node)})")
        shell.variables.update(_merged([end.variables for end in ends], mark))
        for name in {name for end in ends for name in end.arrays}:
            items = _merged([end.arrays.get(name, {}) for end in ends], mark)
            shell.arrays.setdefault(name, {}).update(items)
        for end in ends:
            shell.functions.update(end.functions)
            shell.foreign = shell.foreign or end.foreign
        return CommandResult(None, mark if self._prints else "")


def _merged(variants: Sequence[Mapping[str, str]], mark: str) -> dict[str, str]:
    """Return what all variants have in common; what differs becomes the mark."""
    merged: dict[str, str] = {}
    for name in {name for variant in variants for name in variant}:
        values = {variant.get(name, "") for variant in variants}
        merged[name] = values.pop() if len(values) == 1 else mark
    return merged


def _split_if(children: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """Return the condition and the body of an `if` or `elif`."""
    at = next((at for at, child in enumerate(children) if child.type == "then"), len(children))
    body = [child for child in children[at + 1 :] if not child.type.endswith("_clause")]
    return (
        [child for child in children[:at] if child.type not in _WORDS],
        [node for node in body if node.type not in _WORDS],
    )


def _after_parenthesis(item: Node) -> list[Node]:
    at = next((at for at, child in enumerate(item.children) if child.type == ")"), 0)
    return list(item.children[at + 1 :])


def _restore(shell: Shell, before: Shell) -> None:
    shell.variables, shell.arrays = before.variables, before.arrays
    shell.functions, shell.named = before.functions, before.named
    shell.exported, shell.arguments = before.exported, before.arguments
    shell.foreign, shell.status = before.foreign, before.status
