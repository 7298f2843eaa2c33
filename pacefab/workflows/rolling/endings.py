"""How a rolling update ends: what is said of it, and what is noted on the nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.services.service import Service
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.nodes.progress import Progress
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.transaction.entry import State
from pacefab.workflows.transaction.transaction import Transaction

Results = Sequence[ProbeResult]


def end(
    transaction: Transaction,
    outcomes: Sequence[Outcome],
    nodes: int,
    seen: ClusterView,
    progress: Progress,
) -> None:
    """Note how it ended; a node that failed is as it was before, where nothing is said of it.

    `nodes` are how many were to be updated: those that were left out have lines besides.
    """
    own = [line for line in outcomes if line.host not in seen.left_out]
    whole = len(own) == nodes and all(line.mark.ok for line in own)
    changed = any(line.mark is Mark.CHANGED for line in outcomes)
    if transaction.is_stuck or not (whole or changed or transaction.replaced):
        if said := transaction.end_undone(seen.hosts, progress):
            progress.note(transaction.task, said)
    else:
        state = State.DONE if transaction.replaced else State.UNCHANGED
        transaction.end(state, progress, whole=whole)


def kept_items(service: Service[Any], before: Results, after: Results) -> list[str]:
    """Return how many of its items an instance has still, where it counts them."""
    if not any(figure.name == "items" for figure in service.figures):
        return []
    then, now = (_items(results) for results in (before, after))
    if now is None:
        return ["its items were not counted"]
    count = then or 0
    return [f"{min(now, count)} of {count} items kept" if count else "it had no items"]


def _items(results: Results) -> int | None:
    found = (result.reading.figures.get("items") for result in results)
    return next((int(value) for value in found if value is not None), None)


def remembered(names: Sequence[str], node: str, status: ClusterStatus) -> str:
    """Return which failure of the service on the node is not forgotten yet, if any."""
    failures = [failure for failure in status.failures if failure.node == node]
    failed = {failure.resource.partition(":")[0] for failure in failures}
    kept = [name for name in names if name in failed]
    return f"{', '.join(kept)} counts as failed on {node}" if kept else ""
