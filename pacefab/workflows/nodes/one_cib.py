"""Whether all nodes of a cluster have one CIB, as they should.

Pacemaker hands each change to all members. A node that was away (frozen, cut off) may come back and
keep a configuration of its own, while all call it online: seen with Pacemaker 2.1.5.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from pacefab import interrupts
from pacefab.errors import CommandError, PacefabError
from pacefab.pacemaker import live
from pacefab.workflows.nodes.observe import NodeView
from pacefab.workflows.nodes.view import ClusterView

_AGREE_SECONDS = 5.0  # in which a change that is under way reaches every node
_POLL_SECONDS = 0.5


def apart(seen: ClusterView) -> list[str]:
    """Return the members whose CIB says something else than the doorway's, as they answered."""
    own = seen.views[seen.doorway].sections["cib"]
    return [
        name
        for name, view in seen.views.items()
        # A node whose CIB is of the same version has not been asked for it.
        if view.sections["cib"].ok and view.sections["cib"] is not own and _differs(seen, view)
    ]


def _differs(seen: ClusterView, view: NodeView) -> bool:
    """Whether a node's CIB is another one; what cannot be read is others' to report."""
    try:
        return not view.cib.is_configured_as(seen.cib)
    except PacefabError:
        return False


def await_one(look: Callable[[], ClusterView], seen: ClusterView) -> ClusterView:
    """Wait some seconds until all members that answer have one CIB; return them as they are then.

    `look` asks them again.
    """
    deadline = time.monotonic() + _AGREE_SECONDS
    while apart(seen) and time.monotonic() < deadline:
        interrupts.pause(_POLL_SECONDS)
        seen = look()
    return seen


def bring_together(
    look: Callable[[], ClusterView], seen: ClusterView, *, stale: bool = False
) -> tuple[ClusterView, dict[str, PacefabError]]:
    """Do the same, and let those that keep another CIB take the DC's.

    A view that is `stale` was taken before the last change, and is taken again first. Return the
    members as they are then, with an error for each that has another one all the same.
    """
    with contextlib.suppress(PacefabError):  # who is lost by now is reported as that
        seen = await_one(look, look() if stale else seen)
        if apart(seen):
            seen.host.approach(seen.cib.dc)
            seen.host.query([live.plan_spread()])
            seen = await_one(look, look())
    return seen, {name: error(seen, name) for name in apart(seen)}


def error(seen: ClusterView, node: str) -> CommandError:
    """Return the error of a member that has another CIB than the doorway."""
    return CommandError(
        "compare the CIBs of the nodes",
        f"{node} has another configuration than {seen.doorway}",
        f"send it the DC's (on {seen.cib.dc or seen.doorway}: cibadmin --bump), or start the "
        f"cluster there again: pcs cluster stop {node}; pcs cluster start {node}",
        host=node,
    )
