"""What every task of an inventory begins with: its flow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pacefab.cli.run import Run
from pacefab.errors import UsageError
from pacefab.tasks.asking import Operator

if TYPE_CHECKING:
    from pacefab.cli.inventory import ClusterInventory
    from pacefab.workflows.rollout.desired import Intent
    from pacefab.workflows.rollout.install import Install
    from pacefab.workflows.rollout.rollout import Rollout
    from pacefab.workflows.rollout.verify import Verify


def inventory_of(run: Run) -> ClusterInventory:
    """Return the run's inventory.

    Raises:
        UsageError: there is none, or it cannot be used.
    """
    if run.inventory is None:
        raise UsageError(
            "find the inventory",
            "none was named, and there is no inventory/cluster.yaml",
            "give it: --inventory FILE (begin with a copy of inventory/openstack.yaml)",
        )
    return run.inventory


def intent_of(run: Run) -> Intent:
    """Return what the run's inventory describes; its secrets are asked for now.

    Same errors as `inventory_of`.
    """
    inventory, intent = inventory_of(run), _services_of(run)
    from pacefab.inventory.configuration import desired_configuration, secret_names

    run.gather((*intent.secrets(), *secret_names(inventory)))
    return replace(intent, base=desired_configuration(inventory, run.secret))


def _services_of(run: Run) -> Intent:
    inventory = inventory_of(run)
    run.named()  # they are reached while the rest is imported
    from pacefab.pacemaker.model import Configuration
    from pacefab.workflows.rollout.desired import Intent

    sections = inventory.sections
    return Intent(
        inventory.membership(),
        sections,
        tuple(sections),
        Configuration(),
        run.secret,
        beside_remotes=len(inventory.members) < len(inventory.nodes),
        places=inventory.places,
        corosync=inventory.settings(),
        sbd=inventory.sbd(),
    )


def rollout(
    run: Run,
    *,
    prune: bool = False,
    update: bool = False,
    restart_cluster: bool = False,
    **options: Any,
) -> Rollout:
    """Return the flow for the whole inventory. Same errors as `inventory_of`."""
    intent = intent_of(run)
    from pacefab.workflows.rollout.planning import Planner
    from pacefab.workflows.rollout.rollout import Rollout

    planner = Planner(
        intent,
        firewall=run.manages_firewall,
        clients=run.client_networks,
        prune=prune,
        update=update,
        restart_cluster=restart_cluster,
    )
    transaction = run.transaction(options.get("step", "deploy"))
    secret = run.secret
    return Rollout(planner, limit=run.limit, transaction=transaction, secret=secret, **options)


def creation_of(run: Run, service: str, *, update: bool, **options: Any) -> Rollout:
    """Return the flow for one service's resources, whichever of the cluster's nodes are named.

    Where the inventory does not have the service, it is made with its settings by default. Same
    errors as `only`.
    """
    known = run.inventory is not None and service in run.inventory.sections
    intent = only(run, service) if known else _by_default(run, service)
    from pacefab.workflows.rollout.creation import Creation
    from pacefab.workflows.rollout.planning import Planner
    from pacefab.workflows.rollout.rollout import Rollout

    planner = Creation(Planner(intent, nodes=False, whole=False), update)
    return Rollout(
        planner,
        step=f"create-{service}",
        asks_of_additions=False,
        by_node=True,
        reach=run.reach_rest,
        limit=run.limit,
        transaction=run.transaction(f"create-{service}"),
        **options,
    )


def _by_default(run: Run, service: str) -> Intent:
    """Return one service with its settings by default, where it can be without any.

    Same errors as `only`.
    """
    from pacefab.services import registry

    default = registry.service(service).default
    if default is None:
        return only(run, service)
    run.named()
    from pacefab.pacemaker.model import Configuration, Membership
    from pacefab.workflows.rollout.desired import Intent

    inventory = run.inventory
    membership = inventory.membership() if inventory else Membership("", ())
    sections = {**(inventory.sections if inventory else {}), service: default}
    intent = Intent(membership, sections, (service,), Configuration(), run.secret, recognised=True)
    run.gather(intent.secrets())
    return intent


def install_of(run: Run, service: str, **options: Any) -> Install:
    """Return the flow for one service's packages and files. Same errors as `only`."""
    intent = only(run, service)
    from pacefab.workflows.rollout.install import Install

    return Install(
        service,
        intent.look(),
        intent.node,
        intent.sections,
        intent.secret,
        intent.membership,
        intent.places,
        tuple(run.placed),
        firewall=run.manages_firewall,
        clients=run.client_networks,
        limit=run.limit,
        transaction=run.transaction(f"install-{service}"),
        **options,
    )


def check_restarts(service: str) -> None:
    """Raise a UsageError where a service has nothing on nodes that could be changed there."""
    from pacefab.services import registry
    from pacefab.services.service import nothing_desired

    if registry.service(service).node is nothing_desired:
        raise UsageError(
            f"update {service}",
            "nothing of it is on the nodes, so nothing is restarted",
            f"change its resources: fab create-{service}",
        )


def verification_of(run: Run, service: str) -> Verify:
    """Return what checks one service, by the inventory if it has it.

    Raises:
        UsageError: the inventory cannot be used, or a secret is not there.
    """
    known = run.inventory is not None and service in run.inventory.sections
    intent = only(run, service) if known else None
    from pacefab.services import registry
    from pacefab.workflows.rollout.verify import Verify

    verify = Verify(registry.service(service), intent, run.manages_firewall, run.limit)
    return replace(verify, clients=run.client_networks)


def roll_out(run: Run, flow: Rollout, operator: Operator, *, dry_run: bool = False) -> int:
    """Run a flow over the run's hosts, or show its plan alone; return the exit status."""
    hosts = run.everywhere()
    if not dry_run:
        return run.perform(flow.step, lambda: flow.run(hosts, operator))
    with run.printer.working(flow.step, hosts):
        found = flow.plan(flow.observe(hosts))
    operator.print_plan(found)
    flow.check(found)
    return 1 if found.silent else 0


def only(run: Run, service: str) -> Intent:
    """Return what the inventory says of one service.

    Raises:
        UsageError: the inventory does not have that service, or cannot be used.
    """
    inventory = inventory_of(run)
    if service not in inventory.sections:
        raise UsageError(
            f"find the service {service}",
            f"the inventory has {', '.join(inventory.sections) or 'no services'}",
            f"add it there, under services: `{service}: {{}}`",
        )
    intent = _services_of(run).only(service)
    run.gather(intent.secrets())
    return intent
