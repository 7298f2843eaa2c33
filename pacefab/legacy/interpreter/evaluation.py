"""Evaluation of statements: what a script would do, as far as a reader can know."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial

from pacefab.legacy.bash.assignments import assign, declare, unset
from pacefab.legacy.bash.budget import bounded
from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.conditions import Double, test_words
from pacefab.legacy.bash.files import Text
from pacefab.legacy.bash.shell import ExitSignal, LoopSignal, ReturnSignal, Shell, Signal
from pacefab.legacy.bash.syntax import Node, Script, parse
from pacefab.legacy.bash.words import Words
from pacefab.legacy.bash.world import World
from pacefab.legacy.commands.dispatch import run_command
from pacefab.legacy.interpreter import chains, control
from pacefab.legacy.interpreter.redirects import Redirects
from pacefab.legacy.interpreter.shapes import (
    file_read,
    leaves_of_test,
    opposite,
    prefixes,
    put_back,
    status_of,
    without_alias,
)
from pacefab.legacy.model import CommandResult
from pacefab.legacy.text.lines import lines
from pacefab.legacy.unknown import is_known

_ASSIGNED = re.compile(r"(?<![\w$-])([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=")
_SHELLS = {"ssh", "bash", "sh", "eval", "su", "sshpass", "timeout", "sudo", "nohup", "pdsh"}


class Evaluation:
    """Evaluates nodes of one script in one shell."""

    def __init__(self, shell: Shell, world: World, script: Script) -> None:
        self.shell = shell
        self.world = world
        self.script = script
        self.words = Words(shell, world, script, self._substitute)
        self._joints = Words(shell, world, script, self._substitute, joints=True)
        self._statements: dict[str, Callable[[Node], CommandResult]] = {
            "command": self._command,
            "variable_assignment": self._assignment,
            "variable_assignments": self._assignments,
            "declaration_command": self._declaration,
            "unset_command": self._unset,
            "redirected_statement": self._redirected,
            "pipeline": partial(chains.run_pipeline, self),
            "list": partial(chains.run_list, self),
            "if_statement": partial(control.run_if, self),
            "for_statement": partial(control.run_for, self),
            "c_style_for_statement": partial(control.run_counted, self),
            "while_statement": partial(control.run_while, self),
            "case_statement": partial(control.run_case, self),
            "function_definition": self._function,
            "compound_statement": self._compound,
            "subshell": self._subshell,
            "negated_command": self._negated,
            "test_command": self._test,
        }

    def run(self, command: Command) -> CommandResult:
        """Run a simple command: a function of the shell, or a program."""
        self.world.budget.step()
        if not command.words:
            return CommandResult()
        command = without_alias(command, self.shell, self.script)
        function = self.shell.functions.get(command.words[0])
        if not function:
            return run_command(self, command)
        if self.world.conditions and command.words[0] in self.shell.running:
            return CommandResult(None)  # it calls itself until an unknown condition holds
        return self._call(function, command)

    def program(self, command: Command) -> CommandResult:
        """Run a program: what sudo, env and `command` start is no function of the shell."""
        self.world.budget.step()
        with self.world.budget.deeper():
            return run_command(self, command) if command.words else CommandResult()

    def file(self, path: str) -> Text | None:
        """Return a file by a path as the script sees it; None when it is not known."""
        return self.world.files.read(path, self.script.file, self.shell.folder)

    def start(self, script: Script, shell: Shell) -> CommandResult:
        """Run a script in a shell of its own."""
        return run_to_end(script, shell, self.world)

    def source(self, script: Script) -> CommandResult:
        """Run a script in this shell."""
        try:
            return evaluate(script, self.shell, self.world)
        except ReturnSignal as signal:
            return CommandResult(signal.args[0], signal.output)

    def statements(self, nodes: Sequence[Node]) -> CommandResult:
        """Evaluate statements one after the other."""
        parts: list[str] = []
        answer = CommandResult(self.shell.status)
        at = 0
        try:
            for at, node in enumerate(nodes, 1):  # noqa: B007  # where a signal came
                if node.type in self._statements:
                    answer = self.execute(node)
                    parts.append(answer.output)
                elif node.type == "ERROR":
                    answer = self._broken(node)
                    parts.append(answer.output)
        except Signal as signal:
            self.world.pass_over(self.script, nodes[at:])
            signal.output = "".join([*parts, signal.output])
            raise
        return CommandResult(answer.status, bounded("".join(parts)))

    def _broken(self, node: Node) -> CommandResult:
        """Pass over what cannot be parsed: what it assigns is not known after it."""
        mark = self.world.mark(f"what cannot be parsed at {self.script.place(node)} makes of it")
        for name in set(_ASSIGNED.findall(self.script.text(node))):
            self.shell.unset(name)
            self.shell.variables[name] = mark
        return CommandResult(None, mark)

    def execute(self, node: Node) -> CommandResult:
        """Evaluate one statement; its status is the shell's $? afterwards."""
        self.world.budget.step()
        self.world.here = self.script.place(node)
        columns = self.world.visited.setdefault(self.world.here, set())
        columns.add(node.start_point.column)
        statement = self._statements.get(node.type)
        if statement is None:
            return CommandResult(None)
        with self.world.budget.deeper() if node.type != "command" else nullcontext():
            answer = statement(node)
        self.shell.status = answer.status
        return answer

    def _substitute(self, node: Node) -> str:
        """Return the output of a command substitution, which runs in a subshell."""
        inside = self.fork()
        file = file_read(node)
        if file is not None:
            text = self.file(self.words.text(file))
            return text.text if text else self._asked(node, self.world.mark(self.script.text(node)))
        try:
            answer = inside.statements(node.children)
        except ExitSignal as signal:
            answer = CommandResult(signal.args[0], signal.output)
        self.shell.status = answer.status
        return self._asked(node, answer.output)

    def _asked(self, node: Node, output: str) -> str:
        """Return the output of a substitution; what is not known of it, an operator may know."""
        if is_known(output):
            return output
        return self.world.answered(self.script.place(node), self.script.text(node), output)

    def _command(self, node: Node, more: Sequence[Node] = ()) -> CommandResult:
        """Run a simple command; `more`: words that follow its redirections."""
        self.world.unset.clear()
        named = node.child_by_field_name("name")
        before = dict(self.shell.variables)
        exported = set(self.shell.exported)
        for child in node.children:
            if child.type == "variable_assignment":
                assign(self.words, self.shell, child, self.script)
        if named is None:
            return CommandResult()
        self.shell.exported = exported | (self.shell.variables.keys() & prefixes(node, self.script))
        command = self._expanded(node, named, more)
        here = node.child_by_field_name("redirect")
        try:
            return self._with_redirects([here] if here else [], lambda: self.run(command))
        finally:
            self.shell.exported = exported
            put_back(self.shell, before, prefixes(node, self.script))

    def _expanded(self, node: Node, named: Node, more: Sequence[Node]) -> Command:
        self.world.budget.operands(node.child_count)
        words: list[str] = []
        nodes: list[Node] = []
        arguments = node.children_by_field_name("argument")
        for child in (named.children[0] if named.children else named, *arguments, *more):
            handed_on = words and words[0].rpartition("/")[2] in _SHELLS
            found = (self._joints if handed_on else self.words).fields(child)
            words += found
            nodes += [child] * len(found)
        caller = self.shell.callers[-1] if self.shell.callers else None
        return Command(words, self.script.place(node), tuple(nodes), caller)

    def _call(self, function: tuple[Node, Script], command: Command) -> CommandResult:
        body, script = function
        self.world.entered.add(script.place(body))
        shell = self.shell
        arguments, by_hand = shell.arguments, shell.by_hand
        shell.arguments, shell.by_hand = command.arguments, False
        shell.locals.append({})
        shell.called_from.append(command.place_of(0))
        shell.callers.append(command.place_of_all())
        shell.running.append(command.words[0])
        try:
            with self.world.budget.deeper():
                return Evaluation(shell, self.world, script).execute(body)
        except ReturnSignal as signal:
            return CommandResult(signal.args[0], signal.output)
        finally:
            shell.leave_function()
            shell.called_from.pop()
            shell.callers.pop()
            shell.running.pop()
            shell.arguments, shell.by_hand = arguments, by_hand

    def _assignment(self, node: Node) -> CommandResult:
        self.shell.status = 0
        assign(self.words, self.shell, node, self.script)
        return CommandResult(self.shell.status)  # of a command substitution in it

    def _assignments(self, node: Node) -> CommandResult:
        for child in node.named_children:
            self._assignment(child)
        return CommandResult()

    def _declaration(self, node: Node) -> CommandResult:
        declare(self.words, self.shell, node, self.script)
        return CommandResult()

    def _unset(self, node: Node) -> CommandResult:
        unset(self.words, self.shell, node, self.script)
        return CommandResult()

    def _function(self, node: Node) -> CommandResult:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self.shell.functions[self.script.text(name)] = (body, self.script)
            self.world.functions[self.script.text(name)] = self.script.text(body)
        return CommandResult()

    def _compound(self, node: Node) -> CommandResult:
        if node.children and node.children[0].type == "((":
            return CommandResult(status_of(self.truth(node.children[1:-1])))
        return self.statements(node.children)

    def truth(self, nodes: Sequence[Node]) -> bool | None:
        """Return whether arithmetic between (( and )) is not zero."""
        text = "".join(self.words.expanded_source(node) for node in nodes)
        value = self.words.number(text)
        return None if value is None else value != 0

    def fork(self) -> Evaluation:
        """Return the evaluation of a subshell."""
        return Evaluation(self.shell.fork(), self.world, self.script)

    def _subshell(self, node: Node) -> CommandResult:
        inside = self.fork()
        try:
            answer = inside.statements(node.children)
        except ExitSignal as signal:
            answer = CommandResult(signal.args[0], signal.output)
        last = _at_exit(inside.shell, self.world)
        return CommandResult(answer.status, answer.output + last)

    def _negated(self, node: Node) -> CommandResult:
        return opposite(self.execute(node.named_children[0]))

    def _test(self, node: Node) -> CommandResult:
        if node.children[0].type == "[[":
            judge = Double(self.words, self.shell, self.world.files.exists, self.world.mark)
            inside = node.children[1:-1]
            return CommandResult(status_of(judge.value(inside[0]) if inside else False))
        words = [word for leaf in leaves_of_test(node) for word in self.words.fields(leaf)]
        return CommandResult(status_of(test_words(words, self.world.files.exists)))

    def _redirected(self, node: Node) -> CommandResult:
        body = node.child_by_field_name("body")
        redirects = [child for child in node.children if child.type.endswith("_redirect")]
        # `command < file word`: the grammar takes the word for a second file.
        more = [
            word for part in redirects for word in part.children_by_field_name("destination")[1:]
        ]
        if body is None:
            return self._with_redirects(redirects, CommandResult)
        if body.type == "command" and more:
            return self._with_redirects(redirects, lambda: self._command(body, more))
        return self._with_redirects(redirects, lambda: self.execute(body))

    def _with_redirects(
        self, nodes: Sequence[Node], body: Callable[[], CommandResult]
    ) -> CommandResult:
        redirects = Redirects(self.words, self.world, self.script, self.shell)
        redirects.read(nodes)
        before = self.shell.stdin, self.shell.stdin_place
        if redirects.stdin is not None:
            self.shell.stdin = lines(redirects.stdin)
            self.shell.stdin_place = redirects.place
        try:
            answer = redirects.keep(body())
        finally:
            self.shell.stdin, self.shell.stdin_place = before
        for stage in redirects.pipeline:
            answer = chains.piped(self, [stage], answer)
        return chains.joined(self, answer, redirects.operator, redirects.right)


def evaluate(script: Script, shell: Shell, world: World) -> CommandResult:
    """Evaluate a whole script in a shell.

    Raises:
        ExitSignal, ReturnSignal, LoopSignal: what the script does outside of what could catch it.
    """
    script, root = parse(script)
    with world.budget.deeper():
        return Evaluation(shell, world, script).statements(root.children)


def run_to_end(script: Script, shell: Shell, world: World) -> CommandResult:
    """Evaluate a whole script in a shell of its own, with what `trap … EXIT` runs after it."""
    answer = _ended(script, shell, world)
    return CommandResult(answer.status, answer.output + _at_exit(shell, world))


def _at_exit(shell: Shell, world: World) -> str:
    """Evaluate what `trap … EXIT` set; return what that prints."""
    if shell.at_exit is None:
        return ""
    text, place = shell.at_exit
    shell.at_exit = None
    return _ended(Script(place.file, text.encode(), place.line), shell, world).output


def _ended(script: Script, shell: Shell, world: World) -> CommandResult:
    try:
        return evaluate(script, shell, world)
    except ExitSignal as signal:
        return CommandResult(signal.args[0], signal.output)
    except (ReturnSignal, LoopSignal) as signal:
        return CommandResult(output=signal.output)
