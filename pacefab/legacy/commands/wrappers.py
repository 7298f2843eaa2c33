"""Commands that only wrap another one: sudo, env, timeout, sshpass and their kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import ExitSignal
from pacefab.legacy.commands.builtin import which
from pacefab.legacy.commands.shells import login
from pacefab.legacy.model import CommandResult, Fate
from pacefab.legacy.options import Syntax, split_options

_SYNTAX = {
    "sudo": Syntax(
        "u g C D p h r R t T U user group prompt host chdir other-user role type",
    ),
    "env": Syntax("u C S unset chdir"),
    "time": Syntax("f o format output"),
    "exec": Syntax("a"),
    "timeout": Syntax("s k", long={"signal": "s", "kill-after": "k"}),
    "nice": Syntax("n", long={"adjustment": "n"}),
    "flock": Syntax("w E", long={"timeout": "w", "wait": "w", "conflict-exit-code": "E"}),
    "sshpass": Syntax("p f d P"),
}
_PLAIN = Syntax()
_OPERANDS = {"timeout": 1, "flock": 1}  # before the command: a duration, a file
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def wrapped(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run the command that sudo, nohup, time, env, timeout and their kind are given."""
    options = split_options(command.arguments, _SYNTAX.get(command.name, _PLAIN))
    if command.name == "command" and {"v", "V"} & options.names:
        return which(interpreter, command)
    at = 1 + options.first + _OPERANDS.get(command.name, 0)
    while command.name in {"env", "sudo"} and _ASSIGNMENT.match(
        "".join(command.words[at : at + 1])
    ):
        at += 1
    settings = command.words[1 + options.first : at] if command.name in {"env", "sudo"} else []
    if at < len(command.words):
        alone = bool({"i", "ignore-environment"} & options.names)
        with _exported(interpreter, settings, alone=alone):
            return interpreter.program(command.after(at))
    if command.name == "env":
        return CommandResult(0, interpreter.world.mark("the environment"))
    return login(interpreter, command) if command.name == "sudo" else CommandResult()


@contextmanager
def _exported(interpreter: Interpreter, settings: list[str], *, alone: bool) -> Iterator[None]:
    """Export NAME=VALUE words for one command; `alone`: nothing else is exported."""
    shell = interpreter.shell
    before = dict(shell.variables), set(shell.exported)
    if alone:
        shell.exported = set()
    for word in settings:
        name, _, value = word.partition("=")
        shell.variables[name] = value
        shell.exported.add(name)
    try:
        yield
    finally:
        if settings or alone:
            shell.variables, shell.exported = before


def replaced(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run the command that exec puts in the place of the shell: nothing after it is reached."""
    options = split_options(command.arguments, _SYNTAX["exec"])
    if not options.operands:
        return CommandResult()
    answer = interpreter.program(command.after(1 + options.first))
    signal = ExitSignal(answer.status)
    signal.output = answer.output
    raise signal


def sshpass(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run the command that sshpass is given; report a password on its line."""
    if "p" in split_options(command.arguments, _SYNTAX["sshpass"]):
        interpreter.world.note(
            Fate.DOUBTFUL, command.place, "sshpass -p ***", "a password in clear text",
            "log in with keys; pacefab never takes a login password",
        )  # fmt: skip
    return wrapped(interpreter, command)
