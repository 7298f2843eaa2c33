"""Changes that need a restart, without an outage: what the operator types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import number
from pacefab.cli.run import Run
from pacefab.tasks.asking import Operator
from pacefab.tasks.memcached import requested

if TYPE_CHECKING:
    from pacefab.transport.connection import Host
    from pacefab.workflows.rollout.desired import Intent


@cluster_task(
    memory="Cache size in MiB; left as it is when not given. Another size starts empty.",
    restartable="Keep the items over this and later restarts, once it was started so.",
    package="Bring the package to the repositories' newest version too.",
    timeout="Seconds for each node's memcached to stop, and to start and answer.",
    dry_run="Show what would be done on which node; change nothing.",
)
def update_memcached(
    run: Run,
    listen: str | None = None,
    memory: str | None = None,
    max_connections: str | None = None,
    port: str | None = None,
    restartable: bool = False,
    package: bool = False,
    timeout: str = "60",
    lock_timeout: str = "120",
    dry_run: bool = False,
    yes: bool = False,
) -> int:
    """Change memcached node by node.

    Stopped by Pacemaker, changed, started, probed, then the next.

    Before each node the cluster must be healthy; the first failure ends it, with the nodes after
    it untouched. Nodes that are as desired are left alone, so a run that was cut off goes on when
    it is repeated. What no option says, the inventory's section memcached does. What would be
    restarted is shown, then asked.

    Example: fab -H c1,c2,c3 update-memcached --max-connections 4096
    """
    request = requested(run, listen, memory, max_connections, port, restartable=restartable)
    wait = number("--lock-timeout", lock_timeout, least=0)
    seconds, hosts = number("--timeout", timeout, least=1), run.named()
    from pacefab.pacemaker.model import Configuration, Membership
    from pacefab.services.memcached.section import MemcachedSection
    from pacefab.services.service import no_secret
    from pacefab.workflows.rollout.desired import Intent

    known = run.inventory.sections if run.inventory else {}
    section = MemcachedSection.model_construct(**asdict(request))
    sections = {**known, "memcached": section}
    unknown = Membership("", ())
    intent = Intent(unknown, sections, ("memcached",), Configuration(), no_secret)
    return update(run, intent, hosts, package, seconds, wait, dry_run=dry_run, yes=yes)


def update(
    run: Run,
    intent: Intent,
    hosts: Mapping[str, Host],
    package: bool,
    seconds: int,
    lock_seconds: int,
    *,
    dry_run: bool,
    yes: bool,
) -> int:
    """Update the intent's one service, node by node; return the exit status."""
    from pacefab.workflows.rolling.node_update import NodeUpdate
    from pacefab.workflows.rolling.rolling import Rolling

    node_update = NodeUpdate(intent, package, run.manages_firewall, lock_seconds)
    rolling = Rolling(node_update, seconds, dry_run, run.limit)
    operator = Operator(run.printer, yes=yes)
    return run.perform(rolling.step, lambda: rolling.run(hosts, run.reach, operator))
