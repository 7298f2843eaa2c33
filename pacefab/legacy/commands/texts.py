"""Programs that turn text into text, with their input: a pipe, or files that are known."""

from __future__ import annotations

import re
from dataclasses import replace

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.model import CommandResult, WrittenFile
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.text.awk import run_awk, split_awk
from pacefab.legacy.text.awk_syntax import AwkError
from pacefab.legacy.text.filters import run_filter
from pacefab.legacy.text.grep import GREP
from pacefab.legacy.text.lines import joined
from pacefab.legacy.text.sed import SED_IN_PLACE, run_sed, split_script
from pacefab.legacy.unknown import is_known, nothing_known

TEXTS = {"awk", "gawk", "mawk", "sed", "tee"}
_ID = re.compile(r"[A-Za-z][\w.-]+$")
_STATES = {"Started", "Stopped", "Online", "OFFLINE", "online", "offline", "Masters", "Slaves",
           "Master", "Slave", "FAILED", "Failed", "running", "stopped", "started", "quorum",
           "Active", "active", "unmanaged", "UNCLEAN", "Starting", "error", "Error"}  # fmt: skip
_CAT = Syntax(mixed=True)
_TEE = Syntax(long={"append": "a"}, mixed=True)
_SHOWING = {"cat", "more", "less"}


def run_text(interpreter: Interpreter, command: Command) -> CommandResult:
    """Return what the program makes of its input; unknown input makes unknown output."""
    arguments = [_known_path(interpreter, word) for word in command.arguments]
    command = replace(command, words=[command.words[0], *arguments])
    name = command.name
    if name == "tee":
        return _tee(interpreter, command)
    if name == "sed" and "i" in split_options(arguments, SED_IN_PLACE):
        return _edit(interpreter, command)
    if not is_known(*arguments):
        return _unclear(interpreter, command, "".join(arguments))
    text = joined(interpreter.shell.stdin or [])
    if name in _SHOWING:
        return _show(interpreter, arguments, text)
    listed = interpreter.world.listings.get(text.rstrip("\n"))
    if listed is not None and name in {"grep", "egrep", "fgrep"}:
        return _in_listing(interpreter, command, listed)
    return _filtered(interpreter, command, text)


def _known_path(interpreter: Interpreter, word: str) -> str:
    """Return the path within the tree of a file whose folder is not known; else the word."""
    if is_known(word) or nothing_known(word):
        return word
    found = interpreter.file(word)
    return found.place.file if found and found.place.line == 1 else word


def _filtered(interpreter: Interpreter, command: Command, text: str) -> CommandResult:
    name, arguments = command.name, command.arguments
    answer = _over(name, arguments, text)
    if answer is None and len(arguments) > 1:
        arguments, text = _with_files(interpreter, arguments)
        answer = _over(name, arguments, text) if is_known(text) else None
    if not is_known(text) or answer is None:
        return _unclear(interpreter, command, text)
    return answer


def _in_listing(
    interpreter: Interpreter, command: Command, listed: frozenset[str]
) -> CommandResult:
    """Return whether a listing of pcs has an id in it: scripts guard their creates by that.

    Only ids can be decided; words such as Started are known only on the cluster.
    """
    options = split_options(command.arguments, replace(GREP, flags=None))
    words = options.values("e") or options.operands
    output = interpreter.world.mark(f"what {command.text} prints")
    if len(words) != 1 or not _ID.match(words[0]) or words[0] in _STATES:
        return CommandResult(None, output)
    there = any(words[0] in listed_id for listed_id in listed)
    return CommandResult(0, output) if there else CommandResult(1)


def _over(name: str, arguments: list[str], text: str) -> CommandResult | None:
    if name == "sed":
        return run_sed(arguments, text)
    if name not in {"awk", "gawk", "mawk"}:
        return run_filter(name, arguments, text)
    try:
        program, variables, files = split_awk(arguments)
    except AwkError:
        return None
    return None if files else run_awk(program, variables, text)


def _with_files(interpreter: Interpreter, arguments: list[str]) -> tuple[list[str], str]:
    """Return the arguments without the file at their end, and what is in it."""
    found = interpreter.file(arguments[-1])
    text = found.text if found else interpreter.world.mark(f"what is in {arguments[-1]}")
    return arguments[:-1], text


def _show(interpreter: Interpreter, arguments: list[str], text: str) -> CommandResult:
    """Return the files' texts, or what is piped in."""
    files = [path for path in split_options(arguments, _CAT).operands if path != "-"]
    parts: list[str] = []
    for path in files:
        found = interpreter.file(path)
        parts.append(found.text if found else interpreter.world.mark(f"what is in {path}") + "\n")
    whole = "".join(parts) if files else text
    return CommandResult(0 if is_known(whole) else None, whole)


def _unclear(interpreter: Interpreter, command: Command, text: str) -> CommandResult:
    """Return an unknown output, with the reason why the input is unknown, or its own."""
    reasons = interpreter.world.unknowns.reasons(text)
    reason = reasons[0] if reasons else f"what {command.text.split(chr(10))[0]} prints"
    return CommandResult(None, interpreter.world.mark(reason))


def _tee(interpreter: Interpreter, command: Command) -> CommandResult:
    text = joined(interpreter.shell.stdin or [])
    options = split_options(command.arguments, _TEE)
    for path in options.operands:
        interpreter.world.files.write(
            path, text, interpreter.shell.host, command.place, append="a" in options
        )
    return CommandResult(0, text)


def _edit(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note the files that sed -i changes: its operands that are paths."""
    world, options = interpreter.world, split_options(command.arguments, SED_IN_PLACE)
    _, files = split_script(options) if options.operands else ("", [])
    for path in files:
        if path.startswith(("/", "./", "~")):
            shown = WrittenFile(
                world.unknowns.show(path), interpreter.shell.host, command.place, "edited by sed"
            )
            world.effects.files.setdefault(shown)
            world.files.written.pop(path, None)
    return CommandResult()
