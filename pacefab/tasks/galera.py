"""Galera after nodes were lost: what the operator types."""

from __future__ import annotations

import sys

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import number, only_with
from pacefab.cli.run import Run
from pacefab.errors import UsageError
from pacefab.tasks.asking import Operator


@cluster_task(
    without="Nodes that are lost, separated by commas: start it without them.",
    data_loss_accepted="Accept that transactions are lost which only the nodes of --without have.",
    timeout="Seconds for the nodes to report, and then for Galera to start and answer.",
    dry_run="Show each node's last transaction and what would be done; change nothing.",
)
def start_galera(
    run: Run,
    without: str | None = None,
    data_loss_accepted: bool = False,
    timeout: str = "120",
    dry_run: bool = False,
    yes: bool = False,
) -> int:
    """Start Galera without nodes that are lost.

    By the resource's agent, from the node with the highest transaction number.

    After a stop of all nodes Galera's agent waits until each has reported its last transaction.
    With --without it is started from those that have. It is refused while a named node may still
    run. What only a lost node has is lost: that node is kept out from then on. When it is back, the
    same task without options lets it join with a whole copy. Where Galera runs, nothing is changed.

    Example: fab -H c1,c2,c3 start-galera --without c3 --data-loss-accepted
    """
    only_with(
        "--data-loss-accepted", given=data_loss_accepted, needed="--without NODE",
        there=without is not None,
    )  # fmt: skip
    names, seconds = _names(without), number("--timeout", timeout, least=1)
    hosts = run.named()
    from pacefab.workflows.recovery.start_galera import STEP, StartGalera

    start = StartGalera(
        names, data_loss_accepted, seconds, dry_run, run.limit, run.transaction(STEP)
    )
    # Where nobody can be asked, the explicit word is the agreement.
    agreed = yes or (data_loss_accepted and not sys.stdin.isatty())
    operator = Operator(run.printer, yes=agreed)
    return run.perform(STEP, lambda: start.run(hosts, run.reach, operator))


def _names(without: str | None) -> tuple[str, ...]:
    """Return the nodes of --without.

    Raises:
        UsageError: there is an empty name.
    """
    if without is None:
        return ()
    names = tuple(name.strip() for name in without.split(","))
    if not all(names):
        seen = f"--without {without!r}"
        raise UsageError("read the options", seen, "allowed: names of nodes, as in c3 or c2,c3")
    return tuple(dict.fromkeys(names))
