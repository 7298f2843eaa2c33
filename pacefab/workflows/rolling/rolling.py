"""update-memcached: node by node, each stopped by Pacemaker, changed, started and asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from pacefab import interrupts
from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker import readiness
from pacefab.pacemaker.model import ClusterStatus, Configuration
from pacefab.pacemaker.word import Cause
from pacefab.services.memcached import memcached
from pacefab.services.memcached.probe import Answer
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.waiting import Pending, Waits, wait_until
from pacefab.workflows.checks.health import check_healthy
from pacefab.workflows.checks.serving import ask_from_neighbours, observe_memcached, other_runner
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.cleanup import plan_cleanup
from pacefab.workflows.nodes.progress import Audience, Progress, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, Reach
from pacefab.workflows.rolling import ban
from pacefab.workflows.rolling.node_update import Due, NodeUpdate, Note

STEP = "update-memcached"
# memcached throws its items away when it is started in the second in which it was stopped
# ("restart incompatible due to setting for [stop_time]", memcached 1.6.18).
_REST_SECONDS = 2.0
_DESIRED = Configuration(resources=(memcached.desired_clone(),))


@dataclass(frozen=True)
class Rolling:
    """How a run updates; the cluster has `timeout` seconds for each stop and each start."""

    update: NodeUpdate
    timeout: int = 60
    dry_run: bool = False
    limit: int = 32

    def run(self, hosts: Mapping[str, Host], reach: Reach, audience: Audience) -> list[Outcome]:
        """Update every node of the cluster, once agreed to; stop at the first that fails.

        What an earlier run left banned is brought back first.

        Raises:
            PacefabError: nothing was changed.
        """
        watch = Stopwatch(STEP, audience)
        fleet = observe_memcached(hosts, reach, self.limit)
        readiness.check_ready(fleet.status, "update memcached")
        for name in fleet.strangers:
            audience.note(fleet.membership.cluster, f"{name} is left alone: {fleet.standing(name)}")
        _check_own(fleet)
        _check_kept(fleet)
        if not self.dry_run:
            self._ask(fleet, audience)
            self._bring_back(fleet, audience)
        outcomes: list[Outcome] = []
        try:
            for node in fleet.membership.names:
                if all(outcome.mark.ok for outcome in outcomes):
                    outcomes.append(self._node(node, hosts, reach, watch))
                else:
                    said = "not touched: one before failed"
                    outcomes.append(watch.finish(node, Mark.SKIPPED, said))
        except KeyboardInterrupt as stop:
            _say_how_far(stop, outcomes)
            raise
        return outcomes

    def _ask(self, fleet: ClusterView, audience: Audience) -> None:
        """Show what would be restarted, and have it agreed to; nothing where nothing is."""
        looked = fan_out(
            fleet.views, lambda node, _: self.update.look(fleet, node), limit=self.limit
        )
        for error in errors(looked).values():
            if isinstance(error, RefusedError):  # before one is restarted in vain
                raise error
        # A node that could not be looked at is not healthy, and says so when its turn comes.
        lines = [
            f"{node}: {line}"
            for node, due in values(looked).items()
            if due.changes and not _chosen(fleet, node)
            for line in ("memcached is restarted", *due.changes, due.outlook)
        ]
        if lines:
            if not ban.bans(fleet.cib):  # a node that is banned is healthy once that is lifted
                check_healthy(fleet, "update memcached", "no node was touched")
            audience.preview([f"{STEP} would, node by node:", *(f"    {line}" for line in lines)])
            audience.ask(STEP, f"Restart memcached in {fleet.membership.cluster}?")

    def _bring_back(self, fleet: ClusterView, audience: Audience) -> None:
        left = ban.bans(fleet.cib).values()
        if left:
            for node in left:
                audience.note(node, "an earlier run was cut off here: its ban is lifted")
            ban.lift(fleet.host, *left)
            waits = partial(audience.waiting, fleet.membership.cluster)
            apply_cib.settle_configuration(fleet.host, _DESIRED, self.timeout, waits)

    def _node(
        self, node: str, hosts: Mapping[str, Host], reach: Reach, watch: Stopwatch
    ) -> Outcome:
        watch.begin(node)
        try:
            fleet = observe_memcached(hosts, reach, self.limit)
            if cause := _chosen(fleet, node):
                return watch.finish(node, Mark.SKIPPED, str(cause))
            check_healthy(fleet, "update memcached", "this node was not touched")
            due = self.update.look(fleet, node)
            if not due.changes:
                return watch.finish(node, Mark.UNCHANGED, "as desired")
            if self.dry_run:
                notes = [f"would be: {change}" for change in due.changes]
                return watch.finish(node, Mark.PLANNED, *notes, due.outlook)
            watch.progress.note(node, due.outlook)
            before = _ask(fleet, node)
            after = self._restart(fleet, due, watch.progress)
            return watch.finish(node, Mark.CHANGED, *due.changes, _kept(before, after))
        except PacefabError as error:
            return watch.fail(node, error)

    def _restart(self, fleet: ClusterView, due: Due, progress: Progress) -> Answer:
        """Change the node while memcached is stopped; return what memcached says then."""
        with self._banned(fleet, due.node, progress):
            self._change(due, partial(progress.note, due.node))
        try:
            return self._await_service(fleet, due, partial(progress.waiting, due.node))
        except PacefabError as error:
            with interrupts.undoing():
                self._take_back(fleet, due, error, progress)
            raise
        except KeyboardInterrupt as stop:
            stop.add_note(f"{due.node} is changed, and Pacemaker starts memcached there")
            raise

    def _change(self, due: Due, note: Note) -> None:
        """Change the node's package and files; an interruption puts the files back."""
        try:
            due.change(note)
            interrupts.check()
        except KeyboardInterrupt as stop:
            with interrupts.undoing():
                due.take_back(note)
            if due.upgraded:
                stop.add_note(f"{due.node} has the newer package")
            raise

    @contextmanager
    def _banned(self, fleet: ClusterView, node: str, progress: Progress) -> Iterator[None]:
        """Keep memcached stopped on a node during the block, however that ends."""
        waits = partial(progress.waiting, node)
        try:
            progress.note(node, "memcached is stopped (banned from the node)")
            ban.stop(fleet.host, node, self.timeout, waits)
            stopped = time.monotonic()
            yield
            time.sleep(max(0.0, stopped + _REST_SECONDS - time.monotonic()))
        except KeyboardInterrupt as stop:
            with interrupts.undoing():
                if ban.lift(fleet.host, node):
                    apply_cib.settle_configuration(fleet.host, _DESIRED, self.timeout, waits)
                    stop.add_note(f"the ban on {node} is lifted, its files are as before")
            raise
        finally:
            with interrupts.undoing():
                ban.lift(fleet.host, node)

    def _await_service(self, fleet: ClusterView, due: Due, waits: Waits) -> Answer:
        """Return the node's answer once it is started, has answered and runs as desired.

        Raises:
            PacefabError: that did not come about in time.
        """
        deadline = time.monotonic() + self.timeout
        apply_cib.settle_configuration(fleet.host, _DESIRED, self.timeout, waits)

        def look() -> tuple[ClusterView, Answer] | Pending:
            now = observe_memcached(fleet.hosts, fleet.hosts.__getitem__, self.limit)
            answer = _ask(now, due.node)
            if answer is None:
                return Pending("no other node could ask it")
            return (now, answer) if answer.served else Pending(answer.error)

        found = wait_until(look, deadline - time.monotonic(), waits=waits)
        if isinstance(found, Pending):
            raise CommandError(
                "ask memcached from another node",
                found.seen,
                "Pacemaker calls it Started: fab verify-memcached shows why it does not serve",
            )
        now, answer = found
        if left := self.update.plan(now, due.node, now.views[due.node]).pending:
            seen = f"it runs with {', '.join(setting.what for setting in left)}"
            raise CommandError("check the change", seen, "see: pcs status")
        return answer

    def _take_back(
        self, fleet: ClusterView, due: Due, error: PacefabError, progress: Progress
    ) -> None:
        """Put the old files back, and say in the error whether it serves again with them."""
        try:
            note, waits = partial(progress.note, due.node), partial(progress.waiting, due.node)
            note("it does not serve: the old configuration is put back")
            due.take_back(note)
            with self._banned(fleet, due.node, progress):
                fleet.host.query([plan_cleanup(memcached.RESOURCE, due.node)])
                forgotten = partial(_remembered, due.node)
                apply_cib.settle(fleet.host, forgotten, self.timeout, waits=waits)
            apply_cib.settle_configuration(fleet.host, _DESIRED, self.timeout, waits)
        except PacefabError as second:
            error.next_step = f"{error.next_step}; putting the old state back failed too: {second}"
        else:
            error.next_step = (
                f"{error.next_step}; the old configuration was put back, it is Started"
            )


