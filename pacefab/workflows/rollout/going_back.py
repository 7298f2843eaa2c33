"""What a rollout changes beside nodes' files, and how it goes back: corosync.conf, and the CIB."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pacefab.errors import PacefabError
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.progress import Progress
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.corosync_change import CorosyncChange
from pacefab.workflows.rollout.planning import Plan


def corosync_change(
    seen: ClusterView, plan: Plan, progress: Progress, secret: Callable[[str], str]
) -> CorosyncChange:
    """Return what a run changes of corosync.conf: on members, and on hosts that become such."""
    hosts = seen.hosts if plan.forming else {node: seen.hosts[node] for node in seen.views}
    return CorosyncChange(plan.corosync, hosts, plan.cluster, progress, secret)


def restore_cluster(
    seen: ClusterView,
    change: ConfigurationPlan,
    before: Cib,
    error: PacefabError | KeyboardInterrupt,
    progress: Progress,
) -> bool:
    """Put back what a change of the CIB changed; return whether the cluster followed.

    The error says it where that is not so.
    """
    said = "it failed" if isinstance(error, PacefabError) else "interrupted"
    progress.note(seen.doorway, f"{said}: putting back the configuration from before this run")
    waits = partial(progress.waiting, seen.doorway)
    return apply_cib.restore_after(error, seen.host, before, change, waits)
