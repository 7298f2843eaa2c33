"""Replay of pcs commands, one after the other, on a model of the cluster."""

from __future__ import annotations

import copy
import difflib
from dataclasses import dataclass, field, replace

from pacefab.legacy.masking import mask, masked_line
from pacefab.legacy.model import Call, CommandResult, Fate, Place, ReportLine
from pacefab.legacy.pcs import cluster_commands, constraint, resource_commands
from pacefab.legacy.pcs.cluster import ReplayedCluster, ReplayedConstraint
from pacefab.legacy.pcs.dialect import NotUnderstoodError, PcsLine, read_line
from pacefab.legacy.pcs.outcome import (
    Job,
    PcsHandler,
    RefusedByPcsError,
    ReplayOutcome,
    UntranslatableError,
)
from pacefab.legacy.unknown import Unknowns, is_known

_NOUNS: dict[str, PcsHandler] = {
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
    """A command, what became of it, and whether it only takes away."""

    call: Call
    entry: ReportLine
    number: int
    takes_away: bool
    file: str = ""


@dataclass
class Replay:
    """The cluster so far, and what became of each command."""

    unknowns: Unknowns
    cluster: ReplayedCluster = field(default_factory=ReplayedCluster)
    copies: dict[str, ReplayedCluster] = field(default_factory=dict)  # CIB files by name
    done: list[ReplayedCommand] = field(default_factory=list)
    pushed: set[str] = field(default_factory=set)
    notes: dict[ReportLine, None] = field(default_factory=dict)
    listings: dict[str, frozenset[str]] = field(default_factory=dict)  # what a listing has in it
    unclear: dict[str, Place] = field(default_factory=dict)  # ids that were not translated
    gone: dict[int, str] = field(default_factory=dict)  # number of a command -> what undid it
    lost: list[tuple[ReplayedConstraint, str]] = field(
        default_factory=list
    )  # deleted with a resource

    def call(self, call: Call) -> CommandResult:
        """Take a command in and answer it as pcs would."""
        number = len(self.done)
        line = read_line(call.arguments)
        text = mask(self.unknowns.show(masked_line(["pcs", *call.arguments])))
        outcome = self._outcome(call, line, number)
        reason = outcome.reason
        if call.condition and outcome.fate is Fate.TRANSLATED:
            reason += f"; assumed to hold: {mask(call.condition)}"
        entry = ReportLine(outcome.fate, call.place, text, reason, outcome.advice)
        away = outcome.fate is not Fate.TRANSLATED or bool(_RUNS_NOTHING & set(line.words[1:3]))
        self.done.append(ReplayedCommand(call, entry, number, away, line.file))
        output = outcome.output
        if output is None:
            output = self.unknowns.mark(f"what {text} prints, at {call.place}")
            self.listings[output] = frozenset(self.cluster.ids())
        return CommandResult(outcome.status, output)

    def taken_back(self, first: int, why: str) -> None:
        """Leave all commands from a number on out: their script is no part of a deployment."""
        for one in self.done[first:]:
            one.entry = replace(one.entry, fate=Fate.LEFT_OUT, reason=why, advice="")
            self.gone.pop(one.number, None)

    def _outcome(self, call: Call, line: PcsLine, number: int) -> ReplayOutcome:
        job = Job(self, self._target(line), line, call, number)
        try:
            return self._handled(job, line, call)
        except RefusedByPcsError as error:
            return ReplayOutcome(error.fate, f"pcs refuses it: {error}", error.advice, status=1)
        except NotUnderstoodError as error:
            return ReplayOutcome(
                Fate.DOUBTFUL,
                f"pcs does not take this: {error}; it did nothing",
                "see what was meant",
                status=1,
            )
        except UntranslatableError as error:
            return ReplayOutcome(Fate.UNTRANSLATED, str(error), error.advice)

    def _target(self, line: PcsLine) -> ReplayedCluster:
        if not line.file:
            return self.cluster
        return self.copies.setdefault(line.file, copy.deepcopy(self.cluster))

    def _handled(self, job: Job, line: PcsLine, call: Call) -> ReplayOutcome:
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
            raise UntranslatableError(
                f"whether it runs is known only at run time: {call.condition}",
                "decide which branch holds for this cluster and write it by hand",
            )
        if call.condition and _TAKES_AWAY & set(words[:2]):
            raise UntranslatableError(
                f"it takes something away only if: {call.condition}",
                "see whether it is to be there",
            )
        assert handler is not None  # noqa: S101  # _unknown_noun raises
        return handler(job, words)

    def _unknown_noun(self, noun: str) -> None:
        if not is_known(noun):
            raise UntranslatableError("which command it is, is known only at run time", _BY_HAND)
        close = difflib.get_close_matches(noun, [*_NOUNS, *_NOT_OURS], 1)
        meant = f": {close[0]}?" if close else ""
        raise NotUnderstoodError(f"there is no pcs {noun}{meant}")

    def _not_known(self, call: Call, job: Job) -> None:
        """Refuse a command with a part that nobody can know."""
        reasons = self.unknowns.reasons(" ".join(call.arguments))
        words = job.line.words
        verbs = {"create", "clone", "master", "promotable"}
        if len(words) > 2 and words[1] in verbs and is_known(words[2]):  # noqa: PLR2004
            self.unclear[words[2]] = call.place
        raise UntranslatableError(
            "a value is known only at run time: " + "; ".join(reasons),
            cluster_commands.advice(words),
        )


_BY_HAND = "see whether it is needed today, and keep a script of your own for it"


def _only_asks(line: PcsLine) -> bool:
    return line.words[:1] == ["status"] or line.words[1:2] in (["show"], ["list"], ["config"])
