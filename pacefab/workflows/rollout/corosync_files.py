"""The nodes' corosync.conf as they were seen -> what changes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pacefab.errors import RefusedError
from pacefab.pacemaker.corosync.conf import Values
from pacefab.pacemaker.corosync.plan import (
    CorosyncPlan,
    CorosyncSettings,
    earlier,
    plan_corosync,
    plan_device,
)
from pacefab.pacemaker.fencing.sbd import SbdSettings
from pacefab.pacemaker.members import corosync, live_membership
from pacefab.services import sbd
from pacefab.workflows.nodes.view import ClusterView


def plan(seen: ClusterView, settings: CorosyncSettings, *, restart: bool) -> CorosyncPlan:
    """Return how the files of all nodes become as desired; of bare hosts pcs makes them so.

    Raises:
        RefusedError: a file cannot be read.
    """
    if seen.formed is None:
        return plan_device(settings)
    resolved: dict[str, str] = {}
    for view in seen.views.values():
        resolved |= corosync.parse_resolved(view.sections["ring"].out)
    return _plan(seen, partial(settings.desired, resolved=resolved), restart=restart)


def with_sbd(
    plan: CorosyncPlan, seen: ClusterView, settings: SbdSettings | None, *, restart: bool
) -> CorosyncPlan:
    """Return the plan with the start of SBD, which a running cluster needs a restart for.

    Where nodes do not answer, that waits. Errors of `sbd.waits`.
    """
    if settings is None or seen.formed is None or not seen.running:
        return plan
    waiting = [name for name, view in seen.views.items() if sbd.waits(settings, view.facts)]
    whole = all(name in seen.views for name in seen.membership.names)
    restarts = plan.restart or (restart and whole and bool(waiting))
    return replace(plan, sbd=tuple(waiting), restart=restarts)


def plan_back(seen: ClusterView, conf: str, *, restart: bool) -> CorosyncPlan:
    """Return how the files become as an earlier one; nothing where none was kept.

    Raises:
        RefusedError: a file cannot be read.
    """
    if not conf or seen.formed is None:
        return CorosyncPlan()
    return _plan(seen, earlier(conf), restart=restart)


def _plan(seen: ClusterView, desired: Callable[[Values], Values], *, restart: bool) -> CorosyncPlan:
    files = {node: view.sections["corosync"].out for node, view in seen.views.items()}
    runs = any(live_membership.read_node_id(view.sections) for view in seen.views.values())
    try:
        found = plan_corosync(files, desired, restart=restart, stopped=not runs)
    except ValueError as error:
        advice = "correct it: man corosync.conf"
        raise RefusedError("plan corosync.conf", str(error), advice) from error
    absent = [name for name in seen.membership.names if name not in seen.views]
    return found.waiting_for(absent) if absent else found
