"""Whether a cluster is in its old state, in its new one, or in neither. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from pacefab.harness.campaign.snapshot import NodeSnapshot, Snapshot

_SHOWN: Final = 6
"""Differences that a sentence about a node names."""


class StateKind(StrEnum):
    """Where files, packages and configuration stand, all of them together."""

    OLD = "old"
    NEW = "new"
    MIXED = "mixed"  # some old and some new
    OTHER = "other"  # something that is neither


@dataclass(frozen=True)
class Judgement:
    """Where a cluster stands; `why` says of a mixed one what stands where."""

    standing: StateKind
    why: tuple[str, ...] = ()


def judge(now: Snapshot, old: Snapshot, new: Snapshot) -> Judgement:
    """Return where the nodes that were looked at stand, by what they were before and after."""
    places = {
        f"{node}: {part}": _place(found, before, after)
        for node, seen in now.items()
        for part, found, before, after in _parts(seen, old[node], new[node])
    }
    kinds = {place for place in places.values() if place}
    if StateKind.OTHER in kinds:
        others = [node for node in now if any(_others(places, node))]
        why = [line for node in others for line in differences(now[node], old[node], new[node])]
        return Judgement(StateKind.OTHER, tuple(why))
    if len(kinds) > 1:
        return Judgement(StateKind.MIXED, tuple(f"{k} {v}" for k, v in places.items() if v))
    return Judgement(kinds.pop() if kinds else StateKind.NEW)


def _others(places: Mapping[str, StateKind | None], node: str) -> Iterator[str]:
    for what, place in places.items():
        if what.startswith(f"{node}: ") and place is StateKind.OTHER:
            yield what


def _parts(
    now: NodeSnapshot, old: NodeSnapshot, new: NodeSnapshot
) -> Iterator[tuple[str, object, object, object]]:
    """Yield each part of a node's state as it is, was before and is to be after.

    Files are judged one by one: a node whose files are some old, some new is no whole node.
    """
    for path in sorted(old.files.keys() | new.files.keys() | now.files.keys()):
        states = (now.files.get(path), old.files.get(path), new.files.get(path))
        if len(set(states)) > 1:
            yield path, *states
    yield "packages", now.packages, old.packages, new.packages
    yield "CIB", now.cib, old.cib, new.cib


def _place(now: object, old: object, new: object) -> StateKind | None:
    """Return where one part stands; None: it is the same before and after."""
    if now == old == new:
        return None
    return StateKind.OLD if now == old else StateKind.NEW if now == new else StateKind.OTHER


def differences(now: NodeSnapshot, *known: NodeSnapshot) -> list[str]:
    """Return what a node has that it had in none of the known states, and what it lacks of all."""
    found = []
    for path in sorted({p for node in (now, *known) for p in node.files}):
        states = [node.files.get(path) for node in known]
        if now.files.get(path) not in states:
            found.append(f"{path} is {now.files.get(path) or 'not there'}, not {states[-1]}")
    if now.packages not in [node.packages for node in known]:
        found.append(f"packages {', '.join(now.packages) or 'none'}")
    if now.cib not in [node.cib for node in known]:
        last = known[-1].cib
        found += [f"CIB has {line}" for line in now.cib if line not in last]
        found += [f"CIB lacks {line}" for line in last if line not in now.cib]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return [*islice(found, _SHOWN), *more]


def wrongs(now: Snapshot, desired: Snapshot) -> list[str]:
    """Return how nodes differ from what they should be in the end, units included."""
    found: dict[str, list[str]] = {}
    for node, seen in now.items():
        lines = differences(seen, desired[node])
        if seen.units != desired[node].units:
            lines.append(f"units {_said(seen.units)}, not {_said(desired[node].units)}")
        for line in lines:
            found.setdefault(line, []).append(node)
    return [f"{', '.join(nodes)}: {line}" for line, nodes in found.items()]


def leftovers(now: Snapshot, known: Snapshot) -> list[str]:
    """Return what was left on nodes: all but what a run that nothing disturbs leaves, too."""
    return [
        f"{node}: {line}"
        for node, seen in now.items()
        for line in (*seen.leftovers, *(f"{entry} is called begun" for entry in seen.begun))
        if line not in known[node].leftovers
    ]


def _said(lines: Sequence[str]) -> str:
    return ", ".join(line.strip() for line in lines)


def acceptable(judgement: Judgement, *, named: bool) -> bool:
    """Whether a state may be left behind: old, or new, or status calls it unfinished."""
    return named or judgement.standing in {StateKind.OLD, StateKind.NEW}
