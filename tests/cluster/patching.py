"""The product's way from an inventory to the CIB: nothing is installed or waited for.

For comparisons with pcs, which does not wait either.
"""

from __future__ import annotations

from pathlib import Path

from fabric import Config, Connection

from fabfile.deploy import apply
from fabfile.deploy.intent import Intent
from fabfile.deploy.planning import Planner
from fabfile.deploy.survey import survey
from fabfile.pacemaker import metadata
from fabfile.pacemaker.pcs import render_pcs
from fabfile.tasks.inventory import read_inventory
from fabfile.transport.connection import Access, Host
from tests.harness.cluster import Cluster


def hosts(cluster: Cluster) -> dict[str, Host]:
    """Return the cluster's nodes, not yet connected."""
    config = Config(runtime_ssh_path=str(cluster.ssh_config))
    return {node: Host(node, Connection(node, config=config), Access()) for node in cluster.nodes}


def planner(file: Path) -> Planner:
    """Return who plans the CIB of an inventory; its secrets are no secrets."""
    inventory = read_inventory(file)
    sections, base = inventory.sections, inventory.configuration(str)
    intent = Intent(inventory.membership(), sections, tuple(sections), base, str)
    return Planner(intent, nodes=False)


def patch(cluster: Cluster, file: Path) -> None:
    """Read the inventory, look at the nodes, plan, simulate, and patch the CIB."""
    plans = planner(file)
    seen = survey(hosts(cluster), plans.look(), limit=len(cluster.nodes))
    plan = plans.plan_cluster(seen)
    apply.patch(seen.host, seen.cib, lambda cib: plans.render(cib, plan))


def pcs_lines(cluster: Cluster, file: Path) -> list[str]:
    """Return the pcs commands that would do what `patch` does now."""
    plans = planner(file)
    seen = survey(hosts(cluster), plans.look(), limit=len(cluster.nodes))
    plan = plans.plan_cluster(seen)
    known = seen.metadata(metadata.agents(plan.wanted))
    return render_pcs(plan.configuration, known)
