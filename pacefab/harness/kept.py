"""Clusters that stay up until they are stopped: started where none runs, removed by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from . import cleanup
from .cluster import Cluster
from .engine import ensure_engine
from .errors import HarnessError, HarnessUsageError, one_of
from .image import check_kind, fences
from .place import DESCRIPTION, STATE, check_names, known_names
from .progress import note


@dataclass(frozen=True)
class ClusterKind:
    """What a cluster's nodes are: the kind of their image, bare or formed, with boards or without.

    With boards a formed cluster fences. None: with boards where nothing speaks against them.
    """

    image: str = "auto"
    bare: bool = False
    fencing: bool | None = None

    @property
    def boards(self) -> bool:
        """Whether nodes that are started have boards."""
        if self.fencing is None:
            return not self.bare and fences(self.image)
        return self.fencing


def ensure_cluster(
    name: str, nodes: Sequence[str], kind: ClusterKind, *, replace: bool = False
) -> Cluster:
    """Return the kept cluster of that name, started where none runs.

    One that runs and is not as asked for, or not complete, is thrown away only with `replace`.
    Raises `HarnessError`; options that cannot be are refused before anything else.
    """
    check_names(name, nodes)
    check_kind(kind.image, bare=kind.bare, fencing=bool(kind.fencing))
    ensure_engine()
    cleanup.sweep()
    if (STATE / name / DESCRIPTION).exists():
        cluster = Cluster.load(name)
        differences = cluster.differences(nodes, kind.image, bare=kind.bare, fencing=kind.fencing)
        if not differences:
            note(f"{name} is up already ({cluster})")
            return cluster
        if cluster.runs() and not replace:
            raise HarnessError(
                f"{name} is there and {' and '.join(differences)}; it was left as it is",
                seen=f"{name} is {cluster}",
                next_step="add --replace to remove it and start the new one, or another --name",
            )
        note(f"{name} is removed and started again: it {' and '.join(differences)}")
        cluster.stop()
    if kind.fencing is None and not kind.bare and not kind.boards:
        note(f"{name} does not fence: there is no image of {kind.image} with a fence agent")
    return Cluster.start(name, nodes, kind.image, bare=kind.bare, fencing=kind.boards, keep=True)


def remove_cluster(name: str) -> None:
    """Remove a cluster and everything it had, even when its description is broken.

    Raises `HarnessUsageError` when there is none of that name.
    """
    if name not in known_names():
        raise HarnessUsageError(f"no cluster {name!r} here", next_step=one_of(name, known_names()))
    cleanup.remove(STATE / name)
