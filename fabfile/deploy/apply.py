"""Change the CIB by one atomic patch, and wait until the cluster has followed."""

from __future__ import annotations

import time
from collections.abc import Callable

from fabfile.deploy.change import check_lock
from fabfile.errors import CommandError, RefusedError
from fabfile.pacemaker import live
from fabfile.pacemaker.cib import Cib
from fabfile.pacemaker.model import ClusterStatus
from fabfile.transport.connection import Host

_TRIES = 5  # status updates change the CIB's version too; a busy cluster has a few a second
_POLL_SECONDS = 0.3
_PATCH_SECONDS = 120  # of which the node's lock is waited for 60


def query_cib(host: Host) -> Cib:
    """Return the CIB as it is now. Errors of `live.read_cib`."""
    return live.read_cib(host.query(live.observe_cib()))


def query_status(host: Host) -> ClusterStatus:
    """Return the cluster's state as it is now. Errors of `live.read_status`."""
    return live.read_status(host.query(live.observe_status()))


def patch(host: Host, cib: Cib, plan: Callable[[Cib], Cib | None]) -> Cib:
    """Bring the cluster to the CIB that `plan` renders; return the one it was planned from.

    When somebody else changed the CIB in between, Pacemaker refuses the patch, and `plan` is asked
    again with what is there now. It returns None when nothing is left to do, and raises when the
    new CIB is not what the operator was shown.

    Raises:
        RefusedError: the CIB changes faster than we can plan.
        CommandError: Pacemaker refused the new CIB.
    """
    for _ in range(_TRIES):
        new = plan(cib)
        if new is None:
            return cib
        sections = host.change(live.plan_patch(cib, new), seconds=_PATCH_SECONDS)
        check_lock(sections)
        if live.read_patch(sections):
            return cib
        cib = query_cib(host)
    raise RefusedError(
        "change the CIB",
        f"somebody else changed it in between, {_TRIES} times",
        "see who (journalctl -u pacemaker on the DC), then run this again",
    )


def preview(host: Host, new: Cib) -> tuple[str, ...]:
    """Return what Pacemaker would do if the CIB became `new`; nothing is changed."""
    return live.read_simulation(host.query(live.observe_simulation(new)))


def settle(
    host: Host, status: ClusterStatus, missing: Callable[[ClusterStatus], str], seconds: float
) -> ClusterStatus:
    """Wait at most `seconds` until nothing is missing; return the state in which that is so.

    `missing` says what is ("memcached is not Started on c2"), and raises when it sees that it will
    be missing for ever.

    Raises:
        CommandError: the time was up first.
    """
    deadline = time.monotonic() + seconds
    while still := missing(status):
        if time.monotonic() > deadline:
            raise CommandError(
                "wait for the cluster to settle",
                f"after {seconds:.0f} s {still}",
                "look at: pcs status; give more time with --timeout",
            )
        time.sleep(_POLL_SECONDS)
        status = query_status(host)
    return status
