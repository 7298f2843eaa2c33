"""remove-memcached: the resource out of the cluster, and with purge the package off the hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from pacefab.errors import RefusedError
from pacefab.host import packages
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker import live
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.plan import plan_removal
from pacefab.pacemaker.render import render_configuration
from pacefab.services.memcached import memcached
from pacefab.transport.command import Step, step
from pacefab.transport.connection import Host
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import run_steps
from pacefab.workflows.nodes.fleet import Fleet, Reach, gather
from pacefab.workflows.nodes.observe import NodeView, observe_node
from pacefab.workflows.nodes.progress import Progress, Stopwatch

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

    def run(self, hosts: Mapping[str, Host], reach: Reach, progress: Progress) -> list[Outcome]:
        """Take the resource out, wait until it is stopped everywhere, then purge the named hosts.

        Raises:
            PacefabError: nothing was changed.
        """
        watch = Stopwatch(STEP, progress)
        fleet = gather(hosts, reach, self.limit)
        outcomes = [self._remove(fleet, watch)]
        if not self.purge:
            return [
                *outcomes,
                *watch.fail_all({n: fleet.silent[n] for n in hosts if n in fleet.silent}),
            ]
        return outcomes + watch.each(hosts, lambda _, host: self._purge(host, watch), self.limit)

    def _remove(self, fleet: Fleet, watch: Stopwatch) -> Outcome:
        cluster, status = fleet.membership.cluster, fleet.view.status
        if not plan_removal(fleet.view.cib, memcached.desired_clone()):
            return watch.finish(cluster, Mark.UNCHANGED, f"there is no {memcached.CLONE}")
        live.check_ready(status, _ATTEMPT)
        if self.dry_run:
            return self._preview(fleet, watch)
        apply_cib.patch(fleet.host, fleet.view.cib, self._plan)
        waits = partial(watch.progress.waiting, cluster)
        apply_cib.settle_removal(fleet.host, memcached.RESOURCE, self.timeout, waits)
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

    def _preview(self, fleet: Fleet, watch: Stopwatch) -> Outcome:
        new = self._plan(fleet.view.cib) or fleet.view.cib
        actions = apply_cib.simulate(fleet.host, new)
        notes = [f"would: remove {memcached.CLONE}", *(f"would: {action}" for action in actions)]
        return watch.finish(fleet.membership.cluster, Mark.PLANNED, *notes)

    def _purge(self, host: Host, watch: Stopwatch) -> Outcome:
        view = observe_node(host, memcached.REMNANTS)
        steps = plan_purge(view)
        if not steps:
            return watch.finish(host.name, Mark.UNCHANGED, "neither package nor configuration")
        if self.dry_run:
            return watch.finish(host.name, Mark.PLANNED, *(f"would: {s.name}" for s in steps))
        run_steps(host, steps, note=partial(watch.progress.note, host.name))
        return watch.finish(host.name, Mark.CHANGED, "package and configuration removed")


def plan_purge(view: NodeView) -> list[Step]:
    """Return the steps that leave neither package nor configuration; none when there is none."""
    facts = view.facts
    manager, steps = facts.supported_manager(), []
    if facts.packages[memcached.PACKAGE] is not None:
        steps += packages.plan_purge(manager, [memcached.PACKAGE])
    if steps or any(state is not None for state in facts.files.values()):
        steps.append(step("remove configuration", "rm", "-f", *memcached.REMNANTS.files))
    return steps
