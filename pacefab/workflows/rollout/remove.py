"""remove-NAME: a service's resources out of the cluster, with purge its packages off the hosts."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, product
from typing import Any

from lxml import etree

from pacefab.errors import PacefabError, RefusedError, UsageError, add_ending
from pacefab.host.kept_files import plan_note, plan_store
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker import readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Configuration, primitive_ids
from pacefab.pacemaker.ownership import Runner, runners, template_of
from pacefab.pacemaker.placement.remote import keeping
from pacefab.pacemaker.plan import constraint_ids, plan_removal
from pacefab.pacemaker.render import render_configuration
from pacefab.services import registry
from pacefab.services.service import Look, Service
from pacefab.transport.command import Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import Result, errors, fan_out, values
from pacefab.waiting import Waits
from pacefab.workflows.checks.service_health import recognise
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.node_plan import check_clear
from pacefab.workflows.nodes.progress import Audience, Stopwatch
from pacefab.workflows.nodes.purge import Purge
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members
from pacefab.workflows.rollout import going
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.transaction.entry import Entry, State
from pacefab.workflows.transaction.transaction import Transaction


@dataclass(frozen=True)
class Remove:
    """How a run removes a service; the cluster has `timeout` seconds to stop it.

    `sections` are the settings of an inventory's services. One that it does not have is removed as
    the cluster shows it, else with its settings by default.
    """

    service: Service[Any]
    sections: Mapping[str, Any] = field(default_factory=dict)
    purge: bool = False
    with_constraints: bool = False
    firewall: bool = False  # whether open ports are ours to manage
    timeout: int = 300
    dry_run: bool = False
    limit: int = 32
    transaction: Transaction | None = None  # None: one of this run's own
    remotes: Collection[str] = ()  # of the hosts, which are remote nodes
    clients: Sequence[str] = ()  # networks that its ports were opened for

    def look(self, purge: Purge) -> Look:
        """Return what to look at on the hosts."""
        return replace(purge.observed, remotes=tuple(self.remotes))

    def run(self, hosts: Mapping[str, Host], reach: Reach, audience: Audience) -> list[Outcome]:
        """Take the resources out, wait until they are stopped everywhere, purge the named hosts.

        All of it has to be agreed to.

        Raises:
            PacefabError: nothing was changed.
        """
        watch = Stopwatch(f"remove-{self.service.name}", audience)
        transaction = self.transaction or Transaction(f"remove-{self.service.name}")

        def work() -> list[Outcome]:
            found = _Removal.begin(self, hosts, reach)
            return found.execute(hosts, watch, audience, transaction)

        return transaction.run(work, audience)


@dataclass(frozen=True)
class _Removal:
    """One removal, of a cluster as it was seen."""

    remove: Remove
    seen: ClusterView
    desired: Configuration  # what is to go
    purge: Purge

    @classmethod
    def begin(cls, remove: Remove, hosts: Mapping[str, Host], reach: Reach) -> _Removal:
        """Look at the cluster and find out what is to go.

        Raises:
            PacefabError: no host could report the cluster, or nothing says what the service is.
        """
        service, name = remove.service, remove.service.name
        first = remove.sections.get(name, service.default)
        purge = Purge(Look() if first is None else service.look(first))
        seen = observe_members(hosts, remove.look(purge), remove.limit, reach)
        section = remove.sections.get(name) or service.found(seen.cib) or first
        if section is None:
            if remove.purge:
                raise UsageError(
                    f"find the service {name}",
                    f"neither {seen.membership.cluster} nor an inventory shows what it has",
                    "give an inventory that has it: --inventory FILE",
                )
            return cls(remove, seen, Configuration(), purge)
        if service.look(section) != purge.look:
            purge = Purge(service.look(section))
            seen = observe_members(hosts, remove.look(purge), remove.limit, reach)
        every = {**(remove.sections or recognise(seen.cib)), name: section}
        intent = Intent(
            seen.membership, every, (name,), Configuration(), secret=lambda _: "unknown"
        )
        desired = going.desired(intent, seen)
        own = going.purge(purge.look, intent, seen, firewall=remove.firewall)
        return cls(remove, seen, desired, replace(own, clients=remove.clients))

    def execute(
        self,
        hosts: Mapping[str, Host],
        watch: Stopwatch,
        audience: Audience,
        transaction: Transaction,
    ) -> list[Outcome]:
        seen, remove = self.seen, self.remove
        transaction.check(seen, audience)
        removal = self._plan_removal()
        looked = self._plan_purges(hosts)
        purges = values(looked)
        if not remove.dry_run:
            changes = self._ask(removal, purges, audience)
            watch.begin()
            if changes or transaction.left:
                transaction.hold(seen, audience)
                named = changes or (self._attempt,)
                transaction.begin(seen.membership.cluster, named, seen.cib)
        try:
            first = self._remove(removal, watch)
        except (PacefabError, KeyboardInterrupt) as error:
            add_ending(error, transaction.end_undone(seen.hosts, audience))
            raise
        silent = {name: seen.silent[name] for name in hosts if name in seen.silent}
        failed = watch.fail_all({**silent, **errors(looked)})
        purged = watch.each(
            purges,
            lambda name, steps: self._purge(name, hosts[name], steps, watch, transaction.entry),
            remove.limit,
        )
        if not remove.dry_run:
            whole = all(outcome.mark.ok for outcome in purged)
            transaction.end(State.DONE, audience, whole=whole)
        outcomes = {outcome.host: outcome for outcome in (*failed, *purged)}
        return [first, *(outcomes[name] for name in hosts if name in outcomes)]

    @property
    def _attempt(self) -> str:
        return f"remove {self.remove.service.name}"

    @property
    def _going(self) -> tuple[str, ...]:
        """The resources that are there and are to go."""
        every = self.desired.resources
        return tuple(r.id for r in every if self.seen.cib.element(r.id) is not None)

    @property
    def _others(self) -> list[Runner]:
        """The service's primitives, and whatever else runs a unit of its packages."""
        own = set(self.remove.service.primitives(self.seen.cib))
        units = set(chain.from_iterable(map(self.purge.names, self.seen.member_facts.values())))
        every = runners(self.seen.cib)
        return [r for r in every if r.id in own or units & set(map(template_of, r.units))]

    def _plan_removal(self) -> tuple[str, ...]:
        """Return what is done in the cluster, and what Pacemaker does then; empty: nothing."""
        seen = self.seen
        if not plan_removal(seen.cib, self.desired.resources):
            return ()
        readiness.check_ready(seen.status, self._attempt)
        self._check_managed()
        new = self._plan(seen.cib) or seen.cib
        actions = apply_cib.simulate(seen.host, new)
        gone = self._constraints(seen.cib)
        return (*(f"remove {name}" for name in (*self._going, *gone)), *map(str, actions))

    def _check_managed(self) -> None:
        """Raise a RefusedError when Pacemaker would not stop it: it would run on, unowned."""
        word = self.seen.placement
        going = (str(e.get("id")) for name in self._going for e in _inside(self.seen.cib, name))
        kept = ((name, node) for name in going for node in sorted(word.unmanaged.get(name, ())))
        causes = (word.chosen(name, node) for name, node in kept)
        if named := dict.fromkeys(str(cause) for cause in causes if cause):
            seen = "\n".join(named)
            raise RefusedError(self._attempt, seen, "nothing was changed; end that, run again")

    def _plan_purges(self, hosts: Mapping[str, Host]) -> dict[str, Result[list[Step]]]:
        """Return what is to be done on each host that answered, or why that cannot be said.

        Raises:
            RefusedError: Pacemaker runs the service by another resource, which stays.
        """
        if not self.remove.purge:
            return {}
        going = set(self._going)
        staying = [runner for runner in self._others if runner.top not in going]
        if staying:
            raise RefusedError(
                f"purge {self.remove.service.name}",
                f"{', '.join(map(str, staying))} runs it",
                f"nothing was changed; remove {staying[0].top} first, where nobody needs it",
            )
        if not going:
            for view, unit in product(self.seen.views.values(), self.purge.units):
                check_clear(view.facts, unit, view.opaque)
        answered = {view.host: view for view in self.seen.answered.values() if view.host in hosts}
        return fan_out(
            answered, lambda _, view: self.purge.plan(view.facts), limit=self.remove.limit
        )

    def _ask(
        self,
        removal: Sequence[str],
        purges: Mapping[str, Sequence[Step]],
        audience: Audience,
    ) -> list[str]:
        """Show what would go, and have it agreed to; return it, nothing where nothing is left."""
        lines = [*removal, *(f"{n}: {s.name}" for n, steps in purges.items() for s in steps)]
        if lines:
            name = self.remove.service.name
            every = (*lines, *self._remarks)
            audience.preview([f"remove-{name} would:", *(f"    {line}" for line in every)])
            audience.ask(f"remove-{name}", f"Remove {name} from {self.seen.membership.cluster}?")
        return lines

    @property
    def _remarks(self) -> tuple[str, ...]:
        """What is to be said about what stays."""
        service = self.remove.service
        data = f"never removed: the data in {', '.join(service.data)}"
        sections = self.remove.sections.items()
        users = [n for n, section in sections if service.name in registry.service(n).needs(section)]
        return (
            *(f"{service.name} is needed by {user} of the inventory" for user in users),
            *([data] if service.data and self.remove.purge else []),
            *(self._staying if self.remove.purge else ()),
        )

    @property
    def _staying(self) -> Iterator[str]:
        for view in self.seen.answered.values():
            yield from (f"{view.host}: {said}" for said in self.purge.stays(view.facts))

    def _remove(self, removal: Sequence[str], watch: Stopwatch) -> Outcome:
        seen, cluster = self.seen, self.seen.membership.cluster
        if not removal:
            return watch.finish(cluster, Mark.UNCHANGED, *self._absent())
        if self.remove.dry_run:
            lines = (f"would: {line}" for line in removal)
            return watch.finish(cluster, Mark.PLANNED, *lines, *self._remarks)
        named = ", ".join(self._going)
        apply_cib.patch(seen.host, seen.cib, self._plan)
        try:
            self._settle(partial(watch.progress.waiting, cluster))
        except KeyboardInterrupt as stop:
            stop.add_note(f"{named} is out of the cluster, and Pacemaker stops it")
            if self.remove.purge:
                stop.add_note("nothing was purged; run this again: it does the rest")
            raise
        return watch.finish(cluster, Mark.CHANGED, f"{named} removed, stopped everywhere")

    def _settle(self, waits: Waits) -> None:
        """Wait until what was removed runs nowhere. Errors of `settle_removal`."""
        deadline = time.monotonic() + self.remove.timeout
        for name in self._going:
            for element in _inside(self.seen.cib, name):
                left = deadline - time.monotonic()
                apply_cib.settle_removal(self.seen.host, element.get("id", ""), left, waits)

    def _absent(self) -> list[str]:
        """Return what is said where nothing is to go: also of resources with other ids."""
        name = " or ".join(resource.id for resource in self.desired.resources)
        left = [f"{o} runs {self.remove.service.name}; left as it is" for o in self._others]
        return [f"there is no {name or self.remove.service.name}", *left]

    def _constraints(self, cib: Cib) -> list[str]:
        """Return the ids of constraints that name what goes; the service's own are left out."""
        ids = [resource.id for resource in self.desired.resources]
        inner = primitive_ids(self.desired.resources)
        own = {*constraint_ids(cib, self.desired.constraints), *keeping(cib, *ids)}
        named = (str(c.get("id")) for c in cib.constraints_on(*ids, *inner))
        return [name for name in named if name not in own]

    def _plan(self, cib: Cib) -> Cib | None:
        change = plan_removal(cib, self.desired.resources)
        if not change:
            return None
        named = self._constraints(cib)
        if named and not self.remove.with_constraints:
            raise RefusedError(
                self._attempt,
                "constraints name it: " + ", ".join(named),
                "look at them (pcs constraint), then remove them with it: --with-constraints",
            )
        return render_configuration(cib, change)

    def _purge(
        self,
        name: str,
        host: Host,
        steps: Sequence[Step],
        watch: Stopwatch,
        entry: Entry | None,
    ) -> Outcome:
        if not steps:
            return watch.finish(name, Mark.UNCHANGED, "neither package nor configuration")
        if self.remove.dry_run:
            return watch.finish(name, Mark.PLANNED, *(f"would: {s.name}" for s in steps))
        kept: tuple[Step, ...] = ()
        if entry and (gone := self.purge.gone):
            absent = dict.fromkeys(gone, "")
            kept = (plan_store(entry.id, gone), plan_note(entry.id, absent))
        run_steps(host, [*kept, *steps], note=partial(watch.progress.note, name))
        return watch.finish(name, Mark.CHANGED, "package and configuration removed")


def _inside(cib: Cib, name: str) -> Iterator[etree._Element]:
    """Yield a resource's primitives."""
    element = cib.element(name)
    yield from () if element is None else element.iter("primitive")
