"""Programs that turn text into text, with their input: a pipe, or files that are known."""

from __future__ import annotations

import re

from pacefab.legacy.bash.state import Command, Runner
from pacefab.legacy.model import CommandResult, WrittenFile
from pacefab.legacy.text.awk import run_awk, split_awk
from pacefab.legacy.text.awk_syntax import AwkError
from pacefab.legacy.text.filters import joined, run_filter
from pacefab.legacy.text.sed import run_sed
from pacefab.legacy.unknown import is_known

TEXTS = {"awk", "gawk", "mawk", "sed", "tee"}
_ID = re.compile(r"[A-Za-z][\w.-]+$")
_STATES = {"Started", "Stopped", "Online", "OFFLINE", "online", "offline", "Masters", "Slaves",
           "Master", "Slave", "FAILED", "Failed", "running", "stopped", "started", "quorum",
           "Active", "active", "unmanaged", "UNCLEAN", "Starting", "error", "Error"}  # fmt: skip
_SHOWING = {"cat", "more", "less"}


def run_text(runner: Runner, command: Command) -> CommandResult:
    """Return what the program makes of its input; unknown input makes unknown output."""
    name, arguments = command.name, command.arguments
    if name == "tee":
        return _tee(runner, command)
    if name == "sed" and any(one.startswith(("-i", "--in-place")) for one in arguments):
        return _edit(runner, command)
    if not is_known(*arguments):
        return _unclear(runner, command, "".join(arguments))
    text = joined(runner.shell.stdin or [])
    if name in _SHOWING:
        return _show(runner, arguments, text)
    listed = runner.world.listings.get(text.rstrip("\n"))
    if listed is not None and name in {"grep", "egrep", "fgrep"}:
        return _in_listing(runner, command, listed)
    return _filtered(runner, command, text)


def _filtered(runner: Runner, command: Command, text: str) -> CommandResult:
    name, arguments = command.name, command.arguments
    answer = _over(name, arguments, text)
    if answer is None and len(arguments) > 1:
        arguments, text = _with_files(runner, arguments)
        answer = _over(name, arguments, text) if is_known(text) else None
    if not is_known(text) or answer is None:
        return _unclear(runner, command, text)
    return answer


def _in_listing(runner: Runner, command: Command, listed: frozenset[str]) -> CommandResult:
    """Return whether a listing of pcs has an id in it: scripts guard their creates by that.

    Only of ids can it be told; words such as Started are known on the cluster alone.
    """
    words = [one for one in command.arguments if not one.startswith("-")]
    output = runner.world.mark(f"what {command.text} prints")
    if len(words) != 1 or not _ID.match(words[0]) or words[0] in _STATES:
        return CommandResult(None, output)
    there = any(words[0] in one for one in listed)
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


def _with_files(runner: Runner, arguments: list[str]) -> tuple[list[str], str]:
    """Return the arguments without the file at their end, and what is in it."""
    found = runner.world.read(arguments[-1])
    text = found.text if found else runner.world.mark(f"what is in {arguments[-1]}")
    return arguments[:-1], text


def _show(runner: Runner, arguments: list[str], text: str) -> CommandResult:
    """Return the files' texts, or what is piped in."""
    files = [one for one in arguments if not one.startswith("-")]
    parts: list[str] = []
    for path in files:
        found = runner.world.read(path)
        parts.append(found.text if found else runner.world.mark(f"what is in {path}") + "\n")
    whole = "".join(parts) if files else text
    return CommandResult(0 if is_known(whole) else None, whole)


def _unclear(runner: Runner, command: Command, text: str) -> CommandResult:
    """Return an unknown output, with the reason why the input is unknown, or its own."""
    reasons = runner.world.unknowns.reasons(text)
    reason = reasons[0] if reasons else f"what {command.text.split(chr(10))[0]} prints"
    return CommandResult(None, runner.world.mark(reason))


def _tee(runner: Runner, command: Command) -> CommandResult:
    text = joined(runner.shell.stdin or [])
    append = "-a" in command.arguments
    for path in command.arguments:
        if not path.startswith("-"):
            runner.world.write(path, text, runner.shell.host, command.place, append=append)
    return CommandResult(0, text)


def _edit(runner: Runner, command: Command) -> CommandResult:
    """Note the files that sed -i changes: its operands that are paths."""
    for path in command.arguments[1:]:
        if path.startswith(("/", "./", "~")) and " " not in path:
            shown = WrittenFile(
                runner.world.unknowns.show(path), runner.shell.host, command.place, "edited by sed"
            )
            runner.world.effects.files.setdefault(shown)
            runner.world.written.pop(path, None)
    return CommandResult()
