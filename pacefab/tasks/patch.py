"""Newer packages on every node, without an outage: what the operator types."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import number
from pacefab.cli.run import Run
from pacefab.errors import UsageError
from pacefab.tasks.asking import Operator

NODE = "Patch this node alone; several: NODE,NODE."
UNTIL = "HH:MM of this machine's time, after which no further node is begun."
TIMEOUT = "Seconds for a node to leave, for it to join, and for all to serve again."
INTERRUPTION = "Let a resource run nowhere while the only node is away that may run it."


@cluster_task(
    node=NODE,
    until=UNTIL,
    timeout=TIMEOUT,
    allow_interruption=INTERRUPTION,
    dry_run="Show what is upgraded and restarted on which node, and the order; change nothing.",
)
def patch(
    run: Run,
    node: str | None = None,
    until: str | None = None,
    timeout: str = "300",
    lock_timeout: str = "120",
    allow_interruption: bool = False,
    dry_run: bool = False,
    yes: bool = False,
) -> int:
    """Bring every package to its newest version, node by node.

    In standby, upgraded, restarted where needed, back, probed; then the next.

    Before each node the cluster must be healthy. Packages of the node's own release are upgraded,
    none is removed, and configuration files that were changed stay. The machine restarts where the
    kernel or the C library is new, the cluster services where they use what is. The first failure
    ends it; a run that was cut off goes on when it is repeated. The same: upgrade --packages-only.

    Example: fab -H c1,c2,c3 patch --until 05:00
    """
    return patch_nodes(
        run, node, until, timeout, lock_timeout,
        allow_interruption=allow_interruption, dry_run=dry_run, yes=yes,
    )  # fmt: skip


def patch_nodes(
    run: Run,
    node: str | None,
    until: str | None,
    timeout: str,
    lock_timeout: str,
    *,
    allow_interruption: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Patch the nodes of the run's cluster; return the exit status. Options are as typed."""
    seconds, wait = (
        number("--timeout", timeout, least=1),
        number("--lock-timeout", lock_timeout, least=0),
    )
    end = read_until(until, datetime.now().astimezone()) if until else None
    hosts = run.named()
    from pacefab.workflows.upgrade.patch import STEP, PatchRound

    patching = PatchRound(
        sections=run.inventory.sections if run.inventory else None,
        nodes=frozenset(node.split(",")) if node else None,
        until=end,
        timeout=seconds,
        lock_seconds=wait,
        dry_run=dry_run,
        allow_interruption=allow_interruption,
        limit=run.limit,
        transaction=run.transaction(STEP),
    )
    operator = Operator(run.printer, yes=yes)
    return run.perform(STEP, lambda: patching.run(hosts, run.reach_rest, operator))


def read_until(text: str, now: datetime) -> datetime:
    """Return when HH:MM is next.

    Raises:
        UsageError: it is no time of a day.
    """
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text)
    try:
        hour, minute = (int(part) for part in found.groups()) if found else (-1, 0)
        at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    except ValueError:
        said = f"--until {text}"
        raise UsageError(
            "read the options", said, "give a time of the day: --until 05:00"
        ) from None
    return at if at > now else at + timedelta(days=1)
