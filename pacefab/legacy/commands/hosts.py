"""Commands that run a command on other hosts: ssh, and pdsh and its kind, with their quoting."""

from __future__ import annotations

import re

from pacefab.legacy.bash.braces import braces
from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.commands.shells import piped_script
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.unknown import is_known

_SSH = Syntax("b c D E e F I i J L l m O o p Q R S W w")
_MANY = Syntax(
    "w H h l t f x g o e p u", long={"hosts": "h", "host": "H", "user": "l", "timeout": "t"}
)


def ssh(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run the rest of the line in a shell on the host; without a rest, what is piped in."""
    at = 1 + split_options(command.arguments, _SSH).first
    if at >= len(command.words):
        return CommandResult(None)
    shell = _remote_shell(interpreter, command.words[at])
    at += 1  # ssh also takes options that follow the host
    at += split_options(command.words[at:], _SSH).first
    words, place = command.words[at:], command.place_of(at)
    if words:
        return interpreter.start(Script(place.file, " ".join(words).encode(), place.line), shell)
    script = piped_script(interpreter, command.place)
    shell.stdin = []
    return interpreter.start(script, shell) if script else CommandResult(None)


def _remote_shell(interpreter: Interpreter, destination: str) -> Shell:
    host = destination.rpartition("@")[2]
    host = interpreter.world.unknowns.show(interpreter.world.names.get(host, host))
    shell = interpreter.shell
    called_from = list(shell.called_from)
    return Shell(host, stdin=shell.stdin, stdin_place=shell.stdin_place, called_from=called_from)


def on_many(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run `pdsh -w HOSTS command` on each host, with a list such as node[1-3]."""
    options = split_options(command.arguments, _MANY)
    lists = [
        _listed_hosts(interpreter, option.name, option.value)
        for option in options.given
        if option.name in {"w", "H", "h"}
    ]
    at = 1 + options.first
    place = command.place_of(at)
    script = Script(place.file, " ".join(command.words[at:]).encode(), place.line)
    for host in " ".join(lists).split() or [interpreter.world.mark("hosts")]:
        interpreter.start(script, _remote_shell(interpreter, host))
    return CommandResult(None)


def _listed_hosts(interpreter: Interpreter, option: str, value: str) -> str:
    """Return the hosts that a list names; -h of parallel-ssh names a file that has them."""
    found = interpreter.file(value) if option == "h" and is_known(value) else None
    if found:
        value = " ".join(line.partition("#")[0] for line in found.text.split("\n"))
    value = re.sub(r"\[(\d+)-(\d+)\]", r"{\1..\2}", value)
    value = re.sub(r",(?![^{\[]*[}\]])", " ", value)
    return " ".join(host for word in value.split() for host in braces(word))
