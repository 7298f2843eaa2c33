"""Commands that run other commands: ssh, bash, sudo, scp and their kind, with their quoting."""

from __future__ import annotations

import re
from collections.abc import Callable

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.files import Text
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import ExitSignal, Shell
from pacefab.legacy.bash.splitting import braces
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.commands.builtin import piped_script, which
from pacefab.legacy.commands.ini import check_read, read_as_awk
from pacefab.legacy.model import CommandResult, Fate, Place, WrittenFile
from pacefab.legacy.unknown import is_known, nothing_known

_SSH_VALUES = set("bcDEeFIiJLlmOopQRSWw")
_SUDO_VALUES = {"-u", "-g", "-C", "-p", "-h", "-r", "-t", "-U"}
_MANY_VALUES = {"-w", "-H", "-h", "-l", "-t", "-f", "-x", "-g", "-o", "-e", "-p", "-u"}
_REMOTE_SEPARATOR = ":"


def _ssh(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run the rest of the line in a shell on the host; without a rest, what is piped in."""
    at = _operand(command.words, 1, _SSH_VALUES)
    if at >= len(command.words):
        return CommandResult(None)
    shell = _remote_shell(interpreter, command.words[at])
    at = _operand(command.words, at + 1, _SSH_VALUES)  # ssh takes options behind the host too
    words = command.words[at:]
    place = command.place_of(at)
    if not words:
        script = piped_script(interpreter, command.place)
        shell.stdin = []
    else:
        script = Script(place.file, " ".join(words).encode(), place.line)
    return interpreter.start(script, shell) if script else CommandResult(None)


def _remote_shell(interpreter: Interpreter, destination: str) -> Shell:
    host = destination.rpartition("@")[2]
    host = interpreter.world.unknowns.show(interpreter.world.names.get(host, host))
    return Shell(host, stdin=interpreter.shell.stdin, stdin_place=interpreter.shell.stdin_place)


def _operand(words: list[str], at: int, taking: set[str]) -> int:
    """Return where the first word that is no option stands."""
    while at < len(words) and words[at].startswith("-") and len(words[at]) > 1:
        word = words[at]
        at += 1
        if word == "--":
            break
        value_follows = len(word) == 2 and word[1] in taking  # noqa: PLR2004  # -x, not -xVALUE
        at += 1 if value_follows else 0
    return at


def _bash(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run a file, a text (-c), or what is piped in."""
    words, at = command.words, 1
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        if words[at].startswith("-") and words[at].endswith("c"):
            return _text(interpreter, command, at + 1)
        if words[at] in {"-s", "--"}:
            at += 2 if words[at : at + 2] == ["-s", "--"] else 1
            break
        at += 2 if words[at] in {"-o", "+o", "-O"} else 1
    if at < len(words) and words[at] != "-" and "-s" not in words[:at]:
        return run_script(interpreter, command.after(at))
    script = piped_script(interpreter, command.place)
    if script is None:
        return CommandResult(None)
    if nothing_known(script.source.decode()):
        return _unknown_script(interpreter, command, script)
    shell = _child(interpreter, words[at:], "bash")
    shell.stdin = []
    return interpreter.start(script, shell)


def _unknown_script(interpreter: Interpreter, command: Command, script: Script) -> CommandResult:
    """Note that a shell is handed commands that are known at run time alone."""
    reasons = interpreter.world.unknowns.reasons(script.source.decode())
    interpreter.world.note(
        Fate.UNTRANSLATED,
        command.place,
        f"… | {command.text}",
        f"what it runs is known only at run time: {'; '.join(reasons)}",
        "see whether pcs is among it",
    )
    return CommandResult(None)


def _text(interpreter: Interpreter, command: Command, at: int) -> CommandResult:
    if at >= len(command.words):
        return CommandResult(None)
    place = command.place_of(at)
    script = Script(place.file, command.words[at].encode(), place.line)
    name = command.words[at + 1] if at + 1 < len(command.words) else "bash"
    return interpreter.start(script, _child(interpreter, command.words[at + 2 :], name))


def _child(interpreter: Interpreter, arguments: list[str], name: str) -> Shell:
    """Return a shell started by this one: it has what was exported."""
    shell = interpreter.shell
    exported = {
        one: shell.variables[one] for one in sorted(shell.exported) if one in shell.variables
    }
    return Shell(
        shell.host,
        exported,
        exported=set(shell.exported),
        arguments=list(arguments),
        name=name,
        stdin=shell.stdin,
        stdin_place=shell.stdin_place,
    )


def run_script(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run a script of the tree, or one that scripts wrote, by its path."""
    path, world = command.words[0], interpreter.world
    found = world.files.read(path)
    arguments = command.arguments
    if found is None:
        answer = read_as_awk(world, path, arguments)
        return answer or _absent(interpreter, command)
    world.started.add(found.place.file)
    script = Script(found.place.file, found.text.encode(), found.place.line)
    answer = interpreter.start(script, _child(interpreter, arguments, path))
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
        "if that one calls pcs, add it to the folder and migrate again",
    )
    return CommandResult(None, world.mark(f"what {command.text} prints"))


def _wrapped(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run the command behind sudo, nohup, time, env and their kind."""
    if command.name == "command" and {"-v", "-V"} & set(command.arguments):
        return which(interpreter, command)
    at = 1
    while at < len(command.words):
        word = command.words[at]
        if command.name == "env" and "=" in word and not word.startswith("-"):
            at += 1
        elif word.startswith("-") and word != "-":
            at += 2 if word in _SUDO_VALUES and command.name == "sudo" else 1
        else:
            break
    if at >= len(command.words):
        return _login(interpreter, command) if command.name == "sudo" else CommandResult()
    answer = interpreter.run(command.after(at))
    if command.name == "exec":
        signal = ExitSignal(answer.status)  # what stands below is not reached
        signal.output = answer.output
        raise signal
    return answer


def _login(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run what a shell reads that `sudo -i`, `sudo -s` or `su -` starts without a command."""
    script = piped_script(interpreter, command.place)
    return (
        interpreter.start(script, _child(interpreter, [], "bash"))
        if script
        else CommandResult(None)
    )


def _timed(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run the command behind `timeout 30`, `nice -n 5`, `flock FILE`."""
    at = 1
    while at < len(command.words) and command.words[at].startswith("-"):
        at += 2 if command.words[at] in {"-s", "-k", "-n", "-w"} else 1
    at += 0 if command.name == "nice" else 1
    return interpreter.run(command.after(at)) if at < len(command.words) else CommandResult()


def _sshpass(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run the command behind sshpass; a password on its line is told."""
    at = 1
    while at < len(command.words) and command.words[at].startswith("-"):
        if command.words[at].startswith("-p"):
            interpreter.world.note(
                Fate.DOUBTFUL, command.place, "sshpass -p ***", "a password in clear text",
                "log in by keys; pacefab never takes a login's password",
            )  # fmt: skip
        at += 2 if command.words[at] in {"-p", "-f", "-d", "-P"} else 1
    return interpreter.run(command.after(at)) if at < len(command.words) else CommandResult()


def _su(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run what follows -c; `su keystone -s /bin/sh -c "…"`."""
    for at, word in enumerate(command.words):
        if word in {"-c", "--command"}:
            return _text(interpreter, command, at + 1)
    return _login(interpreter, command)


def _on_many(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run `pdsh -w HOSTS command` on each host, with a list such as node[1-3]."""
    words, hosts, at = command.words, "", 1
    while at < len(words) and words[at].startswith("-"):
        option, value = words[at][:2], words[at][2:]
        at += 1
        if not value and option in _MANY_VALUES and at < len(words):
            value = words[at]
            at += 1
        if option in {"-w", "-H", "-h"}:
            hosts = f"{hosts} {_listed_hosts(interpreter, option, value)}"
    place = command.place_of(at)
    script = Script(place.file, " ".join(words[at:]).encode(), place.line)
    for host in hosts.split() or [interpreter.world.mark("hosts")]:
        interpreter.start(script, _remote_shell(interpreter, host))
    return CommandResult(None)


def _listed_hosts(interpreter: Interpreter, option: str, value: str) -> str:
    """Return the hosts that a list names; -h of parallel-ssh names a file that has them."""
    found = interpreter.world.files.read(value) if option == "-h" and is_known(value) else None
    if found:
        value = " ".join(line.partition("#")[0] for line in found.text.split("\n"))
    value = re.sub(r"\[(\d+)-(\d+)\]", r"{\1..\2}", value)
    value = re.sub(r",(?![^{\[]*[}\]])", " ", value)
    return " ".join(host for one in value.split() for host in braces(one))


def _copy(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note files that scp, rsync, cp or mv put somewhere."""
    operands: list[str] = []
    at = 1
    while at < len(command.words):
        word = command.words[at]
        if word.startswith("-") and len(word) > 1:
            takes = command.name == "scp" and word in {"-P", "-i", "-o", "-F", "-c", "-l"}
            at += 2 if takes or word == "-e" else 1
            continue
        operands.append(word)
        at += 1
    if len(operands) > 1:
        for source in operands[:-1]:
            _put(interpreter, source, operands[-1], command.place)
    return CommandResult()


def _put(interpreter: Interpreter, source: str, target: str, place: Place) -> None:
    world = interpreter.world
    host, colon, path = target.rpartition(_REMOTE_SEPARATOR)
    host = host.rpartition("@")[2] if colon else interpreter.shell.host
    if source.rpartition(_REMOTE_SEPARATOR)[1]:  # fetched from a host: nobody knows what
        return
    name = source.rstrip("/").rpartition("/")[2]
    whole = path + name if path.endswith("/") or not path else path
    if path.rpartition("/")[2] in {"", "root", "tmp", "home", "etc", "bin", "sbin", "opt"}:
        whole = f"{path.rstrip('/')}/{name}"
    host = world.unknowns.show(world.names.get(host, host))
    shown = WrittenFile(world.unknowns.show(whole), host, place, "copied")
    world.effects.files.setdefault(shown)
    found = world.files.read(source) if is_known(source) else None
    if found and is_known(whole) and whole not in world.tree.files:
        world.files.keep(whole, Text(found.text, found.place))


REMOTE: dict[str, Callable[[Interpreter, Command], CommandResult]] = {
    "ssh": _ssh, "bash": _bash, "sh": _bash, "dash": _bash, "ksh": _bash, "sshpass": _sshpass,
    "su": _su, "runuser": _su, "sudo": _wrapped, "nohup": _wrapped, "time": _wrapped,
    "env": _wrapped, "command": _wrapped, "exec": _wrapped, "builtin": _wrapped,
    "setsid": _wrapped, "timeout": _timed, "nice": _timed, "flock": _timed, "pdsh": _on_many,
    "clush": _on_many, "pssh": _on_many, "parallel-ssh": _on_many, "mussh": _on_many,
    "scp": _copy, "rsync": _copy, "cp": _copy, "mv": _copy,
}  # fmt: skip
