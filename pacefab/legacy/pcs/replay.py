"""Replay of pcs commands, one after the other, on a model of the cluster."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pacefab.legacy.cluster.book import Book, CommandText, Job, ReplayHandler
from pacefab.legacy.cluster.formation import formation_of
from pacefab.legacy.cluster.model import ReplayedCluster
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UndecidedError,
    UntranslatableError,
    no_such,
)
from pacefab.legacy.cluster.several import Several
from pacefab.legacy.masking import UNSEEN, is_secret, mask, masked_line
from pacefab.legacy.model import AssumedStatus, Call, CommandResult, Fate, ReportLine
from pacefab.legacy.pcs import cluster_commands, constraint, resource_commands
from pacefab.legacy.pcs.dialect import read_line
from pacefab.legacy.unknown import Unknowns, is_known

_NOUNS: dict[str, ReplayHandler] = {
    "resource": resource_commands.resource,
    "stonith": resource_commands.stonith,
    "constraint": constraint.constraint,
    "property": cluster_commands.properties,
    "cluster": cluster_commands.cluster,
    "node": cluster_commands.node,
    "status": cluster_commands.asks,
    "config": cluster_commands.configuration,
    "host": cluster_commands.host,
    "quorum": cluster_commands.quorum,
    "pcsd": cluster_commands.pcsd,
}
_NOT_OURS = {"acl", "alert", "tag", "ticket", "booth", "qdevice", "client", "dr"}
_TAKES_AWAY = {"delete", "remove", "disable", "destroy", "unset"}
_RUNS_NOTHING = {"delete", "remove", "disable", "destroy", "stop", "clear", "unset", "cleanup"}


@dataclass
class ReplayedCommand:
    """A command and what became of it.

    Args:
        call: the command.
        entry: its line of the report.
        number: its place among all commands.
        idle: it only queries, or had no effect.
        held: something was left of it when it had run.
        only_removes: it adds nothing to the cluster.
        file: the copy of the CIB that it changes.
        script: the one that an operator started.
    """

    call: Call
    entry: ReportLine
    number: int
    idle: bool
    only_removes: bool
    file: str = ""
    held: bool = True
    script: str = ""


class Replay(Book):
    """A book, and the commands that wrote it.

    Args:
        unknowns: the register of what is unknown.
        others: what carries out the commands of other programs than pcs, by their names.
        several: the clusters of the folder, when they are known before.
    """

    def __init__(
        self,
        unknowns: Unknowns,
        others: Mapping[str, Callable[[Job], ReplayOutcome]],
        several: Several | None = None,
    ) -> None:
        super().__init__()
        self.several = several or Several()
        self._turned: set[str] = set()  # scripts of which it is known whose they are, or reported
        self.clusters += [ReplayedCluster() for _ in self.several.members[1:]]
        self.unknowns = unknowns
        self._others = others
        self.done: list[ReplayedCommand] = []
        self.listings: dict[str, frozenset[str]] = {}  # what a listing has in it

    def call(self, call: Call) -> CommandResult:
        """Take a command in and answer it as pcs would."""
        number = len(self.done)
        call = replace(call, arguments=tuple(map(_without_secret, call.arguments)))
        line = _line(call)
        self._choose_cluster(call, line)
        text = mask(self.unknowns.show(masked_line([call.program, *call.arguments])))
        outcome = self._outcome(call, line, number)
        reason = outcome.reason
        if call.condition and outcome.fate is Fate.TRANSLATED:
            reason += f"; assumed to hold: {mask(call.condition)}"
        entry = ReportLine(
            outcome.fate, call.place, text, reason, outcome.advice, outcome.undecided
        )
        idle = outcome.fate is Fate.LEFT_OUT and not outcome.removes
        only = outcome.removes or bool(_RUNS_NOTHING & set(line.words[1:3]))
        there = self._target(line)
        held = outcome.fate is Fate.TRANSLATED and number in there.commands()
        command = ReplayedCommand(call, entry, number, idle, only, line.file, held, self.script)
        self.done.append(command)
        for name in {*call.arguments[1:4], line.options.get("--group", "")} if held else ():
            if name not in self.makers and there.find(name) is not None:
                self.makers[name] = self.script
        output = outcome.output
        if output is None:
            output = self.unknowns.mark(f"what {text} prints, at {call.place}")
            self.listings[output] = frozenset(self.cluster.ids())
        return CommandResult(outcome.status, output)

    def begin(self, script: str) -> None:
        """Begin a script that an operator starts."""
        self.script = script
        self.present = self.several.of_folder(script) or 0

    def _choose_cluster(self, call: Call, line: CommandText) -> None:
        """Turn to the cluster that a command changes: by its nodes, its host, or as before."""
        there = self.several.of_host(call.host)
        formation = formation_of(call.program, line, call.host, self.names)
        if formation is not None and not call.excluded:
            taken = self.several.take(formation, self.script, self.present)
            there = taken if taken is not None else there
        if there is None:
            self._doubt_cluster(call)
            return
        self._turned.add(self.script)
        self.clusters += [ReplayedCluster() for _ in range(there + 1 - len(self.clusters))]
        self.present = there

    def _doubt_cluster(self, call: Call) -> None:
        """Report, once for a script, that nothing says which of several clusters it changes."""
        several = self.several
        if len(several.members) < 2 or self.script in self._turned:  # noqa: PLR2004
            return
        self._turned.add(self.script)
        if several.of_folder(self.script) is None:
            self.unplaced.setdefault(self.script, call.place)
            nodes = ", ".join(sorted(several.members[self.present]))
            reason = f"nothing says which of the clusters it changes: taken for that of {nodes}"
            advice = "say it with --on HOST=SCRIPT, for a host of each cluster that it is for"
            note = ReportLine(Fate.DOUBTFUL, call.place, self.script, reason, advice)
            self.notes.setdefault(note)

    def taken_back(self, first: int, why: str) -> None:
        """Leave out all commands from a number on: their script is not part of a deployment."""
        for command in self.done[first:]:
            command.entry = replace(command.entry, fate=Fate.LEFT_OUT, reason=why, advice="")
            self.gone.pop(command.number, None)

    def _outcome(self, call: Call, line: CommandText, number: int) -> ReplayOutcome:
        job = Job(self, self._target(line), line, call, number)
        try:
            return self._handled(job, line, call)
        except RefusedCommandError as error:
            return ReplayOutcome(
                error.fate, f"{call.program} refuses it: {error}", error.advice, status=1
            )
        except NotUnderstoodError as error:
            return ReplayOutcome(
                Fate.DOUBTFUL,
                f"{call.program} does not accept this: {error}; it had no effect",
                "check what was intended",
                status=1,
            )
        except UntranslatableError as error:
            status = None if _only_asks(line) else AssumedStatus(0)
            undecided = isinstance(error, UndecidedError)
            return ReplayOutcome(
                Fate.UNTRANSLATED, str(error), error.advice, status=status, undecided=undecided
            )

    def _target(self, line: CommandText) -> ReplayedCluster:
        if not line.file:
            return self.cluster
        return self.copies.setdefault(line.file, copy.deepcopy(self.cluster))

    def _handled(self, job: Job, line: CommandText, call: Call) -> ReplayOutcome:
        if call.program in self._others:
            return self._others[call.program](job)
        if not line.words:
            return ReplayOutcome(Fate.LEFT_OUT, "it only prints help or a version")
        noun, *words = line.words
        if noun in _NOT_OURS:
            raise UntranslatableError(f"the inventory has nothing for pcs {noun}", _BY_HAND)
        handler = _NOUNS.get(noun)
        if handler is None:
            self._unknown_noun(noun)
        if not is_known(*call.arguments):
            self._not_known(call, job)
        if call.excluded and not _only_asks(line):
            raise UndecidedError(
                f"whether it runs is known only at run time: {call.condition}",
                "decide which branch applies to this cluster and add it by hand",
            )
        if call.condition and _TAKES_AWAY & set(words[:2]):
            raise UndecidedError(
                f"it removes something only if: {call.condition}",
                "decide whether to keep it",
            )
        assert handler is not None  # noqa: S101  # _unknown_noun raises
        return handler(job, words)

    def _unknown_noun(self, noun: str) -> None:
        if not is_known(noun):
            raise UndecidedError("the command is known only at run time", _BY_HAND)
        raise no_such("pcs", noun, [*_NOUNS, *_NOT_OURS])

    def _not_known(self, call: Call, job: Job) -> None:
        """Refuse a command with an unknown part."""
        reasons = self.unknowns.reasons(" ".join(call.arguments))
        words = job.line.words
        self.unknown_push |= words[:2] == ["cluster", "cib-push"]
        verbs = {"create", "clone", "master", "promotable"}
        if len(words) > 2 and words[1] in verbs and is_known(words[2]):  # noqa: PLR2004
            self.unclear[words[2]] = call.place
        elif len(words) > 2 and words[1] == "create":  # noqa: PLR2004
            self.unnamed.append(call.place)
        raise UndecidedError(
            "a value is known only at run time: " + "; ".join(reasons),
            cluster_commands.advice(words),
        )


def _without_secret(word: str) -> str:
    """Return a parameter without a secret that is not known: its value is written nowhere."""
    name, equals, value = word.partition("=")
    if equals and is_known(name) and not is_known(value) and is_secret(name):
        return f"{name}={UNSEEN}"
    return word


def _line(call: Call) -> CommandText:
    """Return the line of a call; of crm, the words are parted already."""
    if call.program == "pcs":
        return read_line(call.arguments)
    words, operands = list(call.arguments[:2]), list(call.arguments[2:])
    return CommandText(words, operands, {"-f": call.file} if call.file else {})


_BY_HAND = "check whether it is still needed; if so, keep a script of your own for it"


def _only_asks(line: CommandText) -> bool:
    """Return whether a command only queries, whatever the names in it are."""
    asks: tuple[list[str], ...] = (["show"], ["list"], ["config"], ["status"], ["describe"], [])
    return line.words[:1] in (["status"], ["config"]) or line.words[1:2] in asks
