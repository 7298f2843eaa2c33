"""Nodes without which Galera was started: kept from running it, and let in again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

from pacefab import interrupts
from pacefab.errors import PacefabError, add_ending
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker.cib import Cib, CibDraft
from pacefab.pacemaker.placement.constraints import LEFT_OUT
from pacefab.pacemaker.placement.galera import GaleraResource
from pacefab.services.galera import cold_start
from pacefab.services.galera.cold_start import GaleraData
from pacefab.transport.command import Step
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.progress import Audience, Stopwatch
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.recovery.serving import GaleraServing, read_data
from pacefab.workflows.transaction.transaction import Transaction


def left_out(cib: Cib, resource: GaleraResource) -> dict[str, str]:
    """Return the nodes that were left out, with the ids of the constraints."""
    return {
        str(c.get("node")): str(c.get("id"))
        for c in cib.all_constraints
        if c.get("rsc") == resource.clone and str(c.get("id")).startswith(LEFT_OUT)
    }


def keep_out(cib: Cib, resource: GaleraResource, nodes: Collection[str]) -> CibDraft | None:
    """Return the CIB that keeps more nodes of the cluster out; None: it does already."""
    members = {e.get("uname") for e in cib.root.iterfind("configuration/nodes/node")}
    missing = [n for n in nodes if n in members and n not in left_out(cib, resource)]
    if not missing:
        return None
    after = cib.next()
    for node in missing:
        name = f"{LEFT_OUT}{resource.clone}-{node}"
        element = after.add(after.constraints, "rsc_location", name)
        for key, value in (("rsc", resource.clone), ("node", node), ("score", "-INFINITY")):
            element.set(key, value)
    return after


def let_in(cib: Cib, resource: GaleraResource, nodes: Collection[str]) -> Cib | None:
    """Return the CIB that lets nodes in again; None: it does already."""
    names = {name for node, name in left_out(cib, resource).items() if node in nodes}
    if not names:
        return None
    after = cib.next()
    for constraint in [c for c in after.all_constraints if c.get("id") in names]:
        after.remove(constraint)
    return after


@dataclass(frozen=True)
class Return:
    """Nodes that were left out join a Galera that runs, each with a whole copy; not `lost` ones."""

    seen: ClusterView
    resource: GaleraResource
    lost: tuple[str, ...]
    timeout: int
    dry_run: bool
    transaction: Transaction

    def run(self, running: Collection[str], watch: Stopwatch, audience: Audience) -> Outcome:
        """Let those in that are back, once that is agreed to; unchanged where there is none.

        Raises:
            PacefabError: one of them cannot be let in, or does not come.
        """
        seen, cluster = self.seen, self.seen.membership.cluster
        out = left_out(seen.cib, self.resource)
        words = {node.name: node.word for node in seen.status.nodes}
        back = tuple(n for n in out if words.get(n) == "online" and n not in self.lost)
        away = [f"{n} is left out still ({words.get(n)})" for n in out if n not in back]
        if not back:
            where = f"{self.resource.id} runs on {', '.join(sorted(running))}"
            return watch.finish(cluster, Mark.UNCHANGED, where, *away)
        lines = _lines(read_data(seen, self.resource, back))
        if self.dry_run:
            return watch.finish(cluster, Mark.PLANNED, *lines, *away)
        audience.preview([f"{watch.step} would:", *(f"    {line}" for line in lines)])
        audience.ask(watch.step, f"Give up what {', '.join(back)} has, for a copy of the others'?")
        self.transaction.hold(seen, audience)
        watch.begin()
        self._let_in(back, watch)
        serving = GaleraServing(seen, self.resource)
        waits = partial(audience.waiting, cluster)
        try:
            nodes = serving.wait(apply_cib.query_cib(seen.host), self.timeout, waits)
        except KeyboardInterrupt as stop:
            stop.add_note(f"{', '.join(back)} is let in, and goes on taking its copy")
            raise
        said = f"{', '.join(back)} has joined, {self.resource.id} runs on {', '.join(nodes)}"
        return watch.finish(cluster, Mark.CHANGED, said, *away)

    def _let_in(self, nodes: Collection[str], watch: Stopwatch) -> None:
        """Have the nodes forget how far they are, then lift what keeps them out."""
        seen, step = self.seen, cold_start.forget(self.resource.parameters)
        begun: list[str] = []
        try:
            for node in nodes:
                begun.append(node)
                run_steps(seen.hosts[node], [step], note=partial(watch.progress.note, node))
            interrupts.check()
            apply_cib.patch(seen.host, seen.cib, lambda cib: let_in(cib, self.resource, nodes))
        except (PacefabError, KeyboardInterrupt) as error:
            with interrupts.undoing():
                for node in begun:
                    again = Step(f"undo {step.name}", step.undo or ())
                    run_steps(seen.hosts[node], [again], note=partial(watch.progress.note, node))
            add_ending(error, "nothing was changed")
            raise


def _lines(data: Mapping[str, GaleraData]) -> list[str]:
    said = []
    for node, each in data.items():
        number = "unknown" if each.number is None else str(each.number)
        said.append(f"{node} takes a whole copy; what it has (last transaction {number}) is lost")
    return said
