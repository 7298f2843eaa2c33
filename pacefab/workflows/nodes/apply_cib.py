"""Change the CIB by one atomic patch, and wait until the cluster has followed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain

from pacefab.errors import CommandError, LostError, PacefabError, RefusedError, add_ending
from pacefab.interrupts import undoing
from pacefab.pacemaker import cib_text, live, readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import (
    Configuration,
    Primitive,
    Resource,
    primitive_ids,
    primitives,
)
from pacefab.pacemaker.nouns.status import ClusterStatus, Transition
from pacefab.pacemaker.placement.remote import CONNECTION
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.readiness import StartFailedError
from pacefab.pacemaker.restore import render_undone
from pacefab.pacemaker.sections.change import Noun
from pacefab.pacemaker.word import Placement
from pacefab.transport.command import Step, failed, step
from pacefab.waiting import Pending, Waits, unheard, wait_until
from pacefab.workflows.nodes.apply_node import check_lock
from pacefab.workflows.nodes.cleanup import CleanedUp
from pacefab.workflows.nodes.doorway import Asked, Doorway

_EARLY = 3  # starts of one resource on one node
_TRIES = 5  # at a CIB whose configuration others change meanwhile
_BUSY_SECONDS = 60  # status updates change the CIB's version too; many starts make a few a second
_POLL_SECONDS = 0.15
_PATCH_SECONDS = 120  # of which the node's lock is waited for 60
_RESTORE_SECONDS = 240  # a start under way ends first, then a stop: 100 s each by most agents
_STUCK_SECONDS = 15  # so long a resource that is to go may show no progress; a start ends first


def query_cib(host: Asked) -> Cib:
    """Return the CIB as it is now; asked again while Pacemaker is too busy to answer.

    A doorway without quorum hands over to a node that has it.

    Errors of `live.read_cib`.
    """
    unanswered: list[live.NoAnswerError] = []

    def look() -> Cib | Pending:
        try:
            return live.read_cib(host.query(cib_text.observe()))
        except live.NoAnswerError as error:
            unanswered.append(error)
            return Pending(error.seen)

    found = wait_until(look, _BUSY_SECONDS)
    if isinstance(found, Pending):
        raise unanswered[-1]
    if not found.quorum and isinstance(host, Doorway) and host.leave():
        return query_cib(host)
    return found


def query_status(host: Asked) -> ClusterStatus:
    """Return the cluster's state as it is now. Errors of `live.read_status`."""
    return live.read_status(host.query(live.observe_status()))


def nothing_first(_cib: Cib) -> Sequence[Step]:
    """Return the steps before a patch that needs none."""
    return ()


def patch(
    host: Asked,
    cib: Cib,
    plan: Callable[[Cib], Cib | None],
    first: Callable[[Cib], Sequence[Step]] = nothing_first,
    *,
    check: bool = True,
) -> Cib:
    """Bring the cluster to the CIB that `plan` renders; return the one it was planned from.

    When another user changed the CIB in between, Pacemaker refuses the patch, and `plan` is asked
    again with what is there now; so it is when the doorway is lost before the patch is in, which is
    looked for first. It returns None when nothing is left to do, and raises when the new CIB is not
    what the operator was shown. `first` gives the steps that run before the patch, in the same
    script; they carry their undo. Without `check` Pacemaker is not asked what it thinks of the new
    CIB: for one that stood before.

    The patch is made on the DC, if that can be reached. A node that was away may count status
    updates otherwise than the rest: they refuse what it patches, and it has a CIB of its own then,
    with exit status 0 (seen with Pacemaker 2.1.5).

    Raises:
        RefusedError: the CIB changes faster than we can plan.
        CommandError: a first step failed, or Pacemaker refused the new CIB.
    """
    if isinstance(host, Doorway) and host.approach(cib.dc):
        cib = query_cib(host)
    tries, deadline = 0, time.monotonic() + _BUSY_SECONDS
    while tries < _TRIES and time.monotonic() < deadline:
        new = plan(cib)
        if new is None:
            return cib
        if _is_patched(host, [*first(cib), *live.plan_patch(cib, new, check=check)]):
            return cib
        now = query_cib(host)
        if now.is_configured_as(new):  # by the doorway that was lost
            return cib
        tries += now.version[:2] != cib.version[:2]  # a status update is no change
        cib = now
    raise RefusedError(
        "change the CIB",
        f"another user changed it meanwhile, {tries} times"
        if tries == _TRIES
        else f"for {_BUSY_SECONDS} s the cluster's status changed faster than we could",
        "see who (journalctl -u pacemaker on the DC), then run this again",
    )


