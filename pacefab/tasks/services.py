"""install-NAME and create-NAME for every service that there is."""

from __future__ import annotations

from pacefab.cli.cluster_task import AnyTask, cluster_task
from pacefab.cli.options import number
from pacefab.cli.run import Run
from pacefab.services import registry
from pacefab.tasks.asking import Operator
from pacefab.tasks.stack import creation_of, install_of, roll_out

_OWN = {"memcached"}  # has tasks of its own, with options for those who need no inventory


def service_tasks() -> list[AnyTask]:
    """Return the tasks of all services but those that have their own."""
    names = [name for name in registry.names() if name not in _OWN]
    return [make(name) for name in names for make in (_install_task, _create_task)]


def _install_task(service: str) -> AnyTask:
    def body(run: Run, lock_timeout: str = "120", dry_run: bool = False, yes: bool = False) -> int:
        seconds = number("--lock-timeout", lock_timeout, least=0)
        install = install_of(run, service, lock_seconds=seconds, dry_run=dry_run)
        hosts = run.named()
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
    )(body)


def _create_task(service: str) -> AnyTask:
    def body(
        run: Run,
        dry_run: bool = False,
        yes: bool = False,
        allow_interruption: bool = False,
        timeout: str = "300",
    ) -> int:
        flow = creation_of(
            run,
            service,
            allow_interruption=allow_interruption,
            asks_of_additions=False,
            timeout=number("--timeout", timeout, least=1),
        )
        return roll_out(run, flow, Operator(run.printer, yes=yes), dry_run=dry_run)

    body.__name__ = f"create_{service}"
    body.__doc__ = f"""Create the resources of {service}, and ask the service.

    As the inventory says.

    What is there and equal is left alone; what differs is brought to it, as one atomic change, once
    agreed to.

    Example: fab create-{service} --inventory inventory/openstack.yaml
    """
    return cluster_task(
        secrets=True,
        dry_run="Show what would be done, and what Pacemaker would then do; change nothing.",
        timeout="Seconds for the cluster to follow and for the service to answer.",
    )(body)
