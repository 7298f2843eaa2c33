"""A drill's trace -> figures, events and a verdict by the objectives. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from pacefab.drill.fencing import FencingFigures, measure_fencing
from pacefab.drill.timeline import Event, Sample, Trace, Window, changes
from pacefab.inventory.objectives import Objectives

_STEADY_SECONDS = 1.0  # of no news, after which none is expected
_SMOOTH_SECONDS = 1.0  # a hit ratio of fewer seconds than that is mostly chance


@dataclass(frozen=True)
class VipMove:
    """A VIP that was away or changed its node; `away` in seconds, summed up."""

    resource: str
    source: str
    target: str
    away: float


@dataclass(frozen=True)
class ObjectiveResult:
    """One objective and what was measured; seconds but for counts. None: never."""

    objective: str
    limit: float
    measured: float | None

    @property
    def passed(self) -> bool:
        """Whether it is within the limit."""
        return self.measured is not None and self.measured <= self.limit


@dataclass(frozen=True)
class Figures:
    """What a drill showed; times in seconds from the failure, `recovered` from what ended it.

    `worst_gap` is the longest time in which nothing was acknowledged; `items_lost` are of those
    that were, or of a cache of those that were stored before.
    """

    noticed: float | None
    recovered: float | None
    operations: int
    operations_per_second: float
    client_errors: int
    unanswered: int
    worst_stall: float
    worst_gap: float
    hit_ratio_before: float | None
    hit_ratio_lowest: float | None
    hit_ratio_after: float | None
    items_stored: int
    items_lost: int
    redelivered: int | None
    vips: tuple[VipMove, ...]
    events: tuple[Event, ...]
    verdicts: tuple[ObjectiveResult, ...]
    fencing: FencingFigures = field(default_factory=FencingFigures)

    @property
    def passed(self) -> bool:
        """Whether every objective was met, and fencing did what it is for."""
        return all(verdict.passed for verdict in self.verdicts) and not self.fencing.wrong


def measure(trace: Trace, objectives: Objectives) -> Figures:
    """Return the figures of a drill."""
    during = [window for window in trace.windows if window.at > trace.caused]
    before = [window for window in trace.windows if window.at <= trace.caused]
    vips = tuple(_vip_moves(trace.samples))
    recovered = _recovered(trace)
    worst = max((window.worst for window in during), default=0.0)
    gap = max((window.gap for window in during), default=0.0)
    errors = sum(window.error for window in during)
    fencing = measure_fencing(trace)
    measured: dict[str, float | None] = {
        # How long a machine takes to boot is its own affair: it is shown, and not judged.
        "recovery": fencing.elsewhere if trace.by_fencing else recovered,
        "vip_away": max((move.away for move in vips), default=0.0),
    }
    if trace.kept:  # a client of the node that is broken sees it: it connects elsewhere, or again
        measured |= {"worst_gap": gap, "lost": trace.lost}
    else:
        measured |= {"worst_stall": worst, "client_errors": errors}
    operations = sum(window.operations for window in trace.windows)
    return Figures(
        noticed=notice(trace.samples, trace.caused),
        recovered=recovered,
        operations=operations,
        operations_per_second=operations / _length(trace.windows),
        client_errors=errors,
        unanswered=sum(window.unanswered for window in during),
        worst_stall=worst,
        worst_gap=gap,
        hit_ratio_before=hit_ratio(before),
        hit_ratio_lowest=min(_smooth_ratios(during), default=None),
        hit_ratio_after=hit_ratio(_last(during)),
        items_stored=trace.stored,
        items_lost=trace.lost,
        redelivered=trace.redelivered,
        vips=vips,
        events=tuple(_events(trace)),
        verdicts=tuple(
            ObjectiveResult(name, limit, measured[name])
            for name, limit in objectives.items()
            if name in measured
        ),
        fencing=fencing,
    )


def hit_ratio(windows: Iterable[Window]) -> float | None:
    """Return hits / (hits + misses); None when nothing was looked up."""
    hits, looked = 0, 0
    for window in windows:
        hits += window.hit
        looked += window.hit + window.miss
    return hits / looked if looked else None


def _length(windows: Sequence[Window]) -> float:
    return max(windows[-1].at - windows[0].at, 1.0) if windows else 1.0


def _last(windows: Sequence[Window]) -> list[Window]:
    return [window for window in windows if window.at > windows[-1].at - _SMOOTH_SECONDS]


def _smooth_ratios(windows: Sequence[Window]) -> Iterator[float]:
    for place, window in enumerate(windows):
        if window.at - windows[0].at >= _SMOOTH_SECONDS:
            near = [w for w in windows[: place + 1] if w.at > window.at - _SMOOTH_SECONDS]
            if (ratio := hit_ratio(near)) is not None:
                yield ratio


def notice(samples: Sequence[Sample], caused: float) -> float | None:
    """Return the seconds until Pacemaker believed anything else than before; None: it did not."""
    usual = _usual(samples, caused).believed
    later = (s.at for s in samples if s.at > caused and s.believed != usual)
    return next((at - caused for at in later), None)


def is_answered(samples: Sequence[Sample], caused: float) -> bool:
    """Whether Pacemaker is through with what it does about a failure.

    It has noticed it, nothing is pending, who had a VIP's address has a successor, and there has
    been no news for a second.
    """
    last = samples[-1]
    alike = takewhile(
        lambda s: (s.believed, s.vips) == (last.believed, last.vips), reversed(samples)
    )
    steady = last.at - min(s.at for s in alike) >= _STEADY_SECONDS
    held = all(last.vips[vip] for vip, node in _usual(samples, caused).vips.items() if node)
    return notice(samples, caused) is not None and steady and held and not last.pending


def recovery(samples: Sequence[Sample], caused: float, begin: float) -> float | None:
    """Return the seconds from `begin` until as much ran as before, to the end of the samples.

    None: it does not (yet). Samples until `caused` are from before the failure.
    """
    usual = _usual(samples, caused).shape
    later = [sample for sample in samples if sample.at > begin]
    if not later or later[-1].shape != usual:
        return None
    unusual = [place for place, sample in enumerate(later) if sample.shape != usual]
    return later[unusual[-1] + 1 if unusual else 0].at - begin


def _usual(samples: Sequence[Sample], caused: float) -> Sample:
    return [sample for sample in samples if sample.at <= caused][-1]


def _recovered(trace: Trace) -> float | None:
    """Return how long it took until everything ran again.

    From the failure on where Pacemaker alone ends it, else from when we ended it.
    """
    if trace.by_fencing:
        return recovery(trace.samples, trace.caused, trace.caused)
    if trace.fault.lasting:
        return recovery(trace.samples, trace.caused, trace.undone)
    return recovery(_alone(trace), trace.caused, trace.caused)


def _alone(trace: Trace) -> list[Sample]:
    """Return the samples from before we did anything about the failure."""
    return [sample for sample in trace.samples if sample.at <= trace.undone]


def _vip_moves(samples: Sequence[Sample]) -> Iterator[VipMove]:
    for vip, source in samples[0].vips.items():
        nodes = [sample.vips[vip] for sample in samples]
        if set(nodes) != {source}:
            away = sum(b.at - a.at for a, b in pairwise(samples) if not a.vips[vip])
            where = list(dict.fromkeys(node for node in nodes if node and node != source))
            yield VipMove(vip, source, ", ".join(where) or source, away)


def _events(trace: Trace) -> list[Event]:
    ended = "the drill ends it" if trace.fault.lasting else "the drill clears the failure's record"
    if trace.by_fencing:
        ended = "the drill undoes what is left of it"
    whole = trace.fault.lasting or trace.by_fencing
    events = [Event(trace.caused, f"failure: {trace.fault.what}"), Event(trace.undone, ended)]
    # Clearing a record makes Pacemaker check again what has been running all the while.
    for before, after in pairwise(trace.samples if whole else _alone(trace)):
        events += changes(before, after)
    events += _of_nodes(trace)
    return sorted(events, key=lambda event: event.at)


def _of_nodes(trace: Trace) -> Iterator[Event]:
    """Yield what the nodes' own recordings show."""
    fencing = measure_fencing(trace)
    if fencing.off is not None:
        said = f"{' and '.join(fencing.switched)} went off"
        yield Event(trace.caused + fencing.off, said)
    yield from (Event(twice.at, str(twice)) for twice in fencing.twice)