def _chosen(fleet: ClusterView, node: str) -> Cause | None:
    """Return what an operator has set against memcached on a node."""
    return fleet.placement.chosen(memcached.RESOURCE, node)


def _check_kept(fleet: ClusterView) -> None:
    """Raise a RefusedError when Pacemaker is to start memcached on no node: an operator's word."""
    causes = [_chosen(fleet, node) for node in fleet.membership.names]
    if None not in causes:
        named = dict.fromkeys(map(str, causes))
        raise RefusedError(
            "update memcached", "\n".join(named), "no node was touched; end that, then run again"
        )


def _check_own(fleet: ClusterView) -> None:
    """Raise a RefusedError when another resource than ours runs memcached."""
    if other := other_runner(fleet.cib):
        raise RefusedError(
            "update memcached",
            f"{other} runs it, and not {memcached.CLONE}",
            f"to restart it with what its file says: pcs resource restart {other.top}",
        )


def _remembered(node: str, status: ClusterStatus) -> str:
    """Return which failure of memcached on the node is not forgotten yet, if any."""
    failures = [failure for failure in status.failures if failure.node == node]
    failed = {failure.resource.partition(":")[0] for failure in failures}
    return f"{memcached.UNIT} counts as failed on {node}" if memcached.RESOURCE in failed else ""


def _ask(fleet: ClusterView, node: str) -> Answer | None:
    answers = ask_from_neighbours(fleet).items()
    return next((answer for target, (_, answer) in answers if target.node == node), None)


def _say_how_far(stop: KeyboardInterrupt, outcomes: Sequence[Outcome]) -> None:
    """Note which nodes are done; a repeated run goes on behind them."""
    if not interrupts.changed():
        return
    done = ", ".join(line.host for line in outcomes if line.mark is Mark.CHANGED)
    if done:
        stop.add_note(f"{done}: done")
    stop.add_note("run this again to go on")


def _kept(before: Answer | None, after: Answer) -> str:
    """Return how many of its items a node has still; each answer's own count."""
    if after.barred:
        return f"its items were not counted: {after.barred}"
    count = before.number("curr_items") if before else 0
    kept = min(after.number("curr_items"), count)
    return f"{kept} of {count} items kept" if count else "it had no items"
