"""The report lines of the commands that were replayed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from pacefab.legacy.draft.parts import Draft
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.pcs.replay import Replay, ReplayedCommand

_LACKING = re.compile(r"there is no (?:resource|group) ([^\s,]+) at this point")
_MADE = re.compile(
    r"\b(?:create|primitive|clone|group(?:[\s\"',]+add)?|--group)[\s\"',]+"
    r"((?:\{\{.*?\}\}|[^\s\"',])+)"
)
_FILLED_IN = re.compile(r"\{\{.*?\}\}|\$?\{\w+\}|\$\w+|<[^>]*>|@\w+@")
_WEIGHT = [Fate.TRANSLATED, Fate.UNTRANSLATED, Fate.DOUBTFUL, Fate.LEFT_OUT]


def replayed_entries(
    replay: Replay, drafts: Sequence[Draft], handed: AbstractSet[str]
) -> list[ReportLine]:
    """Return an entry for each command that ran, by what is left of it at the end.

    `handed`: words that other programs of the cluster were given, among them copies of the CIB.

    What the inventory has no place for is reported in the command's own entry when nothing else of
    the command is written, else in an entry of its own.
    """
    alive = {number for cluster in replay.clusters for number in cluster.commands()}
    problems = [problem for made in drafts for problem in made.problems]
    written = {number for made in drafts for number in made.written}
    failed = {by: entry for by, entry in problems if by not in written}
    entries = [_at_the_end(command, replay, alive, handed) for command in replay.done]
    if not any(made.data.get("nodes") for made in drafts):
        entries = [*map(_of_no_node, replay.done, entries)]
    for number, problem in failed.items():
        reported = {"fate": problem.fate, "reason": problem.reason, "advice": problem.advice}
        entries[number] = replace(entries[number], **reported)  # type: ignore[arg-type]
    return [*entries, *(entry for by, entry in problems if by in written)]


def _at_the_end(
    command: ReplayedCommand, replay: Replay, alive: set[int], handed: AbstractSet[str]
) -> ReportLine:
    if command.entry.fate is not Fate.TRANSLATED:
        return command.entry
    if command.file and command.file not in replay.pushed:
        if command.file in handed or replay.unknown_push:
            return replace(
                command.entry,
                fate=Fate.UNTRANSLATED,
                reason=f"whether the copy of the CIB that it changes, {command.file}, is put in "
                "place is not known",
                advice="if it is, add what the command does by hand",
            )
        why = f"it changes a copy of the CIB, {command.file}, that is never pushed"
        return replace(command.entry, fate=Fate.LEFT_OUT, reason=why)
    if command.held and command.number not in alive:
        why = replay.gone.get(command.number, "a later command replaces it")
        return replace(command.entry, fate=Fate.LEFT_OUT, reason=f"superseded: {why}")
    return command.entry


def _of_no_node(command: ReplayedCommand, entry: ReportLine) -> ReportLine:
    """Report where a crm shell reads its commands that they are of a cluster without nodes."""
    if not command.call.reads:
        return entry
    return replace(
        entry,
        fate=Fate.UNTRANSLATED,
        reason=f"{entry.reason}; it changes a cluster, without pcs, whose nodes no script names",
        advice="write the cluster's nodes below nodes: without them no inventory can be used",
    )


def lacking(entries: Sequence[ReportLine], others: Sequence[ReportLine]) -> Iterator[ReportLine]:
    """Yield entries, where a resource is said to be lacking, by what may create it after all.

    `others`: the entries of commands that were not evaluated.
    """
    makers = [(_pattern(name), one.place) for one in others if one.fate is Fate.UNTRANSLATED
              or "not started" in one.reason for name in _MADE.findall(one.text)]  # fmt: skip
    for entry in entries:
        found = _LACKING.search(entry.reason)
        name = found[1].removesuffix("-clone").removesuffix("-master") if found else ""
        place = next((place for made, place in makers if name and made.fullmatch(name)), None)
        if place is None:
            yield entry
            continue
        why = (
            f"there is no {name} in what was read; {place}, which was not evaluated, may create it"
        )
        advice = f"add both by hand, or migrate again with {place.file}"
        yield replace(entry, fate=Fate.UNTRANSLATED, reason=why, advice=advice)


def _pattern(name: str) -> re.Pattern[str]:
    """Return what matches the names that a text with something filled in may become."""
    return re.compile(".+".join(re.escape(part) for part in _FILLED_IN.split(name)))


def collapsed(entries: list[ReportLine]) -> list[ReportLine]:
    """Return one entry for a command that ran on several nodes: the most that it became."""
    best: dict[tuple[Place, str], ReportLine] = {}
    for entry in entries:
        before = best.setdefault((entry.place, entry.text), entry)
        if _WEIGHT.index(entry.fate) < _WEIGHT.index(before.fate):
            best[entry.place, entry.text] = entry
    return list(best.values())
