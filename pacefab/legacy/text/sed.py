"""The part of sed that scripts use to pick and change lines: addresses, s, d, p, q."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pacefab.legacy.bash.patterns import Regex, UnsafeError, matchable, regex
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import SplitOptions, Syntax, split_options
from pacefab.legacy.text.lines import joined, lines

_ADDRESS = re.compile(r"\s*(\d+|\$|/((?:[^/\\]|\\.)*)/)")
_MOST_COMMANDS = 40
_LONG = {
    "expression": "e", "quiet": "n", "silent": "n", "regexp-extended": "E", "in-place": "i",
}  # fmt: skip
_SED = Syntax("e", "n r E", attached="i", long=_LONG, mixed=True)
SED_IN_PLACE = Syntax("e f l", attached="i", long=_LONG, mixed=True)  # whatever else it does

Test = Callable[[int, int, str], bool]  # number, last number, line


@dataclass
class _Command:
    """One command with its addresses; `inside` is the state of a range, { begins a block."""

    first: Test | None
    second: Test | None
    negated: bool
    letter: str
    pattern: Regex | None = None
    replacement: str = ""
    flags: str = ""
    inside: bool = field(default=False, compare=False)
    within: tuple[_Command, ...] = ()  # the blocks around it
    holds: bool = field(default=True, compare=False)  # of a block: the line is one of its

    def applies(self, number: int, last: int, line: str) -> bool:
        if self.first is None:
            return True
        if self.second is None:
            return self.first(number, last, line) != self.negated
        if self.inside:
            self.inside = not self.second(number, last, line)
            return not self.negated
        self.inside = self.first(number, last, line)
        return self.inside != self.negated


def run_sed(arguments: Sequence[str], text: str) -> CommandResult | None:
    """Return what sed makes of a text; None when it is asked for more than is known here."""
    try:
        options = split_options(arguments, _SED)
        script, files = split_script(options)
        extended = bool({"r", "E"} & options.names)
        commands = _parse(script, extended=extended)
    except (UnsafeError, ValueError, IndexError):
        return None
    if files or "i" in options:
        return None
    try:
        return CommandResult(0, _edit(commands, text, quiet="n" in options))
    except (UnsafeError, IndexError, re.error):
        return None


def split_script(options: SplitOptions) -> tuple[str, list[str]]:
    """Return the script (all -e joined, else the first operand) and the files.

    Raises:
        IndexError: there is no script.
    """
    scripts = options.values("e")
    if scripts:
        return "\n".join(scripts), options.operands
    return options.operands[0], options.operands[1:]


def _edit(commands: list[_Command], text: str, *, quiet: bool) -> str:
    done: list[str] = []
    every = lines(text)
    for number, line in enumerate(every, 1):
        stop, kept, now = False, True, matchable(line)
        for command in commands:
            reached = all(block.holds for block in command.within)
            command.holds = reached and command.applies(number, len(every), now)
            if not command.holds or command.letter == "{":
                continue
            if command.letter == "s":
                now, changed = _substituted(command, now)
                if changed and "p" in command.flags:
                    done.append(now)
            elif command.letter == "p":
                done.append(now)
            else:
                stop = command.letter == "q"
                kept = command.letter != "d"
                break
        if kept and not quiet:
            done.append(now)
        if stop:
            break
    return joined(done)


def _substituted(command: _Command, line: str) -> tuple[str, bool]:
    assert command.pattern is not None  # noqa: S101  # s has one
    count = 0 if "g" in command.flags else 1
    text, changed = command.pattern.subn(lambda found: _filled(command, found), line, count=count)
    return text, bool(changed)


def _filled(command: _Command, found: re.Match[str]) -> str:
    def part(piece: re.Match[str]) -> str:
        if piece[0] == "&":
            return found[0]
        if piece[0][1].isdigit():
            return found[int(piece[0][1])] or ""
        return {"n": "\n", "t": "\t"}.get(piece[0][1], piece[0][1])

    return re.sub(r"\\.|&", part, command.replacement)


def _parse(script: str, *, extended: bool) -> list[_Command]:
    commands: list[_Command] = []
    rest = script.strip()
    blocks: list[_Command] = []
    while rest:
        if rest.startswith("}") and blocks:
            blocks.pop()
            rest = rest[1:].lstrip("; \t\n")
            continue
        command, rest = _one(rest, extended=extended)
        command.within = tuple(blocks)
        commands.append(command)
        if command.letter == "{":
            blocks.append(command)
        rest = rest.lstrip("; \t\n")
        if len(commands) > _MOST_COMMANDS:
            raise ValueError(script)
    if blocks:
        raise ValueError(script)
    return commands


def _one(rest: str, *, extended: bool) -> tuple[_Command, str]:
    first, rest = _address(rest, extended=extended)
    second = None
    if first and rest.startswith(","):
        second, rest = _address(rest[1:], extended=extended)
        if second is None:
            raise ValueError(rest)
    rest = rest.lstrip()
    negated = rest.startswith("!")
    rest = rest.removeprefix("!").lstrip()
    letter, rest = rest[:1], rest[1:]
    if letter == "s":
        pattern, replacement, flags, rest = _substitution(rest)
        compiled = regex(pattern, extended=extended, ignore_case="I" in flags or "i" in flags)
        return _Command(first, second, negated, "s", compiled, replacement, flags), rest
    if letter == "{":
        return _Command(first, second, negated, letter), rest
    if letter not in {"d", "p", "q"} or (rest and rest[0] not in "; \t\n}"):
        raise ValueError(rest)
    return _Command(first, second, negated, letter), rest


def _address(rest: str, *, extended: bool) -> tuple[Test | None, str]:
    found = _ADDRESS.match(rest)
    if not found:
        return None, rest
    after = rest[found.end() :]
    if found[2] is not None:
        desired = regex(found[2].replace(r"\/", "/"), extended=extended)
        return lambda _number, _last, line: bool(desired.search(line)), after
    if found[1] == "$":
        return lambda number, last, _line: number == last, after
    at = int(found[1][:9])
    return lambda number, _last, _line: number == at, after


def _substitution(rest: str) -> tuple[str, str, str, str]:
    delimiter = re.escape(rest[0])
    part = rf"((?:[^\\{delimiter}]|\\.)*)"
    found = re.match(rf"{delimiter}{part}{delimiter}{part}{delimiter}([gpiI]*)", rest, re.DOTALL)
    if not found:
        raise ValueError(rest)
    plain = rest[0]
    pattern = found[1].replace("\\" + plain, plain) if plain not in ".*[]^$" else found[1]
    return pattern, found[2].replace("\\" + plain, plain), found[3], rest[found.end() :]
