"""Pages and their console blocks: read, run again, compared; pure but for what runs commands.

A page with console blocks begins with `<!-- cluster: STATE -->`, STATE being one of `STATES`, and
has fenced blocks of the language `console`, in which a line `$ COMMAND` is followed by what the
command printed. The blocks of a page run in order, on one cluster of its own. Comments say more:

- `<!-- run: COMMAND -->` runs a command that the page does not show.
- `<!-- exit: N -->` before a block: its last command ends with this exit status, not with 0.
- `<!-- show: HEAD TAIL -->` before a block: only these first and last lines of each output.

A fenced block with a line `:caption: FILE` is written into that file before what follows it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

STATES = {
    "none": (),
    "hosts": (),
    "remotes": (),
    "bare": (),
    "fenced": (),
    "installed": ("install-memcached",),
    "serving": ("install-memcached", "create-memcached"),
}
"""What a page finds, and the tasks that make it; `hosts` and `remotes` are in no cluster."""

_CUT = "…"
_COMMENT = re.compile(r"<!-- (cluster|run|exit|show): (.+) -->")
_FENCE = re.compile(r"(`{3,})(.*)")
_CAPTION = ":caption: "


@dataclass
class Command:
    """A command of a block, and the lines that it printed."""

    text: str
    output: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """A console block of a page."""

    commands: tuple[Command, ...]
    status: int = 0  # of the last command
    shown: tuple[int, int] | None = None  # first and last lines; None: all

    def render(self) -> list[str]:
        """Return the lines between the fences."""
        return [line for each in self.commands for line in (f"$ {each.text}", *each.output)]

    def shortened(self) -> Block:
        """Return what a page shows of the block."""
        cut = (Command(each.text, self._cut(each.output)) for each in self.commands)
        return Block(tuple(cut), self.status, self.shown)

    def _cut(self, output: list[str]) -> list[str]:
        if self.shown is None or len(output) <= sum(self.shown):
            return output
        head, tail = self.shown
        return [*output[:head], _CUT, *output[len(output) - tail :]]


@dataclass(frozen=True)
class File:
    """A file that a page shows, and its commands find."""

    path: str
    text: str


@dataclass(frozen=True)
class Hidden:
    """A command that a page does not show."""

    text: str


Part = str | Block | File | Hidden


@dataclass(frozen=True)
class Page:
    """A page as its parts, in order; text that stays as it is are lines."""

    state: str
    parts: tuple[Part, ...]

    def render(self) -> str:
        """Return the page's text."""
        return "".join(f"{line}\n" for part in self.parts for line in _lines(part))


def parse(text: str) -> Page:
    """Return a page as its parts.

    Raises:
        ValueError: a comment or a block is not as the module's docstring says.
    """
    state, parts = "", list[Part]()
    settings: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        parts.append(line)
        if said := _COMMENT.fullmatch(line):
            key, value = said.groups()
            if key == "cluster":
                state = value
            elif key == "run":
                parts.append(Hidden(value))
            else:
                settings[key] = value
        elif opened := _FENCE.fullmatch(line):
            fence, language = opened.groups()
            body = list(_until(lines, fence))
            if language == "console":
                parts.append(_block(body, settings))
                settings = {}
            else:
                parts += body
                parts += _captioned(body)
            parts.append(fence)
    if state not in STATES and any(isinstance(part, Block) for part in parts):
        raise ValueError(f"the page names no cluster of {', '.join(STATES)}")
    return Page(state, tuple(parts))


def _until(lines: Iterator[str], fence: str) -> Iterator[str]:
    for line in lines:
        if line == fence:
            return
        yield line
    raise ValueError(f"a block is not closed: {fence}")


def _captioned(body: Sequence[str]) -> list[Part]:
    options = [line for line in body if line.startswith(_CAPTION)]
    if not options:
        return []
    text = "".join(f"{line}\n" for line in body if not line.startswith(":")).lstrip("\n")
    return [File(options[0].removeprefix(_CAPTION), text)]


def _block(body: Sequence[str], settings: dict[str, str]) -> Block:
    commands: list[Command] = []
    for line in body:
        if line.startswith("$ "):
            commands.append(Command(line.removeprefix("$ ")))
        elif not commands:
            raise ValueError(f"a console block begins with a command, not with {line!r}")
        else:
            commands[-1].output.append(line)
    shown = None
    if "show" in settings:
        head, tail = map(int, settings["show"].split())
        shown = (head, tail)
    return Block(tuple(commands), int(settings.get("exit", "0")), shown)


def _lines(part: Part) -> Sequence[str]:
    match part:
        case str():
            return [part]
        case Block():
            return part.render()
        case _:
            return []


_VARYING: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( UTC|Z|\+00:00)?"), "TIME"),
    (re.compile(r"\b\d{8}T\d{6}\.\d+Z"), "TIME"),
    (re.compile(r"\b[0-9a-f]{12,}\b"), "HEX"),
    (re.compile(r"\w+@[\w.-]+"), "USER"),
    (re.compile(r"\d+(?:[.:/-]\d+)*"), "#"),
    (re.compile(r"[─-]{2,}"), "--"),
    (re.compile(r"\s+"), " "),
)


def shape(lines: Sequence[str]) -> list[str]:
    """Return what has to be the same in every run: without figures, times and order.

    Hosts finish in any order, so the lines are sorted.
    """
    return sorted(_shape(line) for line in lines if line.strip())


def is_progress(line: str) -> bool:
    """Whether a line says what is under way: there are as many as there was time for."""
    return line.startswith(f"{_CUT} ")


def _shape(line: str) -> str:
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line.strip()


def differences(block: Block, found: Block) -> list[str]:
    """Return the lines of one block that the other one lacks, with their signs, by shape."""
    lines = []
    for then, now in zip(block.commands, found.commands, strict=True):
        shown, printed = shape(then.output), shape(now.output)
        cut = _CUT in then.output
        lines += [f"- {line}" for line in shown if line not in printed and line != _CUT]
        lines += [f"+ {line}" for line in printed if line not in shown and not cut]
    return lines


Run = Callable[[str], tuple[int, list[str]]]


def rerun(block: Block, run: Run) -> Block:
    """Run a block's commands again; lines of progress are left out.

    Raises:
        ValueError: one ends with another exit status than the page says.
    """
    made = []
    for place, command in enumerate(block.commands, 1):
        status, output = run(command.text)
        expected = block.status if place == len(block.commands) else 0
        if status != expected:
            printed = "\n".join(output)
            raise ValueError(f"$ {command.text}\n{printed}\nexit {status}, not {expected}")
        made.append(Command(command.text, [line for line in output if not is_progress(line)]))
    return Block(tuple(made), block.status, block.shown)
