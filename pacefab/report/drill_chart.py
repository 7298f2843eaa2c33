"""A drill's timeline as lines and marks of an SVG: where they are, not how they look. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pacefab.report.drill_dips import Dip

WIDTH, NARROW = 920, 360  # of the drawing, in pixels: on a desk, and on a phone
LEFT, RIGHT = 56, 12  # what of it is no time axis
_GAP = 34
_TOP = 30  # for the marks of events
_NEAR = 14  # events closer than that share a mark

_FASTEST = 0.0001  # seconds; where the axis of latency begins
_NICE_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300)
_TICK_WIDTH = 75


@dataclass(frozen=True)
class Tick:
    """A line across with its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """A curve as an SVG path."""

    name: str
    path: str
    area: str = ""


@dataclass(frozen=True)
class Panel:
    """One quantity over time; `goal` is where the objective lies, `bars` are (x, height)."""

    title: str
    top: float
    height: float
    ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    goal: Tick | None = None
    bars: tuple[tuple[float, float], ...] = ()

    @property
    def bottom(self) -> float:
        """Where its time axis is."""
        return self.top + self.height


@dataclass(frozen=True)
class ChartMark:
    """Events that came about together."""

    number: int
    x: float
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Letter:
    """The sign of a dip, at the place where it begins."""

    letter: str
    x: float
    y: float


@dataclass(frozen=True)
class Chart:
    """The whole drawing; `failure` is from where to where the failure lasted."""

    height: float
    panels: tuple[Panel, ...]
    ticks: tuple[Tick, ...]
    marks: tuple[ChartMark, ...]
    failure: tuple[float, float]
    letters: tuple[Letter, ...]  # of the dips
    width: int
    first: float  # seconds at the left edge
    last: float


def draw(
    drill: Mapping[str, Any],
    longest: float,
    dips: Sequence[Dip] = (),
    width: int = WIDTH,
) -> Chart:
    """Return the chart of a drill of `report.drill.to_data`, with its dips lettered.

    `longest` is how many seconds an operation may take. There is no hit ratio where nothing was
    looked up.
    """
    line, when = drill["timeline"], drill["timeline"]["seconds"]
    first, last = min(when, default=0.0), max(when, default=1.0)

    def x(second: float) -> float:
        share = (second - first) / ((last - first) or 1.0)
        return round(LEFT + share * (width - LEFT - RIGHT), 1)

    xs = [x(second) for second in when]
    ratio, top = None, float(_TOP)
    if any(found is not None for found in line["hit_ratio"]):
        ratio = _ratio_panel(xs, line["hit_ratio"])
        top = ratio.bottom + _GAP
    latency = _latency_panel(xs, line, longest, top)
    rate = _rate_panel(xs, line, latency.bottom + _GAP)
    panels = (ratio or latency, latency, rate)  # by the numbers of dips
    return Chart(
        height=rate.bottom + 24,
        panels=panels if ratio else panels[1:],
        ticks=tuple(Tick(x(at), f"{at:g} s") for at in _nice(first, last, width // _TICK_WIDTH)),
        marks=tuple(_marks(drill["events"], x)),
        failure=(x(0.0), x(drill["undone_seconds"])),
        letters=tuple(
            Letter(letter(place), x(dip.letter_seconds), panels[dip.panel].top + 11)
            for place, dip in enumerate(dips)
        ),
        width=width,
        first=first,
        last=last,
    )


def letter(place: int) -> str:
    """Return the sign of a dip: A to Z, then A1, B1 and so on."""
    turn, place = divmod(place, 26)
    return f"{chr(ord('A') + place)}{turn or ''}"


def _ratio_panel(xs: Sequence[float], ratios: Sequence[float | None]) -> Panel:
    top, height = float(_TOP), 110.0

    def y(ratio: float) -> float:
        return round(top + (1 - ratio) * height, 1)

    points = [(x, y(ratio)) for x, ratio in zip(xs, ratios, strict=True) if ratio is not None]
    ticks = tuple(Tick(y(ratio), f"{ratio:.0%}") for ratio in (0.0, 0.5, 1.0))
    return Panel("hit ratio", top, height, ticks, (_line("hit ratio", points, top + height),))


def _latency_panel(xs: Sequence[float], line: Mapping[str, Any], goal: float, top: float) -> Panel:
    height = 130.0
    slowest = max([goal, *line["worst_seconds"]]) * 1.3
    decades = math.log10(slowest / _FASTEST)

    def y(second: float) -> float:
        share = math.log10(max(second, _FASTEST) / _FASTEST) / decades
        return round(top + (1 - share) * height, 1)

    ticks = [Tick(y(second), label) for second, label in _LATENCIES if second <= slowest]
    lines = [
        Line(name, _path([(x, y(v)) for x, v in zip(xs, line[key], strict=True)]))
        for name, key in (("worst", "worst_seconds"), ("median", "median_seconds"))
    ]
    aim = Tick(y(goal), f"objective {goal:g} s")
    return Panel("time of an operation", top, height, tuple(ticks), tuple(lines), aim)


_LATENCIES = (
    (0.0001, "0.1 ms"), (0.001, "1 ms"), (0.01, "10 ms"), (0.1, "100 ms"), (1.0, "1 s"),
    (10.0, "10 s"), (100.0, "100 s"),
)  # fmt: skip


def _rate_panel(xs: Sequence[float], line: Mapping[str, Any], top: float) -> Panel:
    height, when = 80.0, line["seconds"]
    spans = [after - before for before, after in pairwise(when)]
    spans = [*(spans[:1] or [1.0]), *spans]
    counts = line["operations"]
    rates: list[float] = [n / (span or 1.0) for n, span in zip(counts, spans, strict=False)]
    most = max([*rates, 1.0]) * 1.1

    def y(rate: float) -> float:
        return round(top + (1 - rate / most) * height, 1)

    step = 10 ** math.floor(math.log10(most))
    ticks = tuple(Tick(y(n), f"{n:,.0f}") for n in (0.0, step, 2 * step, 5 * step) if n <= most)
    points = [(x, y(rate)) for x, rate in zip(xs, rates, strict=True)]
    bars = tuple((x, round(height * 0.8, 1)) for x, n in zip(xs, line["errors"], strict=True) if n)
    curve = _line("operations per second", points, top + height)
    return Panel("operations per second, errors", top, height, ticks, (curve,), None, bars)


def _line(name: str, points: Sequence[tuple[float, float]], bottom: float) -> Line:
    if not points:
        return Line(name, "")
    path = _path(points)
    return Line(name, path, f"{path}L{points[-1][0]},{bottom}L{points[0][0]},{bottom}Z")


def _path(points: Iterable[tuple[float, float]]) -> str:
    pairs = [f"{x},{y}" for x, y in points]
    return "M" + "L".join(pairs) if pairs else ""


def _nice(first: float, last: float, most: int) -> list[float]:
    """Return round seconds between the edges, at most `most`."""
    step = next((n for n in _NICE_STEPS if (last - first) / n <= most), 600)
    begin = math.ceil(first / step)
    return [float(step * n) for n in range(begin, math.floor(last / step) + 1)]


def _marks(events: Sequence[Mapping[str, Any]], x: Any) -> Iterable[ChartMark]:
    groups: list[list[Mapping[str, Any]]] = []
    for event in events:
        if groups and x(event["seconds"]) - x(groups[-1][0]["seconds"]) < _NEAR:
            groups[-1].append(event)
        else:
            groups.append([event])
    for number, group in enumerate(groups, start=1):
        yield ChartMark(number, x(group[0]["seconds"]), tuple(group))
