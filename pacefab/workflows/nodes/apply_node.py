"""Apply a plan to one host, and say in an operator's words what stopped it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pacefab.errors import CommandError, LostError, PacefabError, RefusedError, UnreachableError
from pacefab.host import kept_files, packages
from pacefab.interrupts import undoing
from pacefab.transport.command import LOCK, LOCK_WAITED_FOR, Section, Step, failed
from pacefab.transport.connection import Host
from pacefab.workflows.nodes.doorway import Asked
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.persistence import persist
from pacefab.workflows.transaction.lease import check_lease

# At worst a package manager is run three times: install, update, install.
_RUNS = 3
_LOCK_SECONDS = 90  # of which 60 for the node's lock
_AGAIN = "run this again: it is safe to repeat"
_REST_SECONDS = 120  # for everything else that a change does

Note = Callable[[str], None]


class NotUndoneError(CommandError):
    """A change of a node failed, and what was done there could not be put back."""


def change_node(
    host: Host,
    plan: NodePlan,
    *,
    replan: Callable[[], NodePlan],
    note: Note,
    lock_seconds: int = packages.LOCK_SECONDS,
    entry: str = "",
) -> NodePlan:
    """Bring a node to its plan; return what was done.

    One that breaks off is finished over a new connection, once what was sent has ended there.

    Args:
        host: the node.
        plan: what to do; while it has packages to install, the rest of it is planned again.
        replan: looks at the node and plans again.
        note: hears of what takes long.
        lock_seconds: how long another package manager's lock is waited for.
        entry: under which the previous files are kept in the node's history; empty: they are not.

    Raises:
        LostError, UnreachableError: the node was lost, it may still do what was sent to it.
        NotUndoneError: it failed, and what was done could not be undone.
        PacefabError: a step failed, and what was done was undone; packages included.
    """
    run = partial(run_steps, host, note=note, lock_seconds=lock_seconds)
    change = partial(_change, replan=replan, run=run, note=note, entry=entry)
    try:
        return change(plan)
    except LostError as error:
        note(f"{error.seen.partition(';')[0]}; it is asked again")
        persist(partial(await_end, host))
        left = replan()
        rest = change(left) if left else left
        return replace(rest if plan.install else plan, packages=plan.packages, changes=plan.changes)


def await_end(host: Host) -> None:
    """Wait until what was sent to a host has ended there: it holds the host's lock till then.

    Raises:
        RefusedError: it has not after a package manager's time. Errors of `Host.change`.
    """
    deadline = time.monotonic() + packages.INSTALL_SECONDS
    while True:
        sections = host.change([], seconds=_LOCK_SECONDS)
        if sections[LOCK].ok or time.monotonic() > deadline:
            check_lock(sections)
            return


def _change(
    plan: NodePlan,
    replan: Callable[[], NodePlan],
    run: Callable[[Sequence[Step]], None],
    note: Note,
    entry: str,
) -> NodePlan:
    if plan.install:
        note(_installing(plan))
        run(plan.install)
    try:
        rest = _finish(plan, replan, run, entry)
    except (LostError, UnreachableError):  # nothing can be undone there now
        raise
    except PacefabError as error:
        if plan.install:  # the old state is the one without the packages
            _take_back(plan.purge, run, error)
        raise
    done = plan.changes[: len(plan.repositories) + len(plan.packages)]
    return replace(rest, packages=plan.packages, changes=done + rest.changes)


def _finish(
    plan: NodePlan,
    replan: Callable[[], NodePlan],
    run: Callable[[Sequence[Step]], None],
    entry: str,
) -> NodePlan:
    """Do what is to be done once the packages are there: fresh ones brought files of their own."""
    rest = replan() if plan.install else plan
    if rest.steps:
        paths = [file.path for file, _ in rest.files]
        run([*(_keep(entry, paths, rest) if entry and paths else []), *rest.steps])
        with undoing():  # what was done is to be known, also to whoever undoes it
            try:
                _check(replan())
            except (LostError, UnreachableError):  # nothing can be undone there now
                raise
            except PacefabError as error:
                _put_back(rest, run, error)
                raise
    return rest


def _put_back(done: NodePlan, run: Callable[[Sequence[Step]], None], error: PacefabError) -> None:
    """Undo what was done before `error`.

    Raises:
        NotUndoneError: that failed too.
    """
    try:
        run(_backwards(done))
    except PacefabError as second:
        said = f"{error.next_step}; putting the old files back failed too: {second}"
        raise NotUndoneError(error.attempted, error.seen, said, host=error.host) from second
    error.next_step = "; ".join(filter(None, (error.next_step, "the old files were put back")))


def _keep(entry: str, paths: Sequence[str], plan: NodePlan) -> list[Step]:
    """Return what keeps files as they are, and notes what they are then."""
    written = dict(plan.written)
    return [kept_files.plan_store(entry, paths), kept_files.plan_note(entry, written)]


def _check(left: NodePlan) -> None:
    if left:
        raise CommandError(
            "check the change",
            "still to do: " + "; ".join(left.changes),
            "something else changes this node too (configuration management?): find it",
        )


def _installing(plan: NodePlan) -> str:
    manager = plan.changes[len(plan.repositories)].rpartition(" ")[2]
    what = "the package" if len(plan.packages) == 1 else f"{len(plan.packages)} packages"
    return f"installing {what} with {manager}"


def _take_back(
    steps: Sequence[Step], run: Callable[[Sequence[Step]], None], error: PacefabError
) -> None:
    """Undo what was done before `error`; a second failure does not hide the first."""
    try:
        with undoing():
            run(steps)
    except PacefabError as second:
        error.next_step = f"{error.next_step}; taking the package back failed too: {second}"


def restore_node(host: Host, done: NodePlan, *, note: Note) -> None:
    """Put files, helpers and open ports back as they were before `done` was done.

    Packages stay, and so does what `units` were before: Pacemaker's rule for them holds on.

    Raises:
        PacefabError: a step failed.
    """
    run_steps(host, _backwards(done), note=note)


def _backwards(done: NodePlan) -> list[Step]:
    """Return the steps that undo those of a plan; that one of them fails is a failure."""
    undone = [Step(f"put back: {s.name}", s.undo) for s in reversed(done.steps) if s.undo]
    # A file that was absent before is so again, and may have nothing left to apply.
    again = [
        Step(f"{s.name} again", ("sh", "-c", '"$@" || true', "pacefab", *s.argv))
        for s in done.steps
        if s.again
    ]
    return [*undone, *again]


def run_steps(
    host: Asked,
    steps: Sequence[Step],
    *,
    note: Note,
    lock_seconds: int = packages.LOCK_SECONDS,
) -> None:
    """Run the steps; `note` hears when a lock is waited for: the node's or a package manager's.

    The time limit leaves room for waiting `lock_seconds`, as the steps were planned to.

    Raises:
        NotUndoneError: a step failed, and one before it could not be undone; or it was cut off.
        PacefabError: a step failed; those before it were undone.
    """
    seconds = _RUNS * (packages.INSTALL_SECONDS + lock_seconds) + _REST_SECONDS
    sections = host.change(steps, seconds=seconds, on_line=waits(note))
    check_lock(sections)
    if stopped := failed(sections):
        error = packages.explain(stopped) or _explain(stopped)
        # What only applies a file again has nothing to apply where there was none before.
        undone = [sections.get(f"undo {s.name}") for s in steps if s.undo and not s.again]
        if left := [section for section in undone if section and not section.ok]:
            said = f"not done ({left[0].name}): {left[0].text}"
            raise NotUndoneError(error.attempted, f"{error.seen}\n{said}", _AGAIN)
        raise error
    missing = [item.name for item in steps if item.name not in sections]
    if missing:
        raise NotUndoneError("change the node", f"it was cut off at: {missing[0]}", _AGAIN)


def waits(note: Note) -> Callable[[str], None]:
    """Return what is to hear a change's output: it notes each wait once, and that it is over."""
    noted: set[str] = set()
    waiting = False

    def on_line(line: str) -> None:
        nonlocal waiting
        text = line.strip()
        if text == LOCK_WAITED_FOR or packages.waiting(text):
            if text not in noted:
                noted.add(text)
                waiting = True
                note(text)
        elif text and waiting:
            waiting = False
            note("the wait is over")

    return on_line


def check_lock(sections: Mapping[str, Section]) -> None:
    """Raise a RefusedError when a change never began: another run has the node's lock or lease."""
    if not sections[LOCK].ok:
        raise RefusedError(
            "change the node",
            "another run is changing it right now (/run/pacefab.lock)",
            "wait until that one is done, then run this again",
        )
    check_lease(sections)


def _explain(stopped: Section) -> PacefabError:
    hint = (
        "free some space (df -h), run again"
        if "No space left" in stopped.text
        else ("fix that on the node, run again")
    )
    seen = stopped.text or f"exit status {stopped.status}"
    return CommandError(f"change the node (step {stopped.name})", seen, f"it was undone; {hint}")
