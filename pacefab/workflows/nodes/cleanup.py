"""Clean up failures that Pacemaker remembers, so that it tries again."""

from __future__ import annotations

from collections.abc import Container, Sequence

from pacefab.pacemaker.nouns.status import CloneStatus, ClusterStatus
from pacefab.transport.command import Step, step
from pacefab.workflows.nodes.doorway import Asked


def clean_up(host: Asked, status: ClusterStatus, nodes: Container[str]) -> bool:
    """Clean up the failures of clones on these nodes; return whether there were any.

    A node that `add-node` made a member had to start its clones before it had their packages;
    the failure would keep them from ever running there. A resource that runs once runs elsewhere by
    now: tried again, it might move back.

    Raises:
        PacefabError: the cluster could not be asked.
    """
    failed = find_failed(status, nodes)
    _clean(host, failed)
    return bool(failed)


def forget(host: Asked, status: ClusterStatus, nodes: Container[str]) -> None:
    """Have Pacemaker forget all that failed on these nodes; harmless where nothing did.

    Not the clones alone: a node that loses corosync loses the monitor of a fence device too.

    Raises:
        PacefabError: the cluster could not be asked.
    """
    _clean(host, _find(status, nodes))


def _clean(host: Asked, failed: Sequence[tuple[str, str]]) -> None:
    if failed:
        host.query([plan_cleanup(resource, node) for resource, node in failed])


def find_failed(status: ClusterStatus, nodes: Container[str]) -> list[tuple[str, str]]:
    """Return the resources of clones that failed on one of the nodes, each with its node."""
    clones = [item for item in status.resources if isinstance(item, CloneStatus)]
    cloned = {_base(instance.id) for clone in clones for instance in clone.instances}
    return [(resource, node) for resource, node in _find(status, nodes) if resource in cloned]


def _find(status: ClusterStatus, nodes: Container[str]) -> list[tuple[str, str]]:
    failures = (failure for failure in status.failures if failure.node in nodes)
    return sorted({(_base(failure.resource), failure.node) for failure in failures})


def _base(instance: str) -> str:
    """Return the primitive of a clone's instance: state, of state:0."""
    return instance.partition(":")[0]


def plan_cleanup(resource: str, node: str) -> Step:
    """Return the step that makes Pacemaker forget how a resource failed on a node."""
    argv = ("crm_resource", "--cleanup", "--resource", resource, "--node", node, "--quiet")
    return step(f"cleanup {resource} {node}", *argv)