def _is_patched(host: Asked, steps: Sequence[Step]) -> bool:
    """Run the steps, which end with a patch; return whether it is in, False: that is to be seen."""
    try:
        sections = host.change(steps, seconds=_PATCH_SECONDS)
    except LostError:
        return False
    check_lock(sections)
    if "patch" not in sections and (stopped := failed(sections)):
        raise CommandError(
            f"prepare the change ({stopped.name})", stopped.text, "the old CIB stands"
        )
    return live.read_patch(sections)


def simulate(host: Asked, new: Cib) -> tuple[Transition, ...]:
    """Return what Pacemaker would do if the CIB became `new`; nothing is changed."""
    actions, _ = foresee(host, new)
    return actions


def foresee(host: Asked, new: Cib) -> tuple[tuple[Transition, ...], Placement]:
    """Return what Pacemaker would do if the CIB became `new`, and what would run where then."""
    return live.read_simulation(new, host.query(live.observe_simulation(new)))


def query_progress(host: Asked) -> ClusterStatus:
    """Return the cluster's state, and what Pacemaker still has to do. Errors of `query_status`."""
    sections = live.unfold(host.query(live.observe_word()))
    cib = live.read_cib(sections)
    if not cib.quorum and isinstance(host, Doorway) and host.leave():
        return query_progress(host)
    return live.read_word(cib, sections)


def settle(
    host: Asked,
    missing: Callable[[ClusterStatus], str],
    seconds: float,
    status: ClusterStatus | None = None,
    waits: Waits = unheard,
) -> ClusterStatus:
    """Wait at most `seconds` until nothing is missing; return the state in which that is so.

    `missing` says what is ("memcached is not Started on c2"), and raises when it sees that it will
    be missing for ever. `status` is what a caller knows already, who has changed nothing since.
    `waits` hears each time what is missing.

    Raises:
        CommandError: the time was up first.
    """
    if status and not missing(status):
        return status

    def look() -> ClusterStatus | Pending:
        try:
            now = query_progress(host)
        except live.NoAnswerError as error:  # it has more to do than usual just now
            return Pending(error.seen)
        still = missing(now)
        return Pending(still) if still else now

    found = wait_until(look, seconds, poll=_POLL_SECONDS, waits=waits)
    if isinstance(found, Pending):
        raise CommandError(
            "wait for the cluster to settle",
            f"after {seconds:.0f} s {found.seen}",
            "look at: pcs status; give more time with --timeout",
        )
    return found


def settle_configuration(
    host: Asked,
    configuration: Configuration,
    seconds: float,
    waits: Waits = unheard,
    cleaned: CleanedUp | None = None,
) -> ClusterStatus:
    """Wait at most `seconds` until every resource is as desired. Errors of `settle`.

    A start that systemd had not begun when Pacemaker looked is tried again, at most three times on
    each node, and when nothing else is being started: that is what keeps systemd busy. A failure
    that was `cleaned` up before, and is still shown, is none of the tries that are waited for.

    Raises:
        CommandError: a start or promotion has failed for good; the error names node and reason.
    """
    cleaned = cleaned or CleanedUp()
    desired = primitive_ids(configuration.resources)

    def missing(status: ClusterStatus) -> str:
        if shown := cleaned.shown(status):
            return shown
        try:
            return readiness.missing(status, configuration)
        except StartFailedError as error:
            calls = [(error.resource, node, call) for node, call in error.calls]
            # What was cleaned up and is there for good does not go by being cleaned up.
            over = any(cleaned.tries(*c[:2]) >= _EARLY or c in cleaned.calls for c in calls)
            if not error.early or over:
                raise
            where = ", ".join(error.nodes)
            said = f"{error.resource} is to be started again on {where}: systemd had not begun it"
            if others := readiness.unfinished(status, desired - {error.resource}):
                return f"{said}; first {others}"
            cleaned.forget(host, calls)
            return said

    return settle(host, missing, seconds, waits=waits)


