"""Commands that start a shell: bash and su, with a script, a text (-c) or what is piped in."""

from __future__ import annotations

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.commands.ini import check_read, read_as_awk
from pacefab.legacy.model import CommandResult, Fate, Place
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.unknown import is_known, nothing_known

_BASH = Syntax("o O rcfile init-file")
_SU = Syntax(
    "c s g G u w",
    long={
        "command": "c", "shell": "s", "group": "g", "supp-group": "G", "user": "u",
        "whitelist-environment": "w",
    },
    mixed=True,
)  # fmt: skip


def bash(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run a file, a text (-c), or what is piped in."""
    options = split_options(command.arguments, _BASH)
    at = 1 + options.first
    if "n" in options:  # it only reads the script
        return CommandResult(None)
    if "c" in options:
        text = options.operands[0] if options.operands else None
        return _text(interpreter, command, at, text)
    if command.words[at : at + 1] == ["-"]:
        at += 1
    if at < len(command.words) and "s" not in options:
        return run_script(interpreter, command.after(at))
    script = piped_script(interpreter, command.place)
    if script is None:
        return CommandResult(None)
    if nothing_known(script.source.decode()):
        return _unknown_script(interpreter, command, script)
    shell = child_shell(interpreter, command.words[at:], "bash")
    shell.stdin = []
    return interpreter.start(script, shell)


def su(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run what follows -c (`su keystone -s /bin/sh -c "…"`), or the command of runuser -u."""
    options = split_options(command.arguments, _SU)
    for option in options.given:
        if option.name == "c":
            return _text(interpreter, command, 1 + option.at, option.value)
    if "u" in options and options.operands:
        return interpreter.program(command.after(1 + options.first))
    return login(interpreter, command)


def login(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run what a shell reads that `sudo -i`, `sudo -s` or `su -` starts without a command."""
    script = piped_script(interpreter, command.place)
    if script is None:
        return CommandResult(None)
    return interpreter.start(script, child_shell(interpreter, [], "bash"))


def piped_script(interpreter: Interpreter, otherwise: Place) -> Script | None:
    """Return what is piped into a shell as a script; None when nothing is."""
    stdin = interpreter.shell.stdin
    if not stdin:
        return None
    where = interpreter.shell.stdin_place or otherwise
    if where.line == 1:  # a whole file
        interpreter.world.started.add(where.file)
    return Script(where.file, ("\n".join(stdin) + "\n").encode(), where.line)


def _unknown_script(interpreter: Interpreter, command: Command, script: Script) -> CommandResult:
    """Note that a shell is handed commands that are known at run time alone."""
    reasons = interpreter.world.unknowns.reasons(script.source.decode())
    interpreter.world.unseen.append(command.place)
    interpreter.world.note(
        Fate.UNTRANSLATED,
        command.place,
        f"… | {command.text}",
        f"what it runs is known only at run time: {'; '.join(reasons)}",
        "check whether it runs pcs",
    )
    return CommandResult(None)


def _text(interpreter: Interpreter, command: Command, at: int, text: str | None) -> CommandResult:
    """Run the text that stands in one word of a command; further words are $0, $1 and so on."""
    if text is None:
        return CommandResult(None)
    place = command.place_of(at)
    name, *arguments = command.words[at + 1 :] or ["bash"]
    shell = child_shell(interpreter, arguments, name)
    return interpreter.start(Script(place.file, text.encode(), place.line), shell)


def child_shell(interpreter: Interpreter, arguments: list[str], name: str) -> Shell:
    """Return a shell started by this one: it has what was exported."""
    shell = interpreter.shell
    names = [name for name in sorted(shell.exported) if name in shell.variables]
    exported = {variable: shell.variables[variable] for variable in names}
    if shell.folder:
        exported["PWD"] = shell.folder
    return Shell(
        shell.host,
        exported,
        exported=set(shell.exported),
        arguments=list(arguments),
        name=name,
        stdin=shell.stdin,
        stdin_place=shell.stdin_place,
        called_from=list(shell.called_from),
    )


def run_script(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run a script of the tree, or one that scripts wrote, by its path."""
    path, world = command.words[0], interpreter.world
    found = interpreter.file(path)
    arguments = command.arguments
    if found is None:
        answer = read_as_awk(world, path, arguments)
        return answer or _absent(interpreter, command)
    world.started.add(found.place.file)
    script = Script(found.place.file, found.text.encode(), found.place.line)
    shell = child_shell(interpreter, arguments, path)
    ran_on = world.hosts.get(found.place.file, ())
    shell.host = shell.host or next(iter(ran_on), "")
    answer = interpreter.start(script, shell)
    if not is_known(answer.output):
        answer = read_as_awk(world, path, arguments) or answer
    check_read(world, command, answer.output)
    return answer


def _absent(interpreter: Interpreter, command: Command) -> CommandResult:
    world = interpreter.world
    world.note(
        Fate.UNTRANSLATED,
        command.place,
        command.text,
        f"it runs {command.words[0]}, which is not in the folder",
        "if it calls pcs, add it to the folder and migrate again",
    )
    return CommandResult(None, world.mark(f"what {command.text} prints"))
