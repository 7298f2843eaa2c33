"""What nodes recorded of themselves, and what of that was active on two of them at once. Pure.

A recording has a line ten times a second; between two lines that say the same, nothing else is
assumed. So what was active is known to have been from the first line to the last one that says so,
a tenth of a second less than it may have been, and what is found here was so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

_COMPONENT_SECONDS = 2.0  # in which the members of a component hear of it, one after the other


@dataclass(frozen=True)
class NodeClock:
    """A node's clock on ours: what is added to its seconds, and how wrong that may be."""

    offset: float
    within: float


@dataclass(frozen=True)
class Span:
    """Something that was active on a node, in a component ("" where one instance is to be active).

    Times are seconds of our clock, exact but for `within`.
    """

    what: str
    node: str
    component: str
    first: float
    last: float
    within: float = 0.0


@dataclass(frozen=True)
class Recording:
    """What one node recorded: of each of its starts, from when to when."""

    node: str
    spans: tuple[Span, ...]
    times: Mapping[str, tuple[float, float]]  # by the start's line: the first and the last tick

    def last_of(self, boot: str) -> float | None:
        """Return when the last line was written after a start; None: there is none."""
        found = self.times.get(boot)
        return found[1] if found else None


def parse(node: str, text: str, clocks: Mapping[str, NodeClock]) -> Recording:
    """Return what a node recorded; `clocks` are its clock's, by the line of its start.

    A line that is damaged is none: power may go while one is written. What was recorded after a
    start whose clock was not compared is left out.
    """
    spans: list[Span] = []
    times: dict[str, tuple[float, float]] = {}
    held: dict[str, Span] = {}
    clock, boot = None, ""
    for line in text.splitlines():
        if line.startswith("{"):
            boot = _boot(line)
            clock = clocks.get(boot)
            spans += held.values()
            held = {}
        elif clock and (tick := _tick(line)):
            at = tick[0] + clock.offset
            times[boot] = (times.get(boot, (at, at))[0], at)
            now = dict(_held(node, at, tick[1], clock))
            spans += (old for name, old in held.items() if not _goes_on(old, now.get(name)))
            held = {
                name: replace(held[name], last=at) if _goes_on(held.get(name), new) else new
                for name, new in now.items()
            }
    return Recording(node, (*spans, *held.values()), times)


def _goes_on(old: Span | None, new: Span | None) -> bool:
    return old is not None and new is not None and old.component == new.component


def _boot(line: str) -> str:
    try:
        return str(json.loads(line)["boot"])
    except (ValueError, KeyError, TypeError):
        return ""


def _tick(line: str) -> tuple[float, list[str]] | None:
    first, *words = line.split() or [""]
    try:
        return float(first), words
    except ValueError:
        return None


def _held(
    node: str, at: float, words: Sequence[str], clock: NodeClock
) -> Iterator[tuple[str, Span]]:
    for word in words:
        what, _, component = word.partition("=")
        yield what, Span(what, node, component, at, at, clock.within)


@dataclass(frozen=True)
class ActiveTwice:
    """Something that was active on two nodes at once, from when, for how many seconds."""

    what: str
    nodes: tuple[str, str]
    at: float
    seconds: float

    def __str__(self) -> str:
        where = " and ".join(self.nodes)
        return f"{self.what} was active on {where} at once, for {self.seconds:.1f} s"


def active_twice(recordings: Iterable[Recording], caused: float) -> list[ActiveTwice]:
    """Return what was active on two nodes at once, beyond what clocks may be wrong by.

    Of what is active in components (a database), that is two components that both came about after
    the failure; a node that is cut off believes for a while in the one from before.
    """
    spans: dict[str, list[Span]] = {}
    for recording in recordings:
        for span in recording.spans:
            spans.setdefault(span.what, []).append(span)
    found = [
        ActiveTwice(what, (one.node, other.node), _begin(one, other), _length(one, other))
        for what, of in spans.items()
        for one, other in combinations(of, 2)
        if one.node != other.node and _conflict(one, other, _usual(of, caused))
    ]
    return sorted(found, key=lambda each: each.at)


def _usual(spans: Iterable[Span], caused: float) -> set[str]:
    """Return the components from before a failure."""
    return {span.component for span in spans if span.first <= caused and span.component}


def _conflict(one: Span, other: Span, usual: set[str]) -> bool:
    doubt = one.within + other.within
    if one.component or other.component:
        if one.component == other.component or {one.component, other.component} & usual:
            return False
        doubt += _COMPONENT_SECONDS
    return _length(one, other) > doubt


def _begin(one: Span, other: Span) -> float:
    return max(one.first, other.first)


def _length(one: Span, other: Span) -> float:
    return min(one.last, other.last) - _begin(one, other)
