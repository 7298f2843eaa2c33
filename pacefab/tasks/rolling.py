"""Changes that need a restart, without an outage: what the operator types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import number
from pacefab.cli.run import Run
from pacefab.errors import PacefabError, add_ending
from pacefab.tasks.asking import Operator
from pacefab.tasks.memcached import requested
from pacefab.tasks.stack import only

if TYPE_CHECKING:
    from pacefab.transport.connection import Host
    from pacefab.workflows.rollout.desired import Intent
    from pacefab.workflows.rollout.rollout import Rollout
    from pacefab.workflows.rollout.updates import NodeByNode


@cluster_task(
    leaves_out=True,
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
    seconds, hosts = number("--timeout", timeout, least=1), run.everywhere()
    from pacefab.pacemaker.model import Configuration, Membership
    from pacefab.services.memcached.section import MemcachedSection
    from pacefab.services.service import no_secret
    from pacefab.workflows.rollout.desired import Intent

    known = run.inventory.sections if run.inventory else {}
    section = MemcachedSection.model_construct(**asdict(request))
    sections = {**known, "memcached": section}
    of_file = run.inventory
    membership = of_file.membership() if of_file else Membership("", ())
    places, base = of_file.places if of_file else {}, Configuration()
    intent = Intent(membership, sections, ("memcached",), base, no_secret, places=places)
    return update(run, intent, hosts, seconds, wait, package=package, dry_run=dry_run, yes=yes)


def update(
    run: Run,
    intent: Intent,
    hosts: Mapping[str, Host],
    seconds: int,
    lock_seconds: int,
    *,
    package: bool = False,
    dry_run: bool = False,
    yes: bool,
    nodes: frozenset[str] | None = None,
) -> int:
    """Update the intent's one service, node by node, of `nodes` alone; return the exit status."""
    from pacefab.workflows.rolling.node_update import NodeUpdate
    from pacefab.workflows.rolling.rolling import Rolling

    node_update = NodeUpdate(
        intent, package, run.manages_firewall, run.client_networks, lock_seconds
    )
    transaction = run.transaction(f"update-{node_update.service.name}")
    rolling = Rolling(node_update, seconds, dry_run, run.limit, nodes, transaction)
    operator = Operator(run.printer, yes=yes)
    return run.perform(rolling.step, lambda: rolling.run(hosts, run.reach_rest, operator))


def update_pending(
    run: Run, flow: Rollout, agreed: Callable[[NodeByNode], bool], seconds: int
) -> int:
    """Restart what is not in force after a deploy, service by service; return the exit status.

    Only on the nodes where that is so. The first node that fails ends it. What the operator has not
    `agreed` to is shown and asked about.
    """
    from pacefab.host.packages import LOCK_SECONDS
    from pacefab.workflows.rollout.updates import how_far

    hosts = run.everywhere()
    with run.printer.looking(flow.step, hosts):
        due = flow.plan(flow.observe(hosts)).updates
    for place, item in enumerate(due):
        intent, yes, nodes = only(run, item.service), agreed(item), item.nodes
        far = how_far(due, place)
        try:
            status = update(
                run, intent, hosts, seconds, LOCK_SECONDS, yes=yes, nodes=frozenset(nodes)
            )
        except (PacefabError, KeyboardInterrupt) as error:
            add_ending(error, far)
            raise
        if status:
            run.printer.text(["", far])
            return status
    return 0
