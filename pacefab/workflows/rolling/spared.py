"""Whether a service can do without one of its instances now, by its own word."""

from __future__ import annotations

from pacefab.errors import RefusedError
from pacefab.waiting import Pending, Waits, wait_until
from pacefab.workflows.checks.probing import put
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rolling.node_update import NodeUpdate


def await_spared(
    update: NodeUpdate, seen: ClusterView, node: str, seconds: float, waits: Waits
) -> None:
    """Wait until the service's other instances can do without the one that is to be stopped.

    Raises:
        RefusedError: they still cannot after `seconds`; nothing was done.
    """
    probes = update.service.before_stop(update.section, update.site(seen), node)

    def look() -> bool | Pending:
        wrong = "\n".join(result.wrong for result in put(seen.hosts, probes) if result.wrong)
        return Pending(wrong) if wrong else True

    found = wait_until(look, seconds, waits=waits)
    if isinstance(found, Pending):
        advice = "this node was not touched; repair that, then run this again"
        raise RefusedError(f"stop {update.service.name} for its update", found.seen, advice)
