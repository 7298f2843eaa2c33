"""Hosts become a cluster, and nodes come and go: what the operator types."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import number
from pacefab.cli.run import Run
from pacefab.errors import UsageError
from pacefab.host.model import Outcome
from pacefab.tasks.asking import Operator
from pacefab.tasks.stack import inventory_of
from pacefab.transport.connection import Host

if TYPE_CHECKING:
    from pacefab.cli.inventory import ClusterInventory
    from pacefab.host.model import Program
    from pacefab.pacemaker.model import Configuration, Primitive
    from pacefab.workflows.formation.bootstrap import Bootstrap
    from pacefab.workflows.formation.remotes import Remotes
    from pacefab.workflows.rollout.desired import Intent

_TIMEOUT = "Seconds for the cluster to follow."


@cluster_task(secrets=True, timeout=_TIMEOUT)
def bootstrap(run: Run, timeout: str = "300") -> int:
    """Make a cluster of bare hosts.

    Packages, trust, setup, start, properties, fencing, remote nodes.

    Safe to repeat: a cluster that stands is left alone, a host that is missing joins it. Hosts of
    another cluster are refused. Needs the secret hacluster: the password of pcs' user.

    Example: fab bootstrap --inventory inventory/openstack.yaml
    """
    return _bootstrap(run, run.named(), "bootstrap", timeout, tuple(run.remotes))


@cluster_task(secrets=True, node="Its name in the inventory.", timeout=_TIMEOUT)
def add_node(run: Run, node: str = "", timeout: str = "300") -> int:
    """Add one bare host of the inventory to its cluster.

    The other nodes' services run on.

    Example: fab add-node --node c4 --inventory inventory/cluster.yaml
    """
    known = {member.name for member in inventory_of(run).nodes}
    if node not in known:
        seen = f"the inventory has no node {node!r}, only {', '.join(sorted(known))}"
        raise UsageError("add a node", seen, "add it there, then: fab add-node --node NAME")
    if node in run.remotes:
        return _bootstrap(run, run.named(), "add-node", timeout, (node,))
    hosts = {**run.named(), node: run.reach(node)}
    joining = bootstrap_of(run, "add-node").joining(hosts, node)
    return _bootstrap(run, joining, "add-node", timeout, ())


@cluster_task(
    node="Its name in the cluster.",
    gone="It will never answer again: take it out without asking it.",
    allow_interruption="Take it out even when something then runs nowhere.",
    timeout="Seconds for Pacemaker to know it no more.",
)
def remove_node(
    run: Run,
    node: str = "",
    gone: bool = False,
    allow_interruption: bool = False,
    timeout: str = "120",
    dry_run: bool = False,
    yes: bool = False,
) -> int:
    """Take one node out of its cluster, remote ones too.

    What it ran moves first; quorum is kept, or it is refused.

    What stops and what moves is shown, then asked.

    Example: fab remove-node --node c3 --inventory inventory/cluster.yaml
    """
    others = {name: host for name, host in run.named().items() if name != node}
    if not node or not others:
        seen = "no other member was named" if node else "no node was named"
        raise UsageError("remove a node", seen, "fab -H c1,c2,c3 remove-node --node c3")
    from pacefab.workflows.formation.removal import STEP, Removal

    removal = Removal(
        node,
        run.inventory.cluster if run.inventory else "",
        gone=gone,
        allow_interruption=allow_interruption,
        timeout=number("--timeout", timeout, least=1),
        dry_run=dry_run,
        limit=run.limit,
        transaction=run.transaction(STEP),
        reach=run.reach,
    )
    operator = Operator(run.printer, yes=yes)
    return run.perform(STEP, lambda: removal.run(others, operator))


@cluster_task(secrets=True)
def setup_qnetd(run: Run) -> int:
    """Make a host one that quorum devices are on.

    corosync-qnetd and pcsd, installed, set up, started; no node of the cluster itself.

    Needs the secret hacluster: the password of pcs' user there, which the nodes' deploy takes too.

    Example: fab -H q1 setup-qnetd
    """
    from pacefab.workflows.formation.qnetd import STEP, QnetdSetup

    setup = QnetdSetup(run.secret, run.limit)
    return run.perform(STEP, lambda: setup.run(run.named(), run.printer))


@cluster_task(secrets=True)
def renew(run: Run) -> int:
    """Renew certificates and tokens of pcs' daemons.

    Nothing of the cluster stops; only pcsd starts again, on every node. Hosts beside the cluster's
    that manage it by pcs have to authenticate again.

    Needs every member, and the secret hacluster: the password of pcs' user. A certificate that is
    not pcsd's own is left alone, and named. Each run renews them.

    Example: fab renew --inventory inventory/cluster.yaml
    """
    from pacefab.workflows.formation.renewal import STEP, Renewal

    transaction = run.transaction(STEP)
    renewal = Renewal(run.secret, transaction, run.limit)
    hosts = {name: host for name, host in run.named().items() if name not in run.remotes}
    work = partial(renewal.run, hosts, run.printer)
    return run.perform(STEP, lambda: transaction.run(work, run.printer))


def bootstrap_of(run: Run, step: str) -> Bootstrap:
    """Return how the run's inventory makes a cluster of hosts.

    Raises:
        UsageError: there is no inventory, or it has not decided about fencing.
    """
    from pacefab.workflows.formation.bootstrap import Bootstrap, check_fencing

    inventory = inventory_of(run)
    check_fencing(decided=inventory.fencing is not None)
    return Bootstrap(
        inventory.membership(),
        _programs(inventory),
        run.secret,
        firewall=run.manages_firewall,
        limit=run.limit,
        step=step,
        corosync=inventory.settings(),
    )


def remotes_of(run: Run, step: str, names: Collection[str], *, lost_only: bool = False) -> Remotes:
    """Return how hosts become remote nodes, those of the inventory that are named.

    A node without a name here is left alone; members that join get the key all the same.
    """
    from pacefab.workflows.formation.remote_plan import RemoteNode
    from pacefab.workflows.formation.remotes import Remotes

    inventory = inventory_of(run)
    ports = {n.name: n.connection.port if n.connection else None for n in inventory.remotes}
    return Remotes(
        inventory.membership(),
        tuple(RemoteNode(name, port) for name, port in ports.items() if name in names),
        run.remotes,
        known=bool(ports),
        firewall=run.manages_firewall,
        lost_only=lost_only,
        limit=run.limit,
        step=step,
    )


def _programs(inventory: ClusterInventory) -> tuple[Program, ...]:
    """Return the fence agents of the inventory's devices, and what they call."""
    from pacefab.inventory.configuration import desired_configuration
    from pacefab.services import agents

    every = desired_configuration(inventory, lambda _: "")
    return agents.programs(replace(every, resources=_devices(every)))


