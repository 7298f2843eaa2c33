"""Whether a cluster is one that nodes can be taken out of, one after the other..

What `status` calls a reason stands in the way; so does what operators have set that keeps a
resource from moving, or from being looked after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.upgrade.findings import Severity, UpgradeFinding
from pacefab.workflows.transaction.entry import Entry
from pacefab.workflows.transaction.transaction import ways_on
from pacefab.workflows.upgrade.node_findings import UpgradeNode

_CLUSTER = "the cluster"


def unhealthy(reasons: Sequence[str]) -> Iterator[UpgradeFinding]:
    """Find what is wrong already: quorum, nodes, resources, services that do not answer."""
    for reason in reasons:
        why = "a node is taken out only where all else serves"
        yield UpgradeFinding(_CLUSTER, reason, why, "repair it: fab status says more")


def set_aside(status: ClusterStatus) -> Iterator[UpgradeFinding]:
    """Find nodes and resources that operators have set aside."""
    if status.maintenance:
        yield UpgradeFinding(
            _CLUSTER,
            "maintenance-mode is on",
            "Pacemaker moves nothing away from a node that is to be upgraded",
            "pcs property set maintenance-mode=false",
        )
    for node in status.nodes:
        if node.online and node.word in {"standby", "maintenance"}:
            yield UpgradeFinding(
                node.name,
                f"it is in {node.word}",
                "it can take nothing over from a node that is to be upgraded",
                f"pcs node un{node.word} {node.name}",
            )
    apart = {node.name for node in status.nodes if node.maintenance}
    unmanaged = sorted({
        instance.id.partition(":")[0]
        for instance in status.all_instances
        if not instance.managed and not set(instance.nodes) & apart and not status.maintenance
    })  # fmt: skip
    for name in unmanaged:
        yield UpgradeFinding(
            name,
            "it is unmanaged",
            "Pacemaker does not stop it on a node that is to be upgraded, nor start it elsewhere",
            f"pcs resource manage {name}",
        )


def alone(status: ClusterStatus) -> Iterator[UpgradeFinding]:
    """Find clusters in which no other node is there to go on."""
    members = [node for node in status.nodes if not node.remote]
    if len(members) == 1:
        why = "nothing else can serve meanwhile"
        fix = "add a node first, or reckon with an outage"
        yield UpgradeFinding(members[0].name, "it is the only node", why, fix)


def remote(status: ClusterStatus) -> Iterator[UpgradeFinding]:
    """Find remote nodes.

    ChangeLog of 3.0.0: "drop support for … Pacemaker 3 or later cluster nodes connecting to
    Pacemaker Remote 1.1.14 or earlier nodes".
    """
    names = ", ".join(node.name for node in status.nodes if node.remote)
    if names:
        yield UpgradeFinding(
            names,
            "they are nodes by Pacemaker Remote, and were not looked into",
            "Pacemaker 3 works with a pacemaker-remote of 1.1.15 and newer",
            "upgrade them after the members",
            Severity.NOTICE,
        )


def unfinished(entries: Sequence[Entry]) -> Iterator[UpgradeFinding]:
    """Find changes that were begun and not finished."""
    for entry in entries:
        yield UpgradeFinding(
            _CLUSTER,
            f"not finished: {entry.name}",
            "its end would be mixed up with the upgrade",
            ways_on([entry]),
        )


def begun(nodes: Sequence[UpgradeNode]) -> Iterator[UpgradeFinding]:
    """Find an upgrade that was begun: nodes that are there, and nodes that are not.

    A node that has left a mixed cluster cannot come back with an older Pacemaker.
    """
    there = [node.name for node in nodes if node.steps == 0]
    if there and len(there) < len(nodes):
        yield UpgradeFinding(
            ", ".join(there),
            f"it is {nodes[0].target} already" if len(there) == 1 else "they are there already",
            "an older node that leaves the mixed cluster may not be able to come back",
            "go on: restart no older node before it is upgraded",
            Severity.NOTICE,
        )
