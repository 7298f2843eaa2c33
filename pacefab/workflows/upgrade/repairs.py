"""What of a CIB is written for the next generation: planned, shown and applied as any change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.restore import plan_restore, render_restored
from pacefab.pacemaker.upgrade.findings import Rule, examine
from pacefab.pacemaker.upgrade.rules import PACEMAKER_3
from pacefab.services.service import Look
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.planning import Plan


@dataclass(frozen=True)
class Repairs:
    """Plans every change of the CIB that a finding has; nodes stay as they are."""

    rules: Iterable[tuple[str, Rule]] = PACEMAKER_3

    def look(self) -> Look:
        """Return what to look at on every node: nothing but the cluster."""
        return Look()

    def plan(self, seen: ClusterView, forming: tuple[str, ...] = ()) -> Plan:
        """Return what would change in the cluster's configuration. Errors of `plan_cluster`."""
        del forming  # there is a cluster, or nothing to be written
        return self.plan_cluster(seen)

    def plan_node(self, seen: ClusterView, name: str) -> NodePlan:
        """Return that nothing changes on a node."""
        del seen, name
        return NodePlan()

    def plan_cluster(self, seen: ClusterView) -> Plan:
        """Return what would change, and what Pacemaker would then do.

        Raises:
            RefusedError: no node has quorum, or Pacemaker refuses the new CIB.
        """
        seen.check_quorum("plan the change")
        fixed = self._fixed(seen.cib)
        change = plan_restore(seen.cib, fixed)
        transitions, placement = (
            apply_cib.foresee(seen.host, render_restored(seen.cib, fixed))
            if change
            else ((), seen.placement)
        )
        return Plan(
            seen.membership.cluster,
            configuration=change,
            transitions=transitions,
            silent=seen.silent,
            desired=read_configuration(fixed),
            placement=placement,
        )

    def render(self, cib: Cib, plan: Plan) -> Cib | None:
        """Return the CIB that the plan leads to; None: from this one it would be another plan."""
        fixed = self._fixed(cib)
        same = plan_restore(cib, fixed).changes == plan.configuration.changes
        return render_restored(cib, fixed) if same else None

    def _fixed(self, cib: Cib) -> Cib:
        return examine(cib, self.rules).fixed