def _connections(configuration: Configuration, names: Collection[str]) -> tuple[Primitive, ...]:
    from pacefab.pacemaker.model import Primitive

    primitives = [item for item in configuration.resources if isinstance(item, Primitive)]
    return tuple(item for item in primitives if item.id in names)


def _devices(configuration: Configuration) -> tuple[Primitive, ...]:
    from pacefab.pacemaker.model import Primitive

    primitives = [item for item in configuration.resources if isinstance(item, Primitive)]
    return tuple(item for item in primitives if item.agent.startswith("stonith:"))


def _bootstrap(
    run: Run, hosts: dict[str, Host], step: str, timeout: str, remotes: tuple[str, ...]
) -> int:
    """Form the cluster, then bring it to the inventory's settings, fencing, and remote nodes."""
    from pacefab.workflows.rollout.fencing_checks import check_new
    from pacefab.workflows.rollout.planning import Planner
    from pacefab.workflows.rollout.rollout import Rollout

    transaction = run.transaction(step)
    forming = replace(bootstrap_of(run, step), transaction=transaction)
    joining = replace(remotes_of(run, step, remotes), transaction=transaction)
    intent = _without_services(run, inventory_of(run), remotes)
    check_new(intent, intent.base)
    flow = Rollout(
        Planner(intent, nodes=False, whole=False),
        timeout=number("--timeout", timeout, least=1),
        limit=run.limit,
        step=step,
        transaction=transaction,
        secret=run.secret,
    )
    operator = Operator(run.printer, yes=True)

    def work() -> list[Outcome]:
        form = forming.prepare(hosts, run.printer)
        join = joining.prepare(hosts, run.printer)
        return [*form(), *join(), *flow.run(hosts, operator)]

    return run.perform(step, lambda: transaction.run(work, run.printer))


def _without_placing(
    inventory: ClusterInventory, every: Configuration, remotes: Collection[str]
) -> dict[str, dict[str, str]]:
    """Return the attributes of members and of the named remote nodes.

    Those by which services are placed come with a deploy: it brings to a remote node what they need
    there, and without it they would fail to start.
    """
    placing = {name for place in inventory.places.values() for name in place.attributes}
    roles = {node.name: node.remote for node in inventory.nodes}
    return {
        node: {name: to for name, to in own.items() if not (roles.get(node) and name in placing)}
        for node, own in every.attributes.items()
        if node in remotes or not roles.get(node)
    }


def _without_services(run: Run, inventory: ClusterInventory, remotes: Collection[str]) -> Intent:
    """Return the inventory's settings and fencing, and the named remote nodes; no service."""
    from pacefab.inventory.configuration import desired_configuration, secret_names
    from pacefab.pacemaker.model import Configuration
    from pacefab.workflows.rollout.desired import Intent

    run.gather(secret_names(inventory))
    every = desired_configuration(inventory, run.secret)
    base = Configuration(
        properties=every.properties,
        defaults=every.defaults,
        attributes=_without_placing(inventory, every, remotes),
        resources=(*_devices(every), *_connections(every, remotes)),
        notes=every.notes,
    )
    settings = inventory.settings()
    return Intent(
        inventory.membership(),
        inventory.sections,
        (),
        base,
        run.secret,
        corosync=settings,
        sbd=inventory.sbd(),
    )
