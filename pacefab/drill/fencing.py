"""What fencing did about a failure: when, to whom, and whether two nodes had the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pacefab.drill.recording import ActiveTwice, active_twice
from pacefab.drill.timeline import Sample, Trace

_ALIVE = "online"


@dataclass(frozen=True)
class FencingFigures:
    """What fencing did; times in seconds from the failure, None: never.

    Args:
        switched: the nodes whose power was cut, as their own starts show.
        off: until the first of them recorded nothing any more.
        elsewhere: until what ran on it, and nowhere else, ran on others.
        back: until all nodes were in the cluster again.
        twice: what was active on two nodes at once.
        unrecorded: the nodes that recorded nothing of themselves.
        wrong: sentences of what fencing is there to keep from happening, and happened.
    """

    switched: tuple[str, ...] = ()
    off: float | None = None
    elsewhere: float | None = None
    back: float | None = None
    twice: tuple[ActiveTwice, ...] = ()
    unrecorded: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def measure_fencing(trace: Trace) -> FencingFigures:
    """Return what fencing did about a failure, and what was active twice meanwhile.

    Without fencing, nothing keeps a cluster from the latter: that is reported, and not held
    against it.
    """
    twice = tuple(active_twice(trace.recordings, trace.caused))
    recorded = {recording.node for recording in trace.recordings if recording.times}
    wrong = [*trace.boots.wrong(trace.fault), *map(str, twice)] if trace.fencing else []
    return FencingFigures(
        switched=trace.boots.gone,
        off=_off(trace),
        elsewhere=_elsewhere(trace),
        back=_back(trace),
        twice=twice,
        unrecorded=tuple(node for node in trace.boots.before if node not in recorded),
        wrong=tuple(wrong),
    )


def _off(trace: Trace) -> float | None:
    """Return when the first node that was fenced wrote its last line."""
    boots = trace.boots
    recordings = (each for each in trace.recordings if each.node in boots.gone)
    ends = (recording.last_of(boots.before.get(recording.node, "")) for recording in recordings)
    return min((end - trace.caused for end in ends if end is not None), default=None)


def _elsewhere(trace: Trace) -> float | None:
    gone = trace.boots.gone
    usual = [sample for sample in trace.samples if sample.at <= trace.caused][-1:]
    moving = [each for sample in usual for node in gone for each in _alone_on(sample, node)]
    for sample in trace.samples if gone else ():
        away = sample.at > trace.caused and any(sample.nodes.get(n) != _ALIVE for n in gone)
        if away and all(_runs(sample, name, role, gone) for name, role in moving):
            return sample.at - trace.caused
    return None


def _alone_on(sample: Sample, node: str) -> Iterator[tuple[str, str]]:
    """Yield the resources, with their roles, that one node has and no other one."""
    for name, roles in sample.roles.items():
        for owner, role in roles:
            if owner == node and [other for _, other in roles].count(role) == 1:
                yield name, role


def _runs(sample: Sample, name: str, role: str, gone: tuple[str, ...]) -> bool:
    """Whether another node has the role; an address of clients also has to answer there."""
    there = any(r == role and node not in gone for node, r in sample.roles.get(name, ()))
    return there and bool(sample.vips.get(name, "answers"))


def _back(trace: Trace) -> float | None:
    gone = trace.boots.gone
    later = [sample for sample in trace.samples if sample.at > trace.caused]
    away = [n for n, s in enumerate(later) if any(s.nodes.get(node) != _ALIVE for node in gone)]
    if not gone or not away or away[-1] + 1 == len(later):
        return None
    return later[away[-1] + 1].at - trace.caused
