"""Programs that a script calls, by name: what each does as far as a migration is concerned."""

from __future__ import annotations

from collections.abc import Callable

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.commands.builtin import BUILTINS
from pacefab.legacy.commands.copies import copy
from pacefab.legacy.commands.crm import cluster_script, crm
from pacefab.legacy.commands.hosts import on_many, ssh
from pacefab.legacy.commands.programs import ACTIONS, PROGRAMS, QUIET
from pacefab.legacy.commands.shells import bash, run_script, su
from pacefab.legacy.commands.texts import TEXTS, run_text
from pacefab.legacy.commands.wrappers import replaced, sshpass, wrapped
from pacefab.legacy.model import CommandResult, Fate
from pacefab.legacy.text.filters import FILTERS
from pacefab.legacy.unknown import is_known

CommandHandler = Callable[[Interpreter, Command], CommandResult]

_WRITING = {
    "cibadmin": {"-C", "-R", "-M", "-P", "-D", "-U", "-E", "-c", "-d", "-o", "--create",
                 "--replace", "--modify", "--patch", "--delete", "--upgrade", "--erase"},
    "crm_attribute": {"-v", "--update", "-D", "--delete"},
    "crm_resource": {"-p", "-m", "--set-parameter", "-M", "--move", "-B", "--ban"},
    "crm_standby": {"-v", "--update"},
    "crm_master": {"-v", "--update"},
    "stonith_admin": {"-F", "--fence", "-R", "--register"},
}  # fmt: skip


def run_command(interpreter: Interpreter, command: Command) -> CommandResult:
    """Return what a program answers, its effects noted; nothing is executed."""
    name = command.name
    if name == "pcs":
        return interpreter.world.pcs(command.arguments, command.place_of(0), interpreter.shell.host)
    handler = _HANDLERS.get(name)
    if handler:
        return handler(interpreter, command)
    if name in FILTERS or name in TEXTS:
        return run_text(interpreter, command)
    if name in _WRITING:
        return _other_tool(interpreter, command)
    script = interpreter.world.files.read(command.words[0])
    if script and name.endswith((".sh", ".bash")):
        return run_script(interpreter, command)
    return _unknown(interpreter, command)


def _other_tool(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note a change of the cluster that is made without pcs."""
    asks = {"-Q", "--query", "-G"} & set(command.arguments)
    if not asks and _WRITING[command.name] & set(command.arguments):
        interpreter.world.note(
            Fate.UNTRANSLATED,
            command.place,
            command.text,
            f"{command.name} changes the cluster without pcs",
            "add what it does to the inventory by hand, or use pcs",
        )
        return CommandResult()
    return CommandResult(None, interpreter.world.mark(f"what {command.text} prints"))


def _unknown(interpreter: Interpreter, command: Command) -> CommandResult:
    """Return what is known of a program that is not: nothing; an action is taken to go well."""
    if command.name in QUIET:
        return CommandResult()
    shown = interpreter.world.unknowns.show(command.text).split("\n")[0]
    if command.name in ACTIONS:
        return CommandResult(0, interpreter.world.mark(f"what {shown} prints"))
    if "pcs" in (handed := [word.rpartition("/")[2] for word in command.words]):
        interpreter.world.handed_on(command, handed.index("pcs"))
    if not is_known(command.words[0]):
        interpreter.world.note(
            Fate.UNTRANSLATED, command.place, command.text, "the program's name is unknown",
            "check what it runs",
        )  # fmt: skip
    return CommandResult(None, interpreter.world.mark(f"what {shown} prints"))


_STARTING: dict[str, CommandHandler] = {
    "ssh": ssh, "pdsh": on_many, "clush": on_many, "pssh": on_many, "parallel-ssh": on_many,
    "mussh": on_many, "bash": bash, "sh": bash, "dash": bash, "ksh": bash, "su": su,
    "runuser": su, "sudo": wrapped, "nohup": wrapped, "time": wrapped, "env": wrapped,
    "command": wrapped, "builtin": wrapped, "setsid": wrapped, "timeout": wrapped,
    "nice": wrapped, "flock": wrapped, "exec": replaced, "sshpass": sshpass,
    "crm": crm, "crmsh": crm, "ha-cluster-init": cluster_script, "ha-cluster-join": cluster_script,
    "scp": copy, "rsync": copy, "cp": copy, "mv": copy,
}  # fmt: skip
_HANDLERS: dict[str, CommandHandler] = {**BUILTINS, **PROGRAMS, **_STARTING}
