"""The command crm: its arguments, files and input are commands of its shell, replayed in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.crm.shell import (
    CrmSession,
    CrmStatement,
    CrmUnreadable,
    line_of,
    logical_lines,
)
from pacefab.legacy.masking import masked_line
from pacefab.legacy.model import CommandResult, Fate, Place
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.unknown import is_known, nothing_known

_OPTIONS = Syntax(
    "f c D H o X scriptdir",
    long={
        "file": "f", "cib": "c", "display": "D", "history": "H", "opt": "o", "force": "F",
        "no": "n", "wait": "w", "debug": "d", "help": "h",
    },
)  # fmt: skip
_INPUT = {"-", "/dev/stdin", "/dev/fd/0"}
# A file that is loaded may have its parts in any order.
_RANKS = (
    ("node", "property", "rsc_template"),
    ("primitive",),
    ("group",),
    ("clone", "ms", "master"),
)


def crm(interpreter: Interpreter, command: Command) -> CommandResult:
    """Replay the command of the arguments, or those that are read from a file or piped in."""
    options = split_options(command.arguments, _OPTIONS)
    world = interpreter.world
    for place in (command.place, *interpreter.shell.called_from):
        ran = world.executed.setdefault((place.file, place.line), [])
        ran.append(["crm", *command.arguments[:5]])
    if {"h", "version"} & options.names:
        return CommandResult(0, world.mark(f"what {command.text} prints"))
    process = _CrmProcess(interpreter, command, options.value("c"))
    if options.operands:
        process.line(line_of(options.operands), 0, _place(command, 1 + options.first))
        if not process.waits:
            return process.answer
    file = options.value("f") or "-"
    if file in _INPUT:
        process.read_input()
    else:
        process.read_file(file)
    return process.answer


def _place(command: Command, first: int) -> Place:
    """Return where a command stands: the words of a wrapper, where that is called."""
    handed = command.place_of(first)
    return handed if handed == command.caller else command.place_of(0)


def cluster_script(interpreter: Interpreter, command: Command) -> CommandResult:
    """Replay ha-cluster-init and ha-cluster-join, older names of `crm cluster init` and `join`."""
    verb = command.name.rpartition("-")[2]
    words = ["crm", "cluster", verb, *command.arguments]
    return crm(interpreter, replace(command, words=words, nodes=command.nodes[:1]))


class _CrmProcess:
    """One process of crm.

    Args:
        interpreter: of the script that starts it.
        command: what starts it.
        file: the shadow CIB that it works on; empty: the cluster's.
    """

    def __init__(self, interpreter: Interpreter, command: Command, file: str) -> None:
        self._interpreter = interpreter
        self._world = interpreter.world
        self._command = command
        self._file = file
        self._session = CrmSession()
        self.answer = CommandResult()

    @property
    def waits(self) -> bool:
        """Whether it is on a level and reads on."""
        return bool(self._session.level) and not self._session.ended

    def read_input(self) -> None:
        """Replay what is piped in, as far as it is known."""
        stdin = self._interpreter.shell.stdin
        if stdin is None:
            self._note(Fate.LEFT_OUT, "it waits for an operator's input: nothing is read here")
            return
        self._text("\n".join(stdin), self._interpreter.shell.stdin_place, "its input")
        self._interpreter.shell.stdin = []

    def read_file(self, path: str) -> None:
        """Replay a file of commands (-f FILE)."""
        found = self._interpreter.file(path)
        if found is None:
            self._note(
                Fate.UNTRANSLATED,
                f"it reads commands from {path}, which is not in the folder",
                "add the file to the folder and migrate again, or write what it does by hand",
            )
            self._world.unseen.append(self._command.place)
        else:
            self._text(found.text, found.place, path)

    def _text(self, text: str, place: Place | None, what: str) -> None:
        if nothing_known(text):
            reasons = "; ".join(self._world.unknowns.reasons(text))
            why = f"what it reads is known only at run time: {reasons}"
            self._note(Fate.UNTRANSLATED, why, "add what the commands do by hand")
            self._world.unseen.append(self._command.place)
            return
        self._call(tuple(self._command.arguments), self._command.place, reads=what)
        places = self._places(text, place)
        for number, line in logical_lines(text):
            if self._session.ended:
                break
            self.line(line, number, places[number])

    def line(self, line: str, number: int, place: Place) -> None:
        """Replay one line; its number in its text, and where it stands."""
        self._world.budget.step()
        read = self._session.read(line, number)
        if isinstance(read, CrmUnreadable):
            self._unreadable(read, place)
        elif read is not None:
            self._statement(read, place)

    def _places(self, text: str, place: Place | None) -> list[Place]:
        """Return where the lines of a text stand that begins at a place; without one, here.

        In a here document, bash has joined lines that end with a backslash.
        """
        lines = text.split("\n")
        place = place or self._origin(text)
        if place is None:
            return [self._command.place] * len(lines)
        file = self._world.tree.files.get(place.file)
        source = file.text.split("\n") if file else []
        places, row = list[Place](), place.line
        for line in lines:
            places.append(Place(place.file, row))
            while not line.endswith("\\") and source[row - 1 : row] and _goes_on(source[row - 1]):
                row += 1
            row += 1
        return places

    def _origin(self, text: str) -> Place | None:
        """Return where a text stands that came through a pipe: in a file that has just this."""
        files = self._world.tree.files.values()
        known = [(one.text, Place(one.path, 1)) for one in files]
        known += [(one.text, one.place) for one in self._world.files.written.values()]
        near = [(other, place) for other, place in known if abs(len(other) - len(text)) <= 1]
        same = (place for other, place in near if other.rstrip("\n") == text.rstrip("\n"))
        return next(same, None) if text.strip() else None

    def _statement(self, statement: CrmStatement, place: Place) -> None:
        if (statement.level, statement.name) == ("configure", "load"):
            self._load(statement, place)
            return
        self._call(statement.arguments, place)
        if statement.level == "cib" and statement.name in {"new", "use"}:
            file = statement.words[0] if statement.words else ""
            self._file = "" if file == "live" else file

    def _load(self, statement: CrmStatement, place: Place) -> None:
        """Replay `configure load METHOD FILE` and what is in the file."""
        method, path = (*statement.words, "", "")[:2]
        found = self._source(path) if method != "xml" else ("", None)
        if found is None or nothing_known(found[0]):
            why = "is not in the folder" if found is None else "is known only at run time"
            self._world.note(
                Fate.UNTRANSLATED,
                place,
                " ".join(["crm", *statement.arguments]),
                f"it loads {path}, which {why}",
                "add the file to the folder and migrate again, or write what is in it by hand",
            )
            self._world.unseen.append(place)
            self.answer = CommandResult(None)
            return
        self._call(statement.arguments, place)
        places = self._places(*found)
        for one in sorted(self._loaded(found[0], places), key=lambda one: _rank(one.name)):
            self._call(one.arguments, places[one.line], replaces=method == "update")

    def _source(self, path: str) -> tuple[str, Place | None] | None:
        """Return a file's text, or what is piped in, and where it stands."""
        shell = self._interpreter.shell
        if path in _INPUT and shell.stdin is not None:
            lines, shell.stdin = shell.stdin, []
            return "\n".join(lines), shell.stdin_place
        found = self._interpreter.file(path)
        return (found.text, found.place) if found else None

    def _loaded(self, text: str, places: list[Place]) -> Iterator[CrmStatement]:
        """Yield what a file has that is loaded."""
        for number, line in logical_lines(text):
            self._world.budget.step()
            session = CrmSession()
            session.read("configure", 0)
            read = session.read(line, number)
            if isinstance(read, CrmUnreadable):
                self._unreadable(read, places[number])
            elif read is not None:
                yield read

    def _call(
        self, arguments: tuple[str, ...], place: Place, *, replaces: bool = False, reads: str = ""
    ) -> None:
        host = self._interpreter.shell.host
        answer = self._world.crm(
            arguments, place, host, file=self._file, replaces=replaces, reads=reads
        )
        if not reads:
            self.answer = answer

    def _unreadable(self, read: CrmUnreadable, place: Place) -> None:
        self.answer = CommandResult(1)
        text = masked_line(["crm", *read.text.split()])
        if is_known(read.text):
            why = f"crm does not accept this: {read.why}; it had no effect"
            self._world.note(Fate.DOUBTFUL, place, text, why, "check what was intended")
        else:
            why = "; ".join(self._world.unknowns.reasons(read.text))
            self._world.note(
                Fate.UNTRANSLATED, place, text,
                f"what it does is known only at run time: {why}", "add what it does by hand",
            )  # fmt: skip
            self.answer = CommandResult(None)

    def _note(self, fate: Fate, reason: str, advice: str = "") -> None:
        self._world.note(fate, self._command.place, self._command.text, reason, advice)
        self.answer = CommandResult(None)


def _goes_on(line: str) -> bool:
    """Return whether bash joins a line of a here document with the next one."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _rank(name: str) -> int:
    return next((rank for rank, names in enumerate(_RANKS) if name in names), len(_RANKS))
