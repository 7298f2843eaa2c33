"""Hosts become a cluster, and nodes come and go: what the operator types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabfile.deploy.bootstrap import STEP, Bootstrap, check_fencing
from fabfile.deploy.intent import Intent
from fabfile.deploy.planning import Planner
from fabfile.deploy.rollout import Rollout
from fabfile.pacemaker.model import Configuration, Primitive
from fabfile.tasks.collect import Run, cluster_task
from fabfile.tasks.options import number
from fabfile.tasks.stack import Operator, inventory_of
from fabfile.transport.connection import Host

if TYPE_CHECKING:
    from fabfile.tasks.inventory import ClusterInventory

_TIMEOUT = "Seconds for the cluster to follow."


@cluster_task(secrets=True, timeout=_TIMEOUT)
def bootstrap(run: Run, timeout: str = "300") -> int:
    """Make a cluster of bare hosts: packages, trust, setup, start, properties, fencing.

    Safe to repeat: a cluster that stands is left alone, a host that is missing joins it. Hosts of
    another cluster are refused. Needs the secret hacluster: the password of pcs' user.

    Example: fab bootstrap --inventory inventory/openstack.yaml
    """
    return _bootstrap(run, run.named(), STEP, timeout)


def bootstrap_of(run: Run, step: str = STEP) -> Bootstrap:
    """Return how the run's inventory makes a cluster of hosts.

    Raises:
        UsageError: there is no inventory, or it has not decided about fencing.
    """
    inventory = inventory_of(run)
    check_fencing(decided=inventory.fencing is not None)
    devices = inventory.fencing.devices.values() if inventory.fencing else ()
    return Bootstrap(
        inventory.membership(),
        tuple(dict.fromkeys(device.agent for device in devices)),
        run.secret,
        firewall=inventory.firewall == "managed",
        limit=run.limit,
        step=step,
    )


def _bootstrap(run: Run, hosts: dict[str, Host], step: str, timeout: str) -> int:
    forming = bootstrap_of(run, step)
    inventory, operator = inventory_of(run), Operator(run.printer, yes=True)
    flow = Rollout(
        Planner(_without_services(run, inventory), nodes=False, whole=False),
        what_forms=lambda seen: forming.sentences(seen.hosts),
        form=lambda on: forming.form(on, operator),
        timeout=number("--timeout", timeout, least=1),
        limit=run.limit,
        step=step,
    )
    return run.carry_out(step, lambda: flow.run(hosts, operator))


def _without_services(run: Run, inventory: ClusterInventory) -> Intent:
    """Return what the inventory wants of every cluster: settings and fencing, no service."""
    run.gather(inventory.secret_names())
    every = inventory.configuration(run.secret)
    devices = [one for one in every.resources if isinstance(one, Primitive)]
    base = Configuration(
        properties=every.properties,
        defaults=every.defaults,
        attributes=every.attributes,
        resources=tuple(one for one in devices if one.agent.startswith("stonith:")),
        notes=every.notes,
    )
    return Intent(inventory.membership(), inventory.sections, (), base, run.secret)
