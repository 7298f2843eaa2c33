"""What a shell knows while it is evaluated, and the world around all shells of a tree."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from pacefab.legacy.bash.budget import Budget, bounded
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.masking import masked_line
from pacefab.legacy.model import Call, CommandResult, Effects, Fate, Place, ReportLine, WrittenFile
from pacefab.legacy.source import Tree
from pacefab.legacy.unknown import CLOSE, Unknowns, is_known

_HANDED = re.compile(rb"\$\{?[@*1-9]")
FOREIGN = ("UID", "EUID", "PPID", "RANDOM", "SECONDS", "LANG", "TERM", "OLDPWD", "SSH_CONNECTION")


class Signal(Exception):  # noqa: N818  # no error: what the script itself asks for
    """Statements are left; `output` is what they printed before."""

    output = ""


class ExitSignal(Signal):
    """The script ends; its only argument is the status."""


class ReturnSignal(Signal):
    """The function ends; its only argument is the status."""


class LoopSignal(Signal):
    """`break` or `continue`: its arguments are which, and how many loops are left to leave."""


@dataclass(frozen=True)
class Text:
    """A text file as scripts made it: what is in it and where that stands."""

    text: str
    place: Place


@dataclass
class Shell:
    """One shell: its variables, functions and arguments, and the host it runs on."""

    host: str = ""  # empty: where the scripts are started
    variables: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, dict[str, str]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)  # arrays whose indices are texts
    functions: dict[str, tuple[Node, Script]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    arguments: list[str] = field(default_factory=list)
    name: str = "bash"
    status: int | None = 0
    stdin: list[str] | None = None  # lines left to read; None: a terminal's
    stdin_place: Place | None = None  # where the text of stdin stands in the tree
    foreign: str = ""  # a sourced file that nobody has: where unset variables may come from
    at_exit: tuple[str, Place] | None = None  # what `trap … EXIT` runs, and where it stands
    by_hand: bool = False  # started by an operator, whose arguments are not known
    locals: list[dict[str, str | None]] = field(default_factory=list)
    called_from: list[Place] = field(default_factory=list)  # the running functions' callers
    running: list[str] = field(default_factory=list)  # and their names

    def fork(self) -> Shell:
        """Return a subshell: it has all that this one has, and changes nothing here."""
        twin = copy.copy(self)
        twin.variables = dict(self.variables)
        twin.arrays = {name: dict(items) for name, items in self.arrays.items()}
        twin.functions = dict(self.functions)
        twin.named, twin.exported = set(self.named), set(self.exported)
        twin.arguments, twin.locals = list(self.arguments), []
        twin.at_exit = None
        return twin

    def set(self, name: str, value: str) -> None:
        """Assign a variable, or NAME[INDEX]."""
        bounded(value)
        base, bracket, index = name.partition("[")
        if bracket:
            self.arrays.setdefault(base, {})[index.removesuffix("]")] = value
        elif name in self.arrays:
            self.arrays[name]["0"] = value
        else:
            self.variables[name] = value

    def declare_local(self, name: str) -> None:
        """Make a variable the running function's own."""
        if self.locals and name not in self.locals[-1]:
            self.locals[-1][name] = self.variables.get(name)

    def leave_function(self) -> None:
        """Give the variables back that the function had for its own."""
        for name, value in self.locals.pop().items():
            if value is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value


@dataclass(frozen=True)
class Command:
    """A simple command, expanded.

    `words` begin with its name; `nodes` are those words in the script (none for words that come
    from elsewhere); `text` is what it reads, None: a terminal.
    """

    words: list[str]
    place: Place
    nodes: tuple[Node, ...] = ()
    caller: Place | None = None  # of the function that it stands in

    @property
    def name(self) -> str:
        """The program's name, without its folder."""
        return self.words[0].rpartition("/")[2]

    @property
    def arguments(self) -> list[str]:
        """The words after the name."""
        return self.words[1:]

    @property
    def text(self) -> str:
        """The command as one line, secrets masked."""
        return masked_line(self.words)

    def place_of(self, at: int) -> Place:
        """Return the line of a word; of a word that stands nowhere, the command's.

        What a function was handed ($1, "$@") stands where it was called.
        """
        if at >= len(self.nodes):
            return self.place
        source = self.nodes[at].text or b""
        if self.caller is not None and _HANDED.search(source) and b"pcs" not in source:
            return self.caller
        rows = self.nodes[at].start_point.row - self.nodes[0].start_point.row
        return Place(self.place.file, self.place.line + rows)

    def after(self, count: int) -> Command:
        """Return the command without its first words."""
        return Command(self.words[count:], self.place_of(count), self.nodes[count:], self.caller)


class Runner(Protocol):
    """What commands may ask of the evaluation that runs them."""

    @property
    def shell(self) -> Shell:
        """The shell that the command runs in."""

    @property
    def world(self) -> World:
        """The world around all shells."""

    def run(self, command: Command) -> CommandResult:
        """Run a command in this shell."""

    def start(self, script: Script, shell: Shell) -> CommandResult:
        """Run a script in a shell, to its end or exit."""

    def source(self, script: Script) -> CommandResult:
        """Run a script in this shell."""


