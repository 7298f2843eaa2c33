"""Resources that a plan refuses beside others: two on one unit would stop each other's process."""

from __future__ import annotations

from collections.abc import Iterable

from pacefab.errors import RefusedError
from pacefab.legacy.cluster.configuration import configuration_of
from pacefab.legacy.cluster.model import ReplayedCluster
from pacefab.legacy.model import Fate, ReportLine
from pacefab.pacemaker.cib import EMPTY
from pacefab.pacemaker.conflicts import check_units
from pacefab.pacemaker.model import Constraint, Resource, primitives

_MOST_REFUSED = 50  # of one folder; a plan refuses the first of them


def rivals(cluster: ReplayedCluster, entries: list[ReportLine]) -> dict[str, str]:
    """Return the ids of primitives that have no place beside earlier ones, and why.

    Those that have one only because locations keep them on other nodes are reported.
    """
    desired = configuration_of(cluster)
    refused = _refused(desired.resources, desired.constraints)
    for name, why in _refused(desired.resources, ()).items():
        resource = cluster.resources.get(name)
        if name not in refused and resource is not None:
            reason = f"{why}: only exclusive locations keep them on different nodes"
            advice = "keep both locations: without them each stops the other's process"
            place, text = resource.place, f"resource {name}"
            entries.append(ReportLine(Fate.DOUBTFUL, place, text, reason, advice))
    return refused


def _refused(resources: Iterable[Resource], constraints: tuple[Constraint, ...]) -> dict[str, str]:
    kept = list(resources)
    refused: dict[str, str] = {}
    for _ in range(_MOST_REFUSED):
        try:
            check_units(EMPTY, kept, constraints)
        except RefusedError as error:
            name = error.attempted.rpartition(" ")[2]  # create the resource NAME
            gone = [one for one in kept if name in {part.id for part in primitives(one)}]
            refused.update((part.id, error.seen) for one in gone for part in primitives(one))
            kept = [one for one in kept if one not in gone]
        else:
            break
    return refused
