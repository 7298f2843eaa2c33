"""The product's way from an inventory to the CIB: nothing is installed or waited for.

For comparisons with pcs, which does not wait either.
"""

from __future__ import annotations

from pathlib import Path

from fabric import Config, Connection

from pacefab.cli.inventory import read_inventory
from pacefab.cli.routes import route
from pacefab.harness.cluster import Cluster
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker import metadata
from pacefab.pacemaker.pcs.lines import render_pcs
from pacefab.transport.connection import Access, Host
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.view import observe_cluster
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.planning import Planner


def hosts(cluster: Cluster) -> dict[str, Host]:
    """Return the cluster's nodes, not yet connected."""
    ways = {node: Connection(node, config=Config(lazy=True)) for node in cluster.nodes}
    file = cluster.ssh_config
    return {node: route(None, way, file, "", Access()) for node, way in ways.items()}


def planner(file: Path) -> Planner:
    """Return who plans the CIB of an inventory; its secrets are no secrets."""
    inventory = read_inventory(file)
    sections, base = inventory.sections, desired_configuration(inventory, str)
    intent = Intent(inventory.membership(), sections, tuple(sections), base, str)
    return Planner(intent, nodes=False)


def patch(cluster: Cluster, file: Path) -> None:
    """Read the inventory, look at the nodes, plan, simulate, and patch the CIB."""
    plans = planner(file)
    seen = observe_cluster(hosts(cluster), plans.look(), limit=len(cluster.nodes))
    plan = plans.plan_cluster(seen)
    apply_cib.patch(seen.host, seen.cib, lambda cib: plans.render(cib, plan))


def pcs_lines(cluster: Cluster, file: Path) -> list[str]:
    """Return the pcs commands that would do what `patch` does now."""
    plans = planner(file)
    seen = observe_cluster(hosts(cluster), plans.look(), limit=len(cluster.nodes))
    plan = plans.plan_cluster(seen)
    known = seen.metadata(metadata.agents(plan.desired))
    return render_pcs(plan.configuration, known)