@dataclass
class World:
    """What all shells of a tree share."""

    tree: Tree
    on_call: Callable[[Call], CommandResult]
    names: dict[str, str] = field(default_factory=dict)  # address -> node's name
    unknowns: Unknowns = field(default_factory=Unknowns)
    effects: Effects = field(default_factory=Effects)
    budget: Budget = field(default_factory=Budget)
    written: dict[str, Text] = field(default_factory=dict)  # by path
    named: dict[str, str] = field(default_factory=dict)  # the last path of a file's name
    conditions: list[tuple[str, bool]] = field(default_factory=list)
    listings: dict[str, frozenset[str]] = field(default_factory=dict)  # ids by unknown output
    # The first words of the pcs commands that ran, by file and line.
    executed: dict[tuple[str, int], list[list[str]]] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)  # scripts of the tree that were run
    entered: set[Place] = field(default_factory=set)  # bodies of functions that were called
    unset: dict[str, None] = field(default_factory=dict)  # names the present command found unset

    def mark(self, reason: str) -> str:
        """Return a value that is unknown for this reason."""
        return self.unknowns.mark(reason)

    def note(self, fate: Fate, place: Place, text: str, reason: str, advice: str = "") -> None:
        """Put a line into the report, once."""
        entry = ReportLine(
            fate, place, self.unknowns.show(text), self.unknowns.show(reason), advice
        )
        self.effects.notes.setdefault(entry)

    def assume(self, sentence: str, place: Place) -> None:
        """Remember what is taken for granted, and where that began."""
        self.effects.assumptions.setdefault(self.unknowns.show(sentence), place)

    @contextmanager
    def condition(self, text: str, *, excluded: bool = False) -> Iterator[None]:
        """Evaluate what runs only under a condition that nobody can know before."""
        self.conditions.append((self.unknowns.show(text), excluded))
        try:
            yield
        finally:
            self.conditions.pop()

    def pcs(self, arguments: list[str], place: Place, host: str) -> CommandResult:
        """Hand a pcs command to whoever replays them."""
        self.budget.call()
        ran = self.executed.setdefault((place.file, place.line), [])
        if arguments[:4] not in ran:
            ran.append(arguments[:4])
        text = "; ".join(dict.fromkeys(text for text, _ in self.conditions))
        excluded = any(one for _, one in self.conditions)
        answer = self.on_call(Call(tuple(arguments), place, host, text, excluded))
        if self.unset:
            names = ", ".join(f"${name}" for name in self.unset)
            self.note(
                Fate.DOUBTFUL,
                place,
                masked_line(["pcs", *arguments]),
                f"{names} is empty here: nothing sets it before",
            )
        return answer

    def handed_on(self, command: Command, at: int) -> None:
        """Note a pcs command (from a word on) that a program gets which is not known."""
        ran = self.executed.setdefault((command.place.file, command.place.line), [])
        ran.append(command.words[at + 1 :][:4])
        self.note(
            Fate.UNTRANSLATED,
            command.place,
            command.text,
            f"it is handed to {command.name}: whether that runs it is not known",
            "run the command's meaning by hand: write it into the inventory",
        )

    def write(
        self,
        path: str,
        text: str,
        host: str,
        place: Place,
        *,
        append: bool,
        first: Place | None = None,
    ) -> None:
        """Remember a file that a script writes; `first`: where its text begins."""
        if path in {"/dev/null", "/dev/stderr", "/dev/stdout", "/dev/tty"} or not path:
            return
        how = "appended" if append else "written"
        shown = WrittenFile(self.unknowns.show(path), host, place, how)
        self.effects.files.setdefault(shown)
        before = self.written.get(path) if append else None
        if append and before is None:
            text = self.mark(f"what {path} had before") + "\n" + text
        text = bounded(before.text + text) if before else text
        self.keep(path, Text(text, before.place if before else first or place))

    def keep(self, path: str, text: Text) -> None:
        """Remember what is in a file."""
        self.written[path] = text
        self.named[path.rpartition("/")[2]] = path

    def read(self, path: str) -> Text | None:
        """Return a file that scripts wrote or the tree has, by its path or else its name.

        Of a path that begins with something unknown, the known end has to be one file's alone.
        """
        if not is_known(path):
            return self._read_by_end(path)
        if path in self.written:
            return self.written[path]
        file = self.tree.find(path)
        if file:
            return Text(file.text, Place(file.path, 1))
        return self.written.get(self.named.get(path.rpartition("/")[2], ""))

    def _read_by_end(self, path: str) -> Text | None:
        tail = path.rpartition(CLOSE)[2]
        file = self.tree.ending(tail) if tail.startswith("/") else None
        if file is None:
            return None
        self.assume(f"{path} is {file.path} of the folder", Place(file.path, 1))
        return Text(file.text, Place(file.path, 1))

    def exists(self, path: str) -> bool | None:
        """Tell whether a file is there: what scripts wrote and the folder has; else, who knows."""
        here = path.removeprefix("/root/").removeprefix("./")
        return True if path in self.written or here in self.tree.files else None
