"""Changes of memcached that need a restart, without an outage: what the operator types."""

from __future__ import annotations

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import number
from pacefab.cli.run import Run
from pacefab.tasks.memcached import requested


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
) -> int:
    """Change memcached node by node.

    Stopped by Pacemaker, changed, started, asked, then the next.

    Before each node the cluster must be healthy; the first failure ends it, with the nodes after
    it untouched. Nodes that are as desired are left alone, so a run that was cut off goes on when
    it is repeated. What no option says, the inventory's section memcached does.

    Example: fab -H c1,c2,c3 update-memcached --max-connections 4096
    """
    request = requested(run, listen, memory, max_connections, port, restartable=restartable)
    wait = number("--lock-timeout", lock_timeout, least=0)
    seconds, hosts = number("--timeout", timeout, least=1), run.named()
    from pacefab.workflows.rolling.node_update import NodeUpdate
    from pacefab.workflows.rolling.rolling import Rolling

    update = NodeUpdate(request, package, run.manages_firewall, wait)
    rolling = Rolling(update, seconds, dry_run, run.limit)
    return run.carry_out("update-memcached", lambda: rolling.run(hosts, run.reach, run.printer))
