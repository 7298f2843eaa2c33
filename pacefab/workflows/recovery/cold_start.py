"""A Galera that runs nowhere, started without the nodes that are lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from lxml import etree

from pacefab import interrupts
from pacefab.errors import CommandError, PacefabError, RefusedError, add_ending
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.nouns.status import ClusterStatus, Transition
from pacefab.pacemaker.placement import galera
from pacefab.pacemaker.placement.galera import GaleraResource
from pacefab.services.galera.cold_start import ATTEMPT, FirstStart, choose
from pacefab.transport.command import Step, shell, step
from pacefab.waiting import Pending, Waits, unheard, wait_until
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.progress import Audience, Stopwatch
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.recovery.left_out import keep_out, left_out, let_in
from pacefab.workflows.recovery.lost import begin, check_gone
from pacefab.workflows.recovery.serving import GaleraServing, read_data
from pacefab.workflows.transaction.transaction import Transaction

_SCORE = 100  # the promotion score that the agent gives (set_master_score)
_BEGIN_SECONDS = 20.0  # at most between Pacemaker's decision to promote and the record of that
_TRANSITION = shell(
    "transition",
    r"""dc=$(crmadmin --dc_lookup | sed 's/.*: //; s/ .*//') && crmadmin --status "$dc" """,
)


@dataclass(frozen=True)
class ColdStart:
    """One start, of a cluster as it was seen; `lost` are the nodes to start without."""

    seen: ClusterView
    resource: GaleraResource
    lost: tuple[str, ...]
    accepted: bool
    timeout: int
    dry_run: bool
    transaction: Transaction

    def run(self, watch: Stopwatch, audience: Audience) -> Outcome:
        """Choose, show, ask, start, wait until it serves.

        Raises:
            PacefabError: nothing was changed, or it says how far that went.
        """
        cluster, waits = self.seen.membership.cluster, self._waits(audience)
        check_gone(self.seen, self.lost, left_out(self.seen.cib, self.resource))
        deadline = time.monotonic() + self.timeout
        cib, resource, status = self._await_reports(waits)
        if not (self.lost and resource.awaited(status)):
            if self.dry_run:
                said = f"{resource.id} waits for no node: its agent starts it by itself"
                return watch.finish(cluster, Mark.UNCHANGED, said)
            return self._follow(cib, watch, deadline, waits)
        survivors = tuple(node for node in resource.reports if node not in self.lost)
        self._serving.desired(cib)  # before anything is changed
        start = choose(resource, self.lost, read_data(self.seen, resource, survivors))
        lines = [*start.lines, *self._consequences(cib, start)]
        if self.dry_run:
            return watch.finish(cluster, Mark.PLANNED, *lines)
        without = f"{resource.id} in {cluster} without {', '.join(self.lost)}"
        audience.preview([f"{watch.step} would start {without}:", *(f"    {x}" for x in lines)])
        self._check_accepted()
        audience.ask(watch.step, f"Start {without}?")
        self.transaction.hold(self.seen, audience)
        watch.begin()
        nodes = self._start(cib, start, waits)
        said = f"{resource.id} started from {start.node}, runs on {', '.join(nodes)}"
        out = f"{', '.join(self.lost)} is left out until it is back: fab {watch.step}"
        return watch.finish(cluster, Mark.CHANGED, said, out)

    @property
    def _serving(self) -> GaleraServing:
        return GaleraServing(self.seen, self.resource)

    def _waits(self, audience: Audience) -> Waits:
        return partial(audience.waiting, self.seen.membership.cluster)

    def _check_accepted(self) -> None:
        if not self.accepted:
            names = ",".join(self.lost)
            raise RefusedError(
                ATTEMPT,
                f"what only {names} has is lost then",
                f"nothing was changed; bring it back ({begin(self.lost[0])}), or accept that: "
                f"fab start-galera --without {names} --data-loss-accepted",
            )

    def _await_reports(self, waits: Waits) -> tuple[Cib, GaleraResource, ClusterStatus]:
        """Return the cluster once all nodes but the lost ones have reported.

        Raises:
            RefusedError: one of them will not.
            CommandError: the time was up first.
        """
        host, name = self.seen.host, self.resource.id

        def look() -> tuple[Cib, GaleraResource, ClusterStatus] | Pending:
            cib, status = apply_cib.query_cib(host), apply_cib.query_progress(host)
            resource = next(found for found in galera.find(cib) if found.id == name)
            silent = [
                node
                for node in (resource.awaited(status) if resource.reported else resource.silent)
                if node not in self.lost
            ]
            if not silent:
                return cib, resource, status
            self._check_coming(status, silent)
            return Pending(f"{', '.join(silent)} has not reported its last transaction")

        found = wait_until(look, self.timeout, waits=waits)
        if isinstance(found, Pending):
            raise CommandError(
                ATTEMPT,
                f"after {self.timeout} s {found.seen}",
                f"nothing was changed; look at: pcs status, journalctl -u pacemaker on {name}",
            )
        return found

    def _check_coming(self, status: ClusterStatus, silent: list[str]) -> None:
        """Raise a RefusedError when Pacemaker will not start the agent on one of the nodes."""
        against = status.placement.against.get(self.resource.id, {}) if status.placement else {}
        causes = galera.coming_not(status, silent, against.get)
        if causes:
            reasons = "; ".join(dict.fromkeys(cause.said for cause in causes.values()))
            seen = f"it waits for {', '.join(causes)}: {reasons}"
            raise RefusedError(ATTEMPT, seen, galera.ways_out(status, causes, self.lost))

    def _follow(self, cib: Cib, watch: Stopwatch, deadline: float, waits: Waits) -> Outcome:
        """Wait until the agent has started it by itself: it waits for no node."""
        nodes = self._serving.wait(cib, deadline - time.monotonic(), waits)
        said = f"{self.resource.id} started by itself, runs on {', '.join(nodes)}"
        return watch.finish(self.seen.membership.cluster, Mark.CHANGED, said)

    def _consequences(self, cib: Cib, start: FirstStart) -> Iterator[str]:
        """Yield what follows, by a simulation.

        Raises:
            RefusedError: Pacemaker would not promote the first node.
        """
        actions, placement = apply_cib.foresee(self.seen.host, _marked(cib, self, start))
        if not any(_promotes(action, self.resource.id, start.node) for action in actions):
            about = placement.concerning({self.resource.id, self.resource.clone})
            causes = [cause for cause in about if cause.deliberate]
            raise RefusedError(
                ATTEMPT,
                "\n".join(c.said for c in causes)
                or f"Pacemaker would not promote {self.resource.id} on {start.node}",
                "; ".join(c.way_out for c in causes)
                or "see: pcs status, pcs constraint, pcs resource failcount",
            )
        yield from (f"Pacemaker: {action}" for action in actions)
        names = ", ".join(self.lost)
        yield f"{names} is kept from running {self.resource.id} until fab start-galera lets it in"
        if not self.seen.status.fencing:
            yield f"fencing is disabled: make sure that {names} is off"

    def _start(self, cib: Cib, start: FirstStart, waits: Waits) -> tuple[str, ...]:
        """Keep the lost nodes out, mark the first one, wait; what is not begun is taken back."""
        host, shown = self.seen.host, self.resource.id
        reports = next(found for found in galera.find(cib) if found.id == shown).reports

        def plan(now: Cib) -> Cib | None:
            if next(found for found in galera.find(now) if found.id == shown).reports != reports:
                raise RefusedError(ATTEMPT, "what nodes report has changed", "run this again")
            return keep_out(now, self.resource, self.lost)

        new = [node for node in self.lost if node not in left_out(cib, self.resource)]
        undo: list[Callable[[], object]] = []
        try:
            undo.append(lambda: self._let_in(new))
            apply_cib.patch(host, cib, plan)
            interrupts.check()
            undo.append(lambda: run_steps(host, _unmarks(shown, start.node), note=unheard))
            run_steps(host, _marks(shown, start.node), note=waits)
            return self._serving.wait(apply_cib.query_cib(host), self.timeout, waits)
        except (PacefabError, KeyboardInterrupt) as error:
            self._take_back(error, start, undo)
            raise

    def _let_in(self, nodes: list[str]) -> None:
        cib = apply_cib.query_cib(self.seen.host)
        apply_cib.patch(self.seen.host, cib, lambda now: let_in(now, self.resource, nodes))

    def _take_back(
        self,
        error: PacefabError | KeyboardInterrupt,
        start: FirstStart,
        undo: list[Callable[[], object]],
    ) -> None:
        """Take marks and constraints back, unless the first database is being started by now."""
        try:
            with interrupts.undoing():
                if self._begun(start.node):
                    said = f"{self.resource.id} is being started from {start.node}; see: fab status"
                    add_ending(error, said)
                    return
                for each in reversed(undo):
                    each()
        except PacefabError as second:
            add_ending(error, f"taking it back failed too: {second}")
        else:
            add_ending(error, "it was taken back, nothing is changed")

    def _begun(self, node: str) -> bool:
        """Whether the first database is being started, or runs; if not, it will not be any more.

        Without its score the node is not promoted. A promotion that was begun before has read the
        other mark, and gives the score again; it is seen once Pacemaker's transition shows it.
        """
        host, resource = self.seen.host, self.resource
        run_steps(host, _unmarks(resource.id, node)[:1], note=unheard)

        def look() -> bool | Pending:
            asked = host.query([_TRANSITION])["transition"].out
            if resource.promoted(apply_cib.query_progress(host)):
                return True
            return Pending() if "S_TRANSITION_ENGINE" in asked else False

        return wait_until(look, _BEGIN_SECONDS) is True


def _attributes(resource: str) -> tuple[tuple[str, str], ...]:
    """Return the marks of the agent (set_bootstrap_node, set_master_score), the score last."""
    return ((f"{resource}-bootstrap", "true"), (f"master-{resource}", str(_SCORE)))


def _marks(resource: str, node: str) -> list[Step]:
    """Return the steps that mark a node as the agent does; they carry their undo."""
    return [
        step(
            f"set {name}", *_attribute(node, name), "--update", value,
            undo=(*_attribute(node, name), "--delete"),
        )
        for name, value in _attributes(resource)
    ]  # fmt: skip


def _unmarks(resource: str, node: str) -> list[Step]:
    """Return the steps that take the marks away, the score first."""
    names = [name for name, _ in reversed(_attributes(resource))]
    return [step(f"delete {name}", *_attribute(node, name), "--delete") for name in names]


def _attribute(node: str, name: str) -> tuple[str, ...]:
    return ("crm_attribute", "--node", node, "--lifetime", "reboot", "--name", name)


def _marked(cib: Cib, start: ColdStart, first: FirstStart) -> Cib:
    """Return the CIB as it will be, marks included; for a simulation."""
    after = keep_out(cib, start.resource, start.lost) or cib.next()
    states = after.root.iterfind("status/node_state")
    state = next(found for found in states if found.get("uname") == first.node)
    held = state.find("transient_attributes/instance_attributes")
    if held is None:
        raise RefusedError(ATTEMPT, f"the CIB has no attributes of {first.node}", "run this again")
    for name, value in _attributes(start.resource.id):
        etree.SubElement(held, "nvpair", id=f"pacefab-{name}", name=name, value=value)
    return after


def _promotes(action: Transition, resource: str, node: str) -> bool:
    where = {action.source, action.target}
    here = action.resource.partition(":")[0] == resource and node in where
    return here and action.action == "promote"
