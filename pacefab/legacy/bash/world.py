"""The world around all shells of a tree: files, conditions, and what is noted on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pacefab.legacy.bash.budget import Budget
from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.files import Files
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.masking import mask, masked_line
from pacefab.legacy.model import Call, CommandResult, Effects, Fate, Place, ReportLine
from pacefab.legacy.questions import Inquiry, Question, Unsaid, asked_text
from pacefab.legacy.source import Tree
from pacefab.legacy.unknown import Unknowns, is_known

_NOWHERE = Place("", 0)


@dataclass
class World:
    """What all shells of a tree share."""

    tree: Tree
    on_call: Callable[[Call], CommandResult]
    names: dict[str, str] = field(default_factory=dict)  # address -> node's name
    unknowns: Unknowns = field(default_factory=Unknowns)
    effects: Effects = field(default_factory=Effects)
    budget: Budget = field(default_factory=Budget)
    conditions: list[tuple[str, bool]] = field(default_factory=list)
    listings: dict[str, frozenset[str]] = field(default_factory=dict)  # ids by unknown output
    unseen: list[Place] = field(default_factory=list)  # where commands run that are not known
    # The first words of the cluster commands that ran, by file and line.
    executed: dict[tuple[str, int], list[list[str]]] = field(default_factory=dict)
    # Columns of the statements that were evaluated, by their line.
    visited: dict[Place, set[int]] = field(default_factory=dict)
    # Statements that were passed over with a known reason: file, first line, column, last line.
    passed: set[tuple[str, int, int, int]] = field(default_factory=set)
    nameless: dict[Place, None] = field(default_factory=dict)  # commands of an unknown name
    temporary: int = 0  # how many files mktemp made
    errors: int = 0  # how often something was printed as an error (>&2)
    functions: dict[str, str] = field(default_factory=dict)  # name -> text, of all there were
    consulted: dict[str, None] = field(default_factory=dict)  # unset names, see `resting`
    rested_on: dict[Place, dict[str, None]] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)  # scripts of the tree that were run
    entered: set[Place] = field(default_factory=set)  # bodies of functions that were called
    unset: dict[str, None] = field(default_factory=dict)  # names the present command found unset
    inquiry: Inquiry = field(default_factory=Inquiry)
    entry: str = ""  # the script that an operator started, and that runs now
    here: Place = _NOWHERE  # the statement that is evaluated
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of scripts, by path

    def __post_init__(self) -> None:
        self.files = Files(self.tree, self.unknowns, self.effects)

    def mark(self, reason: str) -> str:
        """Return a value that is unknown for this reason."""
        return self.unknowns.mark(reason)

    def ask_host(self) -> str:
        """Return the mark of the host where the scripts are started."""
        mark = self.mark("the name of the host where it is started")
        self.inquiry.ask(Question(Unsaid.HOST, self.entry, ""), self.here, mark)
        return mark

    def answered(self, place: Place, text: str, mark: str) -> str:
        """Return what an operator says that a text of a script comes to; else the mark."""
        text = asked_text(text)
        answer = self.inquiry.start.values.get((place.file, text))
        if answer is None and self._is_asked(mark):
            return mark
        self.inquiry.ask(Question(Unsaid.VALUE, place.file, text), place, mark)
        return mark if answer is None else answer

    def _is_asked(self, text: str) -> bool:
        """Return whether all that is unknown in a text stands for answers already."""
        rest = text
        for mark in self.inquiry.marks.values():
            rest = rest.replace(mark, "")
        return is_known(rest)

    def decided(self, place: Place, condition: str) -> int | None:
        """Return the status of a condition, where an operator says whether it holds."""
        condition = asked_text(condition)
        self.inquiry.ask(Question(Unsaid.CONDITION, place.file, condition), place)
        holds = self.inquiry.start.conditions.get((place.file, condition))
        return None if holds is None else int(not holds)

    def _note_what_decides(self, words: Sequence[str], place: Place) -> None:
        """Note of the questions that a cluster command hangs on that it does."""
        text = " ".join(words)
        found = [Question(Unsaid.VARIABLE, "", name) for name in self.unset]
        if not is_known(text):
            marks = self.inquiry.marks.items()
            found += [one for one, mark in marks if self.unknowns.reaches(mark, text)]
        conditions = {asked_text(condition) for condition, _ in self.conditions}
        found += [
            one for one in self.inquiry.asked
            if one.kind is Unsaid.CONDITION and one.name in conditions
        ]  # fmt: skip
        for question in found:
            shown = self.unknowns.brief(masked_line(words))
            self.inquiry.decide(question, f"{place}: {shown}")

    def note(self, fate: Fate, place: Place, text: str, reason: str, advice: str = "") -> None:
        """Put a line into the report, once."""
        entry = ReportLine(
            fate, place, self.unknowns.show(text), self.unknowns.show(reason), advice
        )
        self.effects.notes.setdefault(entry)

    def assume(self, sentence: str, place: Place) -> None:
        """Remember what is taken for granted, and where that began."""
        self.effects.assume(mask(self.unknowns.show(sentence)), place)

    @contextmanager
    def condition(self, text: str, *, excluded: bool = False) -> Iterator[None]:
        """Evaluate what runs only under an unknown condition."""
        self.conditions.append((self.unknowns.show(text), excluded))
        try:
            yield
        finally:
            self.conditions.pop()

    @contextmanager
    def resting(self, place: Place) -> Iterator[None]:
        """Evaluate a condition; note the names it asked for that nothing sets."""
        before, self.consulted = self.consulted, {}
        try:
            yield
        finally:
            if self.consulted:
                self.rested_on.setdefault(place, {}).update(self.consulted)
            self.consulted = before | self.consulted

    def pass_over(self, script: Script, nodes: Iterable[Node]) -> None:
        """Note that statements are not evaluated because they do not run."""
        for node in nodes:
            first = script.first_line + node.start_point.row
            last = script.first_line + node.end_point.row
            self.passed.add((script.file, first, node.start_point.column, last))

    def ran(self, words: Sequence[str], *places: Place) -> None:
        """Note that a cluster command ran: where it stands, and where what runs it was called."""
        for place in places:
            there = self.executed.setdefault((place.file, place.line), [])
            if (first := list(words[:6])) not in there:
                there.append(first)

    def pcs(self, arguments: list[str], place: Place, host: str) -> CommandResult:
        """Pass a pcs command to the replay."""
        self.budget.call()
        self._note_what_decides(["pcs", *arguments], place)
        text = "; ".join(dict.fromkeys(text for text, _ in self.conditions))
        excluded = any(rivals for _, rivals in self.conditions)
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

    def crm(
        self, arguments: tuple[str, ...], place: Place, host: str, *, file: str, replaces: bool,
        reads: str,
    ) -> CommandResult:  # fmt: skip
        """Pass a command of the crm shell to the replay; the last three are Call's."""
        self.budget.call()
        self._note_what_decides(["crm", *arguments], place)
        self.executed.setdefault((place.file, place.line), []).append(["crm", *arguments[:5]])
        text = "; ".join(dict.fromkeys(text for text, _ in self.conditions))
        excluded = any(rivals for _, rivals in self.conditions)
        return self.on_call(
            Call(arguments, place, host, text, excluded, "crm", file, replaces, reads)
        )

    def handed_on(self, command: Command, at: int) -> None:
        """Note a pcs command (from a word on) that a program gets which is not known."""
        words = " ".join(command.words[at:]).split()
        self.ran(words[words.index("pcs") if "pcs" in words else 0 :], command.place)
        self.note(
            Fate.UNTRANSLATED,
            command.place,
            command.text,
            f"it is passed to {command.name}: it is unknown whether that runs it",
            "add what the command does to the inventory by hand",
        )
