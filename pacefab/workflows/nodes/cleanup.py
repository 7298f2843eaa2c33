"""Clean up failures that Pacemaker remembers, so that it tries again."""

from __future__ import annotations

import time
from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from pacefab.pacemaker.nouns.status import CloneStatus, ClusterStatus
from pacefab.transport.command import Step, step
from pacefab.workflows.nodes.doorway import Asked

_SHOWN_SECONDS = 5.0  # so long crm_mon may show what was cleaned up: several daemons forget it


@dataclass(frozen=True)
class CleanedUp:
    """The failures that one run has cleaned up, and when, by resource, node and call's number.

    Pacemaker may still show one for a moment: that says nothing of the next try, which has another
    number.
    """

    calls: dict[tuple[str, str, str], float] = field(default_factory=dict)

    def clean_up(self, host: Asked, status: ClusterStatus, nodes: Container[str]) -> bool:
        """Clean up the failures of clones on these nodes; return whether there were any.

        A node that `add-node` made a member had to start its clones before it had their packages;
        the failure would keep them from ever running there. A resource that runs once runs
        elsewhere by now: tried again, it might move back.

        Raises:
            PacefabError: the cluster could not be asked.
        """
        failed = find_failed(status, nodes)
        calls = [(_base(f.resource), f.node, f.call) for f in status.failures]
        self.forget(host, [call for call in calls if call[:2] in failed])
        return bool(failed)

    def forget(self, host: Asked, calls: Iterable[tuple[str, str, str]]) -> None:
        """Clean up calls that failed: each its resource, its node and its number there.

        Raises:
            PacefabError: the cluster could not be asked.
        """
        calls = sorted(calls)
        if calls:
            found = dict.fromkeys((resource, node) for resource, node, _ in calls)
            host.query([plan_cleanup(resource, node) for resource, node in found])
            self.calls.update(dict.fromkeys(calls, time.monotonic()))

    def tries(self, resource: str, node: str) -> int:
        """Return how many failures of a resource on a node were cleaned up."""
        return sum((resource, node) == call[:2] for call in self.calls)

    def shown(self, status: ClusterStatus) -> str:
        """Return what was cleaned up a moment ago and is still shown; empty: nothing."""
        since = time.monotonic() - _SHOWN_SECONDS
        found = ((_base(f.resource), f.node, f.call) for f in status.failures)
        late = sorted({call[:2] for call in found if self.calls.get(call, since) > since})
        return "; ".join(f"Pacemaker is to forget how {r} failed on {node}" for r, node in late)


def forget(host: Asked, status: ClusterStatus, nodes: Container[str]) -> None:
    """Have Pacemaker forget all that failed on these nodes; harmless where nothing did.

    Not the clones alone: a node that loses corosync loses the monitor of a fence device too.

    Raises:
        PacefabError: the cluster could not be asked.
    """
    if failed := _find(status, nodes):
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