def settle_removal(
    host: Asked, resource: str, seconds: float, waits: Waits = unheard
) -> ClusterStatus:
    """Wait at most `seconds` until a primitive runs nowhere any more. Errors of `settle`.

    When it shows no progress, Pacemaker is made to decide again (see `live.plan_look_again`).
    """
    since, shown = time.monotonic(), ""

    def remaining(now: ClusterStatus) -> str:
        nonlocal since, shown
        said = readiness.remaining(now, resource)
        if said != shown:
            since, shown = time.monotonic(), said
        elif said and time.monotonic() > since + _STUCK_SECONDS and readiness.idle(now, resource):
            host.query(live.plan_look_again())
            since = time.monotonic()
        return said

    return settle(host, remaining, seconds, waits=waits)


def settle_plan(
    host: Asked,
    plan: ConfigurationPlan,
    desired: Configuration,
    seconds: float,
    waits: Waits = unheard,
    cleaned: CleanedUp | None = None,
) -> ClusterStatus:
    """Wait at most `seconds` until what the plan removes runs nowhere, and the rest is as desired.

    Errors of `settle_configuration`.
    """
    deadline = time.monotonic() + seconds
    for primitive in _primitives(change.present for change in plan.changes if not change.desired):
        settle_removal(host, primitive.id, deadline - time.monotonic(), waits)
    return settle_configuration(host, desired, deadline - time.monotonic(), waits, cleaned)


def restore_after(
    error: PacefabError | KeyboardInterrupt,
    host: Asked,
    before: Cib,
    plan: ConfigurationPlan,
    waits: Waits = unheard,
) -> bool:
    """Put back what the plan changed as it stood in `before`; return whether the cluster followed.

    The error says it where that is not so. What others have changed since then stays.
    """
    said = "putting back the configuration from before this run failed too"
    try:
        with undoing():
            settle_apart(host, _added_connections(before, plan), waits)
            patch(host, query_cib(host), lambda cib: render_undone(cib, before, plan), check=False)
            said = "the configuration from before this run is back, the cluster has not followed"
            _settle_back(host, before, plan, waits)
    except PacefabError as second:
        add_ending(error, f"{said}: {second}; see pcs status")
        return False
    return True


def _settle_back(host: Asked, before: Cib, plan: ConfigurationPlan, waits: Waits) -> None:
    """Wait until the cluster runs what stood before the plan. Errors of `settle`."""
    changed = [primitive.id for primitive in _primitives(change.desired for change in plan.changes)]
    added = [name for name in changed if before.element(name) is None]
    for name in added:
        settle_removal(host, name, _RESTORE_SECONDS, waits)
    kept = [name for name in changed if name not in added]
    settle(
        host,
        lambda status: readiness.unfinished(status, kept),
        _RESTORE_SECONDS,
        waits=waits,
    )


def _added_connections(before: Cib, plan: ConfigurationPlan) -> list[str]:
    """Return the connections to remote nodes that a plan has made."""
    made = _primitives(change.desired for change in plan.changes)
    return [p.id for p in made if p.agent == CONNECTION and before.element(p.id) is None]


def settle_apart(host: Asked, names: Sequence[str], waits: Waits = unheard) -> None:
    """Take leave of remote nodes: their connections stop, what ran there moves or stops first.

    One that is taken away while it is Started stays for ever, "Started, orphaned" (Pacemaker 2.1
    and 3.0). Errors of `settle`; nothing happens to connections that are not there.
    """
    cib = query_cib(host)
    there = [name for name in names if cib.element(name) is not None]
    if there:
        host.query([_plan_apart(name) for name in there])
    for name in there:
        settle(host, partial(_still, name), _RESTORE_SECONDS, waits=waits)


def _plan_apart(name: str) -> Step:
    words = ("--meta", "--set-parameter", "target-role", "--parameter-value", "Stopped")
    return step(f"leave {name}", "crm_resource", "--resource", name, *words)


def _still(name: str, status: ClusterStatus) -> str:
    """Return where a connection still is; empty: nowhere."""
    nodes = {node for instance in status.instances(name) for node in instance.nodes}
    return f"{name} still runs on {', '.join(sorted(nodes))}" if nodes else ""


def _primitives(nouns: Iterable[Noun | None]) -> list[Primitive]:
    resources = (noun for noun in nouns if isinstance(noun, Resource))
    return list(chain.from_iterable(map(primitives, resources)))
