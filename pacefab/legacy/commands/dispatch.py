"""Programs that a script calls, by name: what each does as far as a migration is concerned."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.files import Text
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.commands.builtin import BUILTINS
from pacefab.legacy.commands.copies import copy
from pacefab.legacy.commands.crm import cluster_script, crm
from pacefab.legacy.commands.hosts import on_many, ssh
from pacefab.legacy.commands.programs import ACTIONS, PROGRAMS, QUIET
from pacefab.legacy.commands.shells import bash, run_script, su
from pacefab.legacy.commands.texts import TEXTS, run_text
from pacefab.legacy.commands.wrappers import replaced, sshpass, wrapped
from pacefab.legacy.model import AssumedStatus, CommandResult, Fate
from pacefab.legacy.source import SourceFile
from pacefab.legacy.text.filters import FILTERS
from pacefab.legacy.unknown import is_known

CommandHandler = Callable[[Interpreter, Command], CommandResult]

_PCS = re.compile(r"(?:^|[\s/;|&])pcs(?:$|\s)")
_WRITING = {
    "cibadmin": {"-C", "-R", "-M", "-P", "-D", "-U", "-E", "-c", "-d", "-o", "--create",
                 "--replace", "--modify", "--patch", "--delete", "--upgrade", "--erase"},
    "crm_attribute": {"-v", "--update", "-D", "--delete"},
    "crm_resource": {"-p", "-m", "--set-parameter", "-M", "--move", "-B", "--ban"},
    "crm_standby": {"-v", "--update"},
    "crm_master": {"-v", "--update"},
    "crm_failcount": {"-v", "--update", "-D", "--delete"},
    "crm_ticket": {"-g", "--grant", "-r", "--revoke", "-s", "--standby", "-a", "--activate", "-S",
                   "--set-attr", "-D", "--delete-attr", "-c", "--cleanup"},
    "crm_node": {"-R", "--remove"},
    "attrd_updater": {"-U", "--update", "-B", "--update-both", "-D", "--delete", "-v"},
    "stonith_admin": {"-R", "--register", "-D", "--deregister", "-r", "--register-level"},
}  # fmt: skip
_ASKING = {
    "-Q", "--query", "-G", "--query-value", "-q", "--quiet", "-W", "--locate", "-l", "--list",
    "-L", "--list-registered", "-O", "--list-operations", "-I", "--list-installed", "-A",
    "--query-all", "-i", "--info", "-n", "--name", "-p", "--partition", "-H", "--history",
    "--version", "-V", "--help",
}  # fmt: skip
_ONCE = {
    "crm_resource": {"-C": "clears recorded failures", "--cleanup": "clears recorded failures",
                     "-R": "probes the nodes again", "--refresh": "probes the nodes again",
                     "--restart": "restarts a resource once"},
    "stonith_admin": dict.fromkeys(["-F", "--fence", "-B", "--reboot", "-U", "--unfence", "-C",
                                    "--confirm"], "fences a node once, or says that it is"),
}  # fmt: skip


def run_command(interpreter: Interpreter, command: Command) -> CommandResult:
    """Return what a program answers, its effects noted; nothing is executed."""
    name = command.name
    if name == "pcs":
        return _pcs(interpreter, command)
    if name in _CLUSTER:
        places = command.place, *interpreter.shell.called_from
        interpreter.world.ran([name, *command.arguments], *places)
    handler = _HANDLERS.get(name)
    if handler:
        answer = handler(interpreter, command)
        return _assumed(answer) if name in _ASSUMED else answer
    if name in FILTERS or name in TEXTS:
        return run_text(interpreter, command)
    if name in _WRITING:
        return _other_tool(interpreter, command)
    path = command.words[0]
    script = interpreter.file(path)
    if script and (name.endswith((".sh", ".bash")) or _is_script(command.words[0], script)):
        return run_script(interpreter, command)
    return _unknown(interpreter, command)


def _assumed(answer: CommandResult) -> CommandResult:
    """Return an answer whose success is taken for granted."""
    return answer if answer.status != 0 else replace(answer, status=AssumedStatus(0))


def _is_script(path: str, found: Text) -> bool:
    """Return whether a path, not a bare name, is that of a script without an extension."""
    return "/" in path and SourceFile(found.place.file, found.text).is_script


def _pcs(interpreter: Interpreter, command: Command) -> CommandResult:
    """Replay a pcs command: it stands where its words do, in a wrapper or at the wrapper's call."""
    place, words = command.place_of(0), ["pcs", *command.arguments]
    handed = command.place_of(1) if len(command.words) > 1 else place
    if command.caller is not None and handed == command.caller:
        place = handed
    interpreter.world.ran(words, place, command.place, *interpreter.shell.called_from)
    return interpreter.world.pcs(command.arguments, place, interpreter.shell.host)


def _other_tool(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note a command of the cluster that is not pcs: a change, or a query."""
    world, shell = interpreter.world, interpreter.shell
    world.ran([command.name, *command.arguments], command.place, *shell.called_from)
    handed = command.place_of(1)
    if handed == command.caller:  # its words are a function's arguments: they stand there
        command = replace(command, place=handed)
    given = {word.partition("=")[0] for word in command.arguments if word.startswith("-")}
    once = [what for option, what in _ONCE.get(command.name, {}).items() if option in given]
    if once:
        why = f"it {once[0]}: not part of a configuration"
        world.note(Fate.LEFT_OUT, command.place, command.text, why)
        return CommandResult(AssumedStatus(0), world.mark(f"what {command.text} prints"))
    asks = {"-Q", "--query", "-G"} & given
    if not asks and (_WRITING[command.name] & given or not _ASKING & given):
        interpreter.world.note(
            Fate.UNTRANSLATED,
            command.place,
            command.text,
            f"{command.name} changes the cluster without pcs",
            "add what it does to the inventory by hand, or use pcs",
        )
        return CommandResult()
    world.note(Fate.LEFT_OUT, command.place, command.text, "it only queries")
    return CommandResult(None, world.mark(f"what {command.text} prints"))


def _unknown(interpreter: Interpreter, command: Command) -> CommandResult:
    """Return what is known of a program that is not: nothing; an action is taken to go well."""
    if command.name in QUIET:
        return CommandResult(AssumedStatus(0))
    shown = interpreter.world.unknowns.show(command.text).split("\n")[0]
    if command.name in ACTIONS:
        return CommandResult(AssumedStatus(0), interpreter.world.mark(f"what {shown} prints"))
    given = next((at for at, word in enumerate(command.words) if at and _PCS.search(word)), 0)
    if given:
        interpreter.world.handed_on(command, given)
    if not is_known(command.words[0]):
        interpreter.world.nameless.setdefault(command.place)
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
_ASSUMED = {*PROGRAMS, "scp", "rsync", "cp", "mv", "cd"}
_CLUSTER = {"crm", "crmsh", "ha-cluster-init", "ha-cluster-join"}
_HANDLERS: dict[str, CommandHandler] = {**BUILTINS, **PROGRAMS, **_STARTING}
