"""Where a drill's curves leave what is usual, and what happened shortly before. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

_RATIO_DROP = 0.05  # below what it was before the failure
_RATE_SHARE = 0.25  # of the usual operations per window
_STALL_SHARE = 0.5  # of the slowest that is allowed
_GAP_SECONDS = 1.0  # of usual values, within one dip
_LATE_SECONDS = 0.5  # the cluster is asked less often than clients call
_EARLY_SECONDS = 2.0  # an event so long before a dip may be its cause
_BACK = "answers again"
_USUAL_DEAD_SECONDS = 10.0  # where the load's options do not say when clients come back


_Text = Callable[[Sequence[int]], str]


@dataclass(frozen=True)
class Dip:
    """A part of a curve that is not as usual; seconds from the failure.

    `panel` is the chart's that shows it, `event` the place of the one that explains it in the
    drill's list; None: nothing happened in the cluster shortly before.
    """

    panel: int
    first: float
    last: float
    text: str
    event: int | None
    returns: bool = False  # the event is that a node answers again, which clients come back to

    @property
    def letter_seconds(self) -> float:
        """Where its letter stands."""
        return (self.first + self.last) / 2 if self.last - self.first < _GAP_SECONDS else self.first


def find_dips(drill: Mapping[str, Any], load: Mapping[str, Any], stall: float) -> list[Dip]:
    """Return the dips of a drill of `report.drill.to_data`, in their order.

    `stall` is the longest that an operation may take by the objectives, in seconds.
    """
    line = drill["timeline"]
    when: Sequence[float] = line["seconds"]
    dead = float(load["options"].get("dead_timeout", _USUAL_DEAD_SECONDS))
    events: Sequence[Mapping[str, Any]] = drill["events"]
    before, usual = drill["hit_ratio"]["before"] or 0.0, median(line["operations"] or [0])

    dips = partial(_dips, when, events)
    ratios = _known(line["hit_ratio"])
    slow = [worst >= stall * _STALL_SHARE for worst in line["worst_seconds"]]
    found = [
        *dips(0, [r < before - _RATIO_DROP for r in ratios], dead + _EARLY_SECONDS,
              lambda places: f"hit ratio down to {min(ratios[p] for p in places):.0%}"),
        *dips(1, slow, _EARLY_SECONDS,
              lambda places: f"slowest {max(line['worst_seconds'][p] for p in places):.2f} s"),
        *dips(2, [n < usual * _RATE_SHARE for n in line["operations"]], _EARLY_SECONDS,
              lambda places: _share(min(line["operations"][p] for p in places), usual)),
        *dips(2, [n > 0 for n in line["errors"]], _EARLY_SECONDS,
              lambda places: f"{sum(line['errors'][p] for p in places)} errors seen by clients"),
    ]  # fmt: skip
    return sorted(found, key=lambda dip: (dip.first, dip.panel))


def longest(drill: Mapping[str, Any]) -> float:
    """Return how many seconds an operation of a drill may take by its objectives."""
    limits = {goal["objective"]: float(goal["limit"]) for goal in drill["objectives"]}
    return limits.get("worst_stall", limits.get("worst_gap", math.inf))


def _known(ratios: Sequence[float | None]) -> list[float]:
    """Return ratios of which none is missing; that of nothing is as good as can be."""
    return [1.0 if ratio is None else ratio for ratio in ratios]


def _dips(
    when: Sequence[float],
    events: Sequence[Mapping[str, Any]],
    panel: int,
    odd: Sequence[bool],
    back: float,
    text: _Text,
) -> Iterator[Dip]:
    """Yield the dips of one panel: where it is odd, each with what `text` says of its places."""
    for places in _runs(when, odd):
        first, last = when[places[0]], when[places[-1]]
        cause = _cause(events, first, back)
        returns = cause is not None and panel == 0 and events[cause]["text"].endswith(_BACK)
        yield Dip(panel, first, last, text(places), cause, returns)


def _share(lowest: float, usual: float) -> str:
    return f"operations down to {lowest / (usual or 1):.0%} of the usual"


def _runs(when: Sequence[float], odd: Sequence[bool]) -> list[list[int]]:
    """Return the places that are odd, those close to each other together."""
    places = [place for place, is_odd in enumerate(odd) if is_odd]
    runs: list[list[int]] = []
    for place in places:
        if runs and when[place] - when[runs[-1][-1]] <= _GAP_SECONDS:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _cause(events: Sequence[Mapping[str, Any]], first: float, back: float) -> int | None:
    """Return the place of the event that explains a dip, at most `back` seconds before it.

    What memcached itself did comes before what Pacemaker says of it; then the last one counts.
    """
    near = [
        place
        for place, event in enumerate(events)
        if first - back <= event["seconds"] <= first + _LATE_SECONDS
    ]
    own = [place for place in near if _is_own(events[place]["text"])]
    earlier = [place for place in own or near if events[place]["seconds"] <= first]
    return earlier[-1] if earlier else next(iter(own or near), None)


def _is_own(text: str) -> bool:
    return text.startswith("failure: ") or text.endswith((_BACK, "no longer answers"))
