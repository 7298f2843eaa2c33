"""install-, create-, update-, verify- and remove-NAME for every service that there is."""

from __future__ import annotations

from pathlib import Path

from pacefab.cli.cluster_task import AnyTask, cluster_task
from pacefab.cli.options import check_writable, number
from pacefab.cli.run import Run
from pacefab.services.offers import names
from pacefab.tasks.asking import Operator
from pacefab.tasks.rolling import update
from pacefab.tasks.stack import (
    check_restarts,
    creation_of,
    install_of,
    only,
    roll_out,
    verification_of,
)
from pacefab.tasks.verifying import JUNIT, report

_OWN = {"memcached"}  # has tasks of its own, with options for those who need no inventory


def service_tasks() -> list[AnyTask]:
    """Return the tasks of all services but those that have their own."""
    return [
        make(name)
        for name in names()
        for make in (_install_task, _create_task, _update_task, _remove_task)
        if name not in _OWN or make not in {_install_task, _update_task}
    ]


def verify_tasks() -> list[AnyTask]:
    """Return the tasks that look at one service each."""
    return [_verify_task(name) for name in names()]


def _install_task(service: str) -> AnyTask:
    def body(run: Run, lock_timeout: str = "120", dry_run: bool = False, yes: bool = False) -> int:
        seconds = number("--lock-timeout", lock_timeout, least=0)
        install = install_of(run, service, lock_seconds=seconds, dry_run=dry_run)
        hosts = run.everywhere()
        operator = Operator(run.printer, yes=yes)
        return run.perform(f"install-{service}", lambda: install.run(hosts, operator))

    body.__name__ = f"install_{service}"
    body.__doc__ = f"""Install and configure {service} on all nodes.

    All at once, as the inventory says.

    Pacemaker alone starts it; a changed file is reloaded where that interrupts nothing. Before
    something that runs is stopped, it is asked.

    Example: fab install-{service} --inventory inventory/openstack.yaml
    """
    return cluster_task(
        secrets=True,
        leaves_out=True,
    )(body)


def _create_task(service: str) -> AnyTask:
    def body(
        run: Run,
        dry_run: bool = False,
        yes: bool = False,
        update: bool = False,
        allow_interruption: bool = False,
        keep_on_failure: bool = False,
        timeout: str = "300",
    ) -> int:
        flow = creation_of(
            run,
            service,
            update=update or dry_run,
            allow_interruption=allow_interruption,
            keep_on_failure=keep_on_failure,
            timeout=number("--timeout", timeout, least=1),
        )
        return roll_out(run, flow, Operator(run.printer, yes=yes), dry_run=dry_run)

    create, by = f"create-{service}", "--inventory inventory/openstack.yaml"
    words = f"-H c1,c2,c3 {create}" if service in _OWN else f"{create} {by}"
    body.__name__ = f"create_{service}"
    body.__doc__ = f"""Create the resources of {service}, and ask the service.

    Once for the cluster, whichever hosts are named; by the inventory, else with the defaults that
    it has.

    Done when each instance that Pacemaker is to run has answered. What is there and equal is left
    alone; what differs is shown, and changed only with --update, as one atomic change, once agreed
    to.

    Example: fab {words}
    """
    return cluster_task(
        secrets=True,
        leaves_out=True,
        dry_run="Show what would be done, and what Pacemaker would then do; change nothing.",
        update="Bring what is there and different to the desired state.",
        timeout="Seconds for the cluster to follow and for the service to answer.",
        keep_on_failure="Leave resources as they are when they do not come up, for a look at them.",
    )(body)


def _update_task(service: str) -> AnyTask:
    def body(
        run: Run,
        package: bool = False,
        timeout: str = "300",
        lock_timeout: str = "120",
        dry_run: bool = False,
        yes: bool = False,
    ) -> int:
        wait = number("--lock-timeout", lock_timeout, least=0)
        seconds, intent = number("--timeout", timeout, least=1), only(run, service)
        check_restarts(service)
        return update(
            run, intent, run.everywhere(), seconds, wait, package=package, dry_run=dry_run, yes=yes
        )

    body.__name__ = f"update_{service}"
    body.__doc__ = f"""Change {service} node by node.

    Stopped by Pacemaker, changed as the inventory says, started, asked, then the next.

    Before each node the cluster must be healthy; the first failure ends it, with the nodes after
    it untouched. Nodes that are as desired are left alone. What would be restarted is shown, then
    asked.

    Example: fab update-{service} --inventory inventory/openstack.yaml
    """
    return cluster_task(
        secrets=True,
        leaves_out=True,
        package="Bring its packages to the repositories' newest versions too.",
        timeout=f"Seconds for each node's {service} to stop, and to start and answer.",
        dry_run="Show what would be done on which node; change nothing.",
    )(body)


def _remove_task(service: str) -> AnyTask:
    def body(
        run: Run,
        purge: bool = False,
        with_constraints: bool = False,
        timeout: str = "300",
        dry_run: bool = False,
        yes: bool = False,
    ) -> int:
        seconds, hosts = number("--timeout", timeout, least=1), run.everywhere()
        from pacefab.services import registry
        from pacefab.workflows.rollout.remove import Remove

        remove = Remove(
            registry.service(service),
            run.inventory.sections if run.inventory else {},
            purge,
            with_constraints,
            run.manages_firewall,
            seconds,
            dry_run,
            run.limit,
            run.transaction(f"remove-{service}"),
            run.placed,
            run.client_networks,
        )
        operator = Operator(run.printer, yes=yes)
        return run.perform(f"remove-{service}", lambda: remove.run(hosts, run.reach, operator))

    body.__name__ = f"remove_{service}"
    body.__doc__ = f"""Remove the resources of {service}; safe to run twice.

    What goes is shown and asked about first. Data of databases and queues are never removed.

    Example: fab -H c1,c2,c3 remove-{service} --purge
    """
    return cluster_task(
        purge="Then remove packages and configuration from the named hosts.",
        with_constraints="Remove the constraints that name the resources along with them.",
        timeout=f"Seconds for the cluster to stop {service} everywhere.",
        dry_run="Show what would be done, and what Pacemaker would then do; change nothing.",
    )(body)


def _verify_task(service: str) -> AnyTask:
    def body(run: Run, json: bool = False, junit: str | None = None) -> int:
        if junit:
            check_writable(Path(junit))
        verify = verification_of(run, service)
        hosts = run.everywhere()
        with run.printer.looking(f"verify-{service}", hosts):
            found = verify.run(hosts, run.reach)
        return report(run, found, json=json, junit=junit)

    body.__name__ = f"verify_{service}"
    body.__doc__ = f"""Check that {service} is of use; harmless at any time.

    Its resources, what nodes need for it, what is in force, and every question that it should
    answer. Without an inventory that has it, as the cluster shows it. A failure comes with its
    likely cause.

    Example: fab -H c1,c2,c3 verify-{service} --junit verify.xml
    """
    return cluster_task(secrets=True, reads_only=True, junit=JUNIT)(body)
