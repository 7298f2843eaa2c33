"""remove-node of a remote node: what ran there moves, then nothing of it is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pacefab.errors import PacefabError, RefusedError
from pacefab.host import files, units
from pacefab.pacemaker.members import departure
from pacefab.pacemaker.nouns.status import Transition
from pacefab.transport.command import Step, step
from pacefab.transport.connection import Host
from pacefab.workflows.formation.remote_plan import DAEMON, KEY
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.progress import Progress
from pacefab.workflows.nodes.view import ClusterView


@dataclass(frozen=True)
class RemoteDeparture:
    """How a remote node leaves its cluster.

    Args:
        node: its name.
        attempt: what is being done, for errors.
        host: the way to it; None: it will never answer again.
    """

    node: str
    attempt: str
    host: Host | None

    def check(self, seen: ClusterView) -> None:
        """Raise a RefusedError for a guest; what the host raises, when it does not answer."""
        if guest := departure.guest_of(seen.cib, self.node):
            raise RefusedError(
                self.attempt,
                f"it is a guest node, which the resource {guest} is (meta attribute remote-node)",
                f"nothing was changed: pcs cluster node remove-guest {self.node}",
            )
        if self.host:
            try:
                self.host.query([step("name", "uname", "-n")])
            except PacefabError as error:
                error.next_step = f"{error.next_step}; for a node that is dead: --gone"
                raise

    def foresee(self, seen: ClusterView) -> tuple[tuple[Transition, ...], tuple[str, ...]]:
        """Return what Pacemaker would do, and what runs there and then would run nowhere."""
        actions, placement = apply_cib.foresee(seen.host, departure.apart(seen.cib, self.node))
        here = {
            instance.id.partition(":")[0]
            for instance in seen.status.all_instances
            if self.node in instance.nodes
        }
        lost = tuple(sorted(name for name in here if not placement.running.get(name)))
        return tuple(action for action in actions if action.resource != self.node), lost

    def effects(self, seen: ClusterView) -> Iterator[str]:
        """Yield what is taken away with it."""
        for name in departure.leftovers(seen.cib, self.node):
            yield f"take away {name}, which names it"
        if self.host:
            yield f"stop and disable {DAEMON.removesuffix('.service')} there, remove {KEY}"

    def execute(self, seen: ClusterView, progress: Progress) -> None:
        """Have the connection stopped, then take everything of it away; errors say how far."""
        waits = partial(progress.waiting, self.node)
        apply_cib.settle_apart(seen.host, [self.node], waits)
        cib = apply_cib.query_cib(seen.host)
        apply_cib.patch(seen.host, cib, lambda now: departure.without(now, self.node))
        note = partial(progress.note, seen.doorway)
        run_steps(seen.host, [plan_forget(self.node)], note=note)
        if self.host:
            steps = [
                units.plan_remove(DAEMON),
                *map(files.plan_remove, (KEY, KEY + files.PREVIOUS)),
            ]
            run_steps(self.host, steps, note=partial(progress.note, self.node))


def plan_forget(node: str) -> Step:
    """Return the step after which no daemon of the cluster remembers a remote node."""
    return step(f"forget {node}", "crm_node", "--force", "--remove", node)
