"""remove-memcached: the resource out of the cluster, and with purge the package off the hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pacefab.errors import RefusedError
from pacefab.host import packages
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker import readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.plan import plan_removal
from pacefab.pacemaker.render import render_configuration
from pacefab.services.memcached import memcached
from pacefab.transport.command import Step, step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.checks.serving import observe_memcached, other_runner
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.node_plan import check_clear
from pacefab.workflows.nodes.observe import NodeView, observe_node
from pacefab.workflows.nodes.progress import Audience, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, Reach

STEP = "remove-memcached"
_ATTEMPT = "remove the memcached clone"


@dataclass(frozen=True)
class Remove:
    """How a run removes; the cluster has `timeout` seconds to stop memcached."""

    purge: bool = False
    with_constraints: bool = False
    timeout: int = 60
    dry_run: bool = False
    limit: int = 32

    def run(self, hosts: Mapping[str, Host], reach: Reach, audience: Audience) -> list[Outcome]:
        """Take the resource out, wait until it is stopped everywhere, then purge the named hosts.

        Both have to be agreed to.

        Raises:
            PacefabError: nothing was changed.
        """
        watch = Stopwatch(STEP, audience)
        fleet = observe_memcached(hosts, reach, self.limit)
        if self.purge:
            _check_purge(fleet)
        removal = self._plan_removal(fleet)
        silent = {name: fleet.silent[name] for name in hosts if name in fleet.silent}
        looked = fan_out(hosts, _look, limit=self.limit) if self.purge else {}
        purges = values(looked)
        if not self.dry_run:
            self._ask(fleet, removal, purges, audience)
            watch.begin()
        first = self._remove(fleet, removal, watch)
        failed = watch.fail_all(errors(looked) if self.purge else silent)
        purged = watch.each(
            purges, lambda name, steps: self._purge(name, hosts[name], steps, watch), self.limit
        )
        outcomes = {outcome.host: outcome for outcome in (*failed, *purged)}
        return [first, *(outcomes[name] for name in hosts if name in outcomes)]

    def _plan_removal(self, fleet: ClusterView) -> tuple[str, ...]:
        """Return what is done in the cluster, and what Pacemaker does then; empty: nothing."""
        if not plan_removal(fleet.cib, memcached.desired_clone()):
            return ()
        readiness.check_ready(fleet.status, _ATTEMPT)
        _check_managed(fleet)
        new = self._plan(fleet.cib) or fleet.cib
        actions = apply_cib.simulate(fleet.host, new)
        return (f"remove {memcached.CLONE}", *map(str, actions))

    def _ask(
        self,
        fleet: ClusterView,
        removal: Sequence[str],
        purges: Mapping[str, Sequence[Step]],
        audience: Audience,
    ) -> None:
        """Show what would go, and have it agreed to; nothing where nothing is left."""
        lines = [*removal, *(f"{n}: {s.name}" for n, steps in purges.items() for s in steps)]
        if lines:
            audience.preview([f"{STEP} would:", *(f"    {line}" for line in lines)])
            audience.ask(STEP, f"Remove memcached from {fleet.membership.cluster}?")

    def _remove(self, fleet: ClusterView, removal: Sequence[str], watch: Stopwatch) -> Outcome:
        cluster = fleet.membership.cluster
        if not removal:
            other = other_runner(fleet.cib)
            left = [f"{other} runs memcached; left as it is"] if other else []
            return watch.finish(cluster, Mark.UNCHANGED, f"there is no {memcached.CLONE}", *left)
        if self.dry_run:
            return watch.finish(cluster, Mark.PLANNED, *(f"would: {line}" for line in removal))
        apply_cib.patch(fleet.host, fleet.cib, self._plan)
        waits = partial(watch.progress.waiting, cluster)
        try:
            apply_cib.settle_removal(fleet.host, memcached.RESOURCE, self.timeout, waits)
        except KeyboardInterrupt as stop:
            stop.add_note(f"{memcached.CLONE} is out of the cluster, and Pacemaker stops it")
            if self.purge:
                stop.add_note("nothing was purged; run this again: it does the rest")
            raise
        return watch.finish(cluster, Mark.CHANGED, f"{memcached.CLONE} removed, stopped everywhere")

    def _plan(self, cib: Cib) -> Cib | None:
        change = plan_removal(cib, memcached.desired_clone())
        if not change:
            return None
        named = cib.constraints_on(memcached.CLONE, memcached.RESOURCE)
        if named and not self.with_constraints:
            raise RefusedError(
                _ATTEMPT,
                "constraints name it: " + ", ".join(str(c.get("id")) for c in named),
                "look at them (pcs constraint), then remove them with it: --with-constraints",
            )
        return render_configuration(cib, change)

    def _purge(self, name: str, host: Host, steps: Sequence[Step], watch: Stopwatch) -> Outcome:
        if not steps:
            return watch.finish(name, Mark.UNCHANGED, "neither package nor configuration")
        if self.dry_run:
            return watch.finish(name, Mark.PLANNED, *(f"would: {s.name}" for s in steps))
        run_steps(host, steps, note=partial(watch.progress.note, name))
        return watch.finish(name, Mark.CHANGED, "package and configuration removed")


def _check_purge(fleet: ClusterView) -> None:
    """Raise a RefusedError where the package is in use by another resource than ours."""
    if other := other_runner(fleet.cib):
        raise RefusedError(
            "purge memcached",
            f"{other} runs it",
            f"nothing was changed; remove {other.top} first, where nobody needs it",
        )
    if fleet.cib.element(memcached.RESOURCE) is None:
        for view in fleet.views.values():
            check_clear(view.facts, memcached.UNIT, view.opaque)


def _check_managed(fleet: ClusterView) -> None:
    """Raise a RefusedError when Pacemaker would not stop memcached: it would run on, unowned."""
    word = fleet.placement
    nodes = sorted(word.unmanaged.get(memcached.RESOURCE, ()))
    causes = [word.chosen(memcached.RESOURCE, node) for node in nodes]
    if named := dict.fromkeys(str(cause) for cause in causes if cause):
        raise RefusedError(_ATTEMPT, "\n".join(named), "nothing was changed; end that, run again")


def _look(_: str, host: Host) -> list[Step]:
    return plan_purge(observe_node(host, memcached.REMNANTS))


def plan_purge(view: NodeView) -> list[Step]:
    """Return the steps that leave neither package nor configuration; none when there is none."""
    facts = view.facts
    manager, steps = facts.supported_manager(), []
    if facts.packages[memcached.PACKAGE] is not None:
        steps += packages.plan_purge(manager, [memcached.PACKAGE])
    if steps or any(state is not None for state in facts.files.values()):
        steps.append(step("remove configuration", "rm", "-f", *memcached.REMNANTS.files))
    return steps
