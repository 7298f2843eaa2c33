"""remove-node: one node leaves a cluster; its resources run on the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker import live
from pacefab.pacemaker.members import departure
from pacefab.pacemaker.model import Membership
from pacefab.pacemaker.nouns.status import ClusterStatus, Instance
from pacefab.services.service import Look
from pacefab.transport.command import Section
from pacefab.transport.connection import Host
from pacefab.waiting import Pending, Waits, wait_until
from pacefab.workflows.formation import steps
from pacefab.workflows.formation.remote_removal import RemoteDeparture
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.progress import Audience, Progress, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, observe_cluster
from pacefab.workflows.transaction.transaction import Transaction

STEP = "remove-node"
_FROM_INVENTORY = "take it out of the inventory too, or the next bootstrap adds it again"


@dataclass(frozen=True)
class Removal:
    """How a node is taken out of its cluster.

    Args:
        node: its name in the cluster.
        cluster: what the cluster has to be called; empty: whatever the hosts' is.
        gone: it will never answer again, and is taken out without being asked.
        allow_interruption: take it out even when something then runs nowhere.
        timeout: seconds for Pacemaker to know it no more.
        dry_run: show what would be done, and change nothing.
        limit: how many hosts are asked at a time.
    """

    node: str
    cluster: str = ""
    gone: bool = False
    allow_interruption: bool = False
    timeout: int = 120
    dry_run: bool = False
    limit: int = 32
    transaction: Transaction | None = None  # None: one of this run's own
    reach: Callable[[str], Host] | None = None  # the way to a remote node; None: it is not asked

    @property
    def attempt(self) -> str:
        """What is being done, for errors."""
        return f"take {self.node} out of its cluster"

    def run(self, others: Mapping[str, Host], audience: Audience) -> list[Outcome]:
        """Take the node out through one of the other members, once agreed to; return one line.

        Raises:
            PacefabError: it is in the cluster still, which is as it was.
        """
        transaction = self.transaction or Transaction(STEP)
        return transaction.run(lambda: self._run(others, audience, transaction), audience)

    def _run(
        self, others: Mapping[str, Host], audience: Audience, transaction: Transaction
    ) -> list[Outcome]:
        watch = Stopwatch(STEP, audience)
        seen = observe_cluster(others, Look(), self.limit)
        membership = self._find_cluster(seen)
        if departure.is_known(seen.cib, self.node) or departure.guest_of(seen.cib, self.node):
            return self._run_remote(seen, membership, audience, transaction)
        if self.node not in membership.names:
            said = f"it is no member of {membership.cluster}: {', '.join(membership.names)}"
            return [watch.finish(self.node, Mark.UNCHANGED, said)]
        seen.check_quorum(self.attempt)
        self._check_state(seen.status)
        self._check_quorum(membership, seen.status)
        asked = seen.host.query(live.observe_departure(self.node))
        self._check_resources(asked)
        effects = list(self._effects(membership, seen.status, asked))
        if self.dry_run:
            return [watch.finish(self.node, Mark.PLANNED, *(f"would: {line}" for line in effects))]
        self._agree(effects, membership.cluster, audience)
        transaction.hold(seen, audience)
        watch.begin(self.node)
        audience.note(self.node, f"leaving cluster {membership.cluster}")
        self._leave(seen, audience)
        try:
            self._wait(seen, partial(audience.waiting, self.node))
        except KeyboardInterrupt as stop:
            stop.add_note(f"{self.node} has left {membership.cluster}")
            stop.add_note("see that Pacemaker knows it no more: fab status")
            raise
        return [watch.finish(self.node, Mark.CHANGED, _FROM_INVENTORY)]

    def _run_remote(
        self,
        seen: ClusterView,
        membership: Membership,
        audience: Audience,
        transaction: Transaction,
    ) -> list[Outcome]:
        """Take a remote node out: no member, so quorum is as it was."""
        watch = Stopwatch(STEP, audience)
        host = self.reach(self.node) if self.reach and not self.gone else None
        leaving = RemoteDeparture(self.node, self.attempt, host)
        seen.check_quorum(self.attempt)
        self._check_state(seen.status)
        leaving.check(seen)
        actions, lost = leaving.foresee(seen)
        self._check_lost(lost)
        effects = [
            f"take the remote node {self.node} out of cluster {membership.cluster}",
            *leaving.effects(seen),
            *map(str, actions),
        ]
        if self.dry_run:
            return [watch.finish(self.node, Mark.PLANNED, *(f"would: {line}" for line in effects))]
        self._agree(effects, membership.cluster, audience)
        transaction.hold(seen, audience)
        watch.begin(self.node)
        audience.note(self.node, f"leaving cluster {membership.cluster}")
        leaving.execute(seen, audience)
        self._wait(seen, partial(audience.waiting, self.node))
        return [watch.finish(self.node, Mark.CHANGED, _FROM_INVENTORY)]

    def _agree(self, effects: Sequence[str], cluster: str, audience: Audience) -> None:
        """Show what would be done, and ask."""
        audience.preview([f"{STEP} would:", *(f"    {line}" for line in effects)])
        audience.ask(STEP, f"Take {self.node} out of {cluster}?")

    def _effects(
        self, membership: Membership, status: ClusterStatus, asked: Mapping[str, Section]
    ) -> Iterator[str]:
        """Yield what is done, what stops on the node by it, and what Pacemaker does then."""
        yield f"take {self.node} out of cluster {membership.cluster}"
        for item in status.resources:
            for copy in (item,) if isinstance(item, Instance) else item.instances:
                if self.node in copy.nodes:
                    yield f"stop {copy.id} on {self.node}"
        yield from map(str, live.read_departure(asked))

    def _leave(self, seen: ClusterView, progress: Progress) -> None:
        step = steps.plan_leave(self.node, gone=self.gone)
        try:
            run_steps(seen.host, [step], note=partial(progress.note, seen.doorway))
        except PacefabError as error:
            error.attempted, error.host = f"{self.attempt} (pcs)", seen.doorway
            error.next_step = "fix that, then run this again; for a node that is dead: --gone"
            raise

    def _find_cluster(self, seen: ClusterView) -> Membership:
        """Return the cluster of the hosts that are in one; the others have nothing to say."""
        membership = seen.membership
        if self.cluster not in {"", membership.cluster}:
            raise RefusedError(
                self.attempt,
                f"the hosts are of cluster {membership.cluster}, not {self.cluster}",
                "nothing was changed: name the right inventory or hosts",
            )
        return membership

    def _check_state(self, status: ClusterStatus) -> None:
        """Refuse while the cluster and the operator disagree about the node's state."""
        state = next((node for node in status.nodes if node.name == self.node), None)
        if state and state.unclean:
            raise RefusedError(
                self.attempt,
                "Pacemaker does not know whether it still runs something (UNCLEAN)",
                "nothing was changed: make sure that it is off, confirm it to Pacemaker "
                f"(pcs stonith confirm {self.node}), then run this again",
            )
        if state and state.online and self.gone:
            raise RefusedError(
                self.attempt,
                "it is online: --gone is for a node that will never answer again",
                "nothing was changed: run this again without --gone",
            )

    def _check_quorum(self, membership: Membership, status: ClusterStatus) -> None:
        """Refuse to leave none, or too few of the others: quorum is more than half of them."""
        staying = [name for name in membership.names if name != self.node]
        online = [node.name for node in status.nodes if node.online and node.name in staying]
        if not staying:
            advice = f"nothing was changed; to end the cluster, on {self.node}: pcs cluster destroy"
            raise RefusedError(self.attempt, "it is the last one", advice)
        if 2 * len(online) <= len(staying):
            seen = f"of the {len(staying)} that stay only {len(online)} would be online: no quorum"
            advice = "nothing was changed: bring back the others (pcs status), then run this again"
            raise RefusedError(self.attempt, seen, advice)

    def _check_resources(self, asked: Mapping[str, Section]) -> None:
        self._check_lost(live.read_lost(asked))

    def _check_lost(self, lost: Sequence[str]) -> None:
        if lost and not self.allow_interruption:
            raise RefusedError(
                self.attempt,
                f"nothing else could run: {', '.join(lost)}",
                "nothing was changed: let another node run them (pcs constraint), or accept it: "
                "--allow-interruption",
            )

    def _wait(self, seen: ClusterView, waits: Waits) -> None:
        def look() -> ClusterStatus | Pending:
            status = apply_cib.query_status(seen.host)
            known = any(node.name == self.node for node in status.nodes)
            return Pending("Pacemaker still knows it") if known else status

        found = wait_until(look, self.timeout, waits=waits)
        if isinstance(found, Pending):
            raise CommandError(
                self.attempt,
                f"after {self.timeout} s {found.seen}",
                f"run this again; else: crm_node --remove {self.node}",
            )
