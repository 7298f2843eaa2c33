"""update-NAME: node by node, each stopped by Pacemaker, changed, started and asked."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from pacefab import interrupts
from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker import readiness
from pacefab.pacemaker.model import primitive_ids
from pacefab.pacemaker.ownership import runners
from pacefab.pacemaker.word import Cause
from pacefab.services import registry
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.waiting import Pending, Waits, wait_until
from pacefab.workflows.checks.health import check_healthy
from pacefab.workflows.checks.probing import ProbeResult, put
from pacefab.workflows.checks.spared import await_spared
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.called import check_names
from pacefab.workflows.nodes.cleanup import plan_cleanup
from pacefab.workflows.nodes.progress import Audience, Progress, Stopwatch, say_how_far
from pacefab.workflows.nodes.view import LEFT_OUT, ClusterView, Reach, observe_members
from pacefab.workflows.rolling.ban import Bans
from pacefab.workflows.rolling.endings import end, kept_items, remembered
from pacefab.workflows.rolling.node_update import Due, NodeUpdate, Note
from pacefab.workflows.rollout.absent import or_go_on
from pacefab.workflows.transaction.transaction import Transaction

Results = Sequence[ProbeResult]


@dataclass(frozen=True)
class Rolling:
    """How a run updates; the cluster has `timeout` seconds for each stop and each start."""

    update: NodeUpdate
    timeout: int = 60
    dry_run: bool = False
    limit: int = 32
    nodes: frozenset[str] | None = None  # the nodes to update; None: all
    transaction: Transaction | None = None  # None: one of this run's own

    def run(self, hosts: Mapping[str, Host], reach: Reach, audience: Audience) -> list[Outcome]:
        """Update every node of the cluster, once agreed to; stop at the first that fails.

        What an earlier run left banned is brought back first.

        Raises:
            PacefabError: nothing was changed.
        """
        transaction = self.transaction or Transaction(self.step)
        own = replace(self, transaction=transaction)
        return transaction.run(lambda: own.run_once(hosts, reach, transaction, audience), audience)

    def run_once(
        self, hosts: Mapping[str, Host], reach: Reach, transaction: Transaction, audience: Audience
    ) -> list[Outcome]:
        """Do the same, with a transaction that may find that another run was quicker."""
        watch = Stopwatch(self.step, audience)
        seen = self._observe(hosts, reach)
        transaction.check(seen, audience)
        readiness.check_ready(seen.status, self._attempt)
        for name in seen.strangers:
            audience.note(seen.membership.cluster, f"{name} is left alone: {seen.standing(name)}")
        self._check_own(seen)
        self._check_kept(seen)
        if not self.dry_run:
            due = self._ask(seen, audience)
            if due or self._bans(seen).found(seen.cib) or transaction.left:
                transaction.hold(seen, audience)
                transaction.begin(seen.membership.cluster, due or (self.step,), seen.cib)
            self._bring_back(seen, audience)
        outcomes = [watch.finish(n, Mark.SKIPPED, LEFT_OUT) for n in seen.left_out]
        try:
            for node in self._order(seen):
                if all(outcome.mark.ok for outcome in outcomes):
                    outcomes.append(self._node(node, hosts, reach, watch))
                else:
                    said = "not touched: one before failed"
                    outcomes.append(watch.finish(node, Mark.SKIPPED, said))
        except KeyboardInterrupt as stop:
            say_how_far(stop, outcomes)
            end(transaction, outcomes, len(self._order(seen)), seen, audience)
            raise
        end(transaction, outcomes, len(self._order(seen)), seen, audience)
        return outcomes

    def _ask(self, seen: ClusterView, audience: Audience) -> list[str]:
        """Show what would be restarted, and have it agreed to; return it: nothing, a line each."""
        known = seen.answered
        views = {node: known[node] for node in self._order(seen) if node in known}
        looked = fan_out(views, lambda node, _: self.update.look(seen, node), limit=self.limit)
        for error in errors(looked).values():
            if isinstance(error, RefusedError):  # before one is restarted in vain
                raise error
        # A node that could not be looked at is not healthy, and says so when its turn comes.
        lines = [
            f"{node}: {line}"
            for node, due in values(looked).items()
            if due.changes and not self._chosen(seen, node)
            for line in (f"{self._name} is restarted", *due.changes, *due.outlook)
        ]
        if lines:
            # A node that is banned is healthy once that is lifted.
            if not self._bans(seen).found(seen.cib):
                self._check_healthy(seen, "no node was touched")
            audience.preview(
                [f"{self.step} would, node by node:", *(f"    {line}" for line in lines)]
            )
            audience.ask(self.step, f"Restart {self._name} in {seen.membership.cluster}?")
        return lines

    def _bring_back(self, seen: ClusterView, audience: Audience) -> None:
        bans = self._bans(seen)
        left = bans.found(seen.cib).values()
        if left:
            for node in left:
                audience.note(node, "an earlier run was cut off here: its ban is lifted")
            bans.lift(seen.host, *left)
            waits = partial(audience.waiting, seen.membership.cluster)
            apply_cib.settle_configuration(seen.host, bans.desired, self.timeout, waits)

    def _node(
        self, node: str, hosts: Mapping[str, Host], reach: Reach, watch: Stopwatch
    ) -> Outcome:
        watch.begin(node)
        try:
            seen = self._observe(hosts, reach)
            if cause := self._chosen(seen, node):
                return watch.finish(node, Mark.SKIPPED, str(cause))
            self._check_healthy(seen, "this node was not touched")
            due = self.update.look(seen, node)
            if not due.changes:
                return watch.finish(node, Mark.UNCHANGED, "as desired")
            if self.dry_run:
                notes = [f"would be: {change}" for change in due.changes]
                return watch.finish(node, Mark.PLANNED, *notes, *due.outlook)
            for said in due.outlook:
                watch.progress.note(node, said)
            waits, service = partial(watch.progress.waiting, node), self.update.service
            first = service.before_stop(self.update.section, self.update.site(seen), node)
            attempt = f"stop {service.name} for its update"
            await_spared(attempt, seen.hosts, first, self.timeout, waits)
            before = self._answers(seen, node)
            after = self._restart(seen, due, watch.progress)
            return watch.finish(
                node, Mark.CHANGED, *due.changes, *kept_items(self.update.service, before, after)
            )
        except PacefabError as error:
            return watch.fail(node, error)

    def _restart(self, seen: ClusterView, due: Due, progress: Progress) -> Results:
        """Change the node while the service is stopped there; return what it says then."""
        with self._banned(seen, due, progress):
            self._change(due, partial(progress.note, due.node))
        try:
            return self._await_service(seen, due, partial(progress.waiting, due.node))
        except PacefabError as error:
            with interrupts.undoing():
                self._take_back(seen, due, error, progress)
            raise
        except KeyboardInterrupt as stop:
            stop.add_note(f"{due.node} is changed, and Pacemaker starts {self._name} there")
            raise

    def _change(self, due: Due, note: Note) -> None:
        """Change the node's packages and files; an interruption puts the files back."""
        try:
            due.change(note, self.transaction)
            interrupts.check()
        except KeyboardInterrupt as stop:
            with interrupts.undoing():
                due.take_back(note, self.transaction)
            if due.upgraded:
                stop.add_note(f"{due.node} has the newer package")
            raise

    @contextmanager
    def _banned(self, seen: ClusterView, due: Due, progress: Progress) -> Iterator[None]:
        """Keep the service stopped on a node during the block, however that ends."""
        node, bans, waits = due.node, self._bans(seen), partial(progress.waiting, due.node)
        try:
            progress.note(node, f"{self._name} is stopped (banned from the node)")
            bans.stop(seen.host, node, self.timeout, due.longest, waits)
            stopped = time.monotonic()
            yield
            time.sleep(max(0.0, stopped + self.update.service.rest_seconds - time.monotonic()))
        except KeyboardInterrupt as stop:
            with interrupts.undoing():
                if bans.lift(seen.host, node):
                    apply_cib.settle_configuration(seen.host, bans.desired, self.timeout, waits)
                    stop.add_note(f"the ban on {node} is lifted, its files are as before")
            raise
        finally:
            with interrupts.undoing():
                bans.lift(seen.host, node)

    def _await_service(self, seen: ClusterView, due: Due, waits: Waits) -> Results:
        """Return the node's answers once it is started, has answered and runs as desired.

        Raises:
            PacefabError: that did not come about in time.
        """
        deadline = time.monotonic() + self.timeout
        apply_cib.settle_configuration(seen.host, self._bans(seen).desired, self.timeout, waits)

        def look() -> tuple[ClusterView, Results] | Pending:
            now = self._observe(seen.hosts, seen.hosts.get)
            asked = self._answers(now, due.node)
            wrong = [result for result in asked if result.wrong]
            return Pending("\n".join(map(str, wrong))) if wrong else (now, asked)

        found = wait_until(look, deadline - time.monotonic(), waits=waits)
        if isinstance(found, Pending):
            raise CommandError(
                f"ask {self._name} as its clients do",
                found.seen,
                f"Pacemaker calls it Started: fab verify-{self._name} shows why it does not serve",
            )
        now, asked = found
        pending = self.update.plan(now, due.node).pending
        if left := [setting.what for setting in pending if not setting.way]:
            said = f"it runs with {', '.join(left)}"
            raise CommandError("check the change", said, "see: pcs status")
        return asked

    def _take_back(
        self, seen: ClusterView, due: Due, error: PacefabError, progress: Progress
    ) -> None:
        """Put the old files back, and say in the error whether it serves again with them."""
        if not (due.changed or due.upgraded):
            said = "its files were written before: fab rollback puts back what a deploy replaced"
            error.next_step = f"{error.next_step}; {said}"
            return
        try:
            note, waits = partial(progress.note, due.node), partial(progress.waiting, due.node)
            note("it does not serve: the old configuration is put back")
            due.take_back(note, self.transaction)
            with self._banned(seen, due, progress):
                names = self._primitives(seen)
                seen.host.query([plan_cleanup(name, due.node) for name in names])
                forgotten = partial(remembered, names, due.node)
                apply_cib.settle(seen.host, forgotten, self.timeout, waits=waits)
            desired = self._bans(seen).desired
            apply_cib.settle_configuration(seen.host, desired, self.timeout, waits)
        except PacefabError as second:
            if self.transaction:
                self.transaction.stuck()
            error.next_step = f"{error.next_step}; putting the old state back failed too: {second}"
        else:
            error.next_step = (
                f"{error.next_step}; the old configuration was put back, it is Started"
            )

    @property
    def _name(self) -> str:
        return self.update.service.name

    @property
    def step(self) -> str:
        """What the run is called."""
        return f"update-{self._name}"

    @property
    def _attempt(self) -> str:
        return f"update {self._name}"

    def _observe(self, hosts: Mapping[str, Host], reach: Reach) -> ClusterView:
        """Look at the cluster, with what every service needs to be known that is to be healthy."""
        intent = self.update.intent
        look = replace(registry.look(intent.sections), remotes=intent.look().remotes)
        seen = observe_members(hosts, look, self.limit, reach)
        check_names(self._attempt, seen, intent.membership)
        return seen

    def _bans(self, seen: ClusterView) -> Bans:
        site = self.update.site(seen)
        return Bans(self._name, self.update.service.configuration(self.update.section, site))

    def _primitives(self, seen: ClusterView) -> list[str]:
        return sorted(primitive_ids(self._bans(seen).desired.resources))

    def _order(self, seen: ClusterView) -> list[str]:
        """Return the nodes in their order; where few of them are promoted, those come last."""
        instances = [i for name in self._primitives(seen) for i in seen.status.instances(name)]
        promoted = {node for i in instances if i.role == "Promoted" for node in i.nodes}
        every = self.update.site(seen).membership.names
        there = (name for name in every if name not in seen.left_out)
        names = [name for name in there if self.nodes is None or name in self.nodes]
        return sorted(names, key=lambda node: node in promoted)

    def _check_healthy(self, seen: ClusterView, unchanged: str) -> None:
        every = self.update.intent.sections
        there = {
            name: section
            for name, section in every.items()
            if name == self._name or registry.service(name).primitives(seen.cib)
        }
        check_healthy(seen, self._attempt, or_go_on(unchanged, seen.silent), there)

    def _chosen(self, seen: ClusterView, node: str) -> Cause | None:
        """Return what an operator has set against the service on a node."""
        causes = (seen.placement.chosen(name, node) for name in self._primitives(seen))
        return next((cause for cause in causes if cause), None)

    def _check_kept(self, seen: ClusterView) -> None:
        """Raise a RefusedError when Pacemaker is to start it on no node: an operator's word."""
        causes = [self._chosen(seen, node) for node in self.update.site(seen).membership.names]
        if None not in causes:
            said = "\n".join(dict.fromkeys(map(str, causes)))
            raise RefusedError(self._attempt, said, "no node was touched; end that, then run again")

    def _check_own(self, seen: ClusterView) -> None:
        """Raise a RefusedError when another resource than ours runs it."""
        known, own = set(self.update.service.primitives(seen.cib)), self._primitives(seen)
        for other in runners(seen.cib):
            if other.id in known and other.id not in own:
                named = ", ".join(r.id for r in self._bans(seen).desired.resources)
                raise RefusedError(
                    self._attempt,
                    f"{other} runs it, and not {named}",
                    f"to restart it with what its file says: pcs resource restart {other.top}",
                )

    def _answers(self, seen: ClusterView, node: str) -> Results:
        """Put the questions that concern a node's instance, and those of the whole service."""
        every = self.update.service.probes(self.update.section, self.update.site(seen))
        return put(seen.hosts, [probe for probe in every if probe.of in {node, ""}])
