"""memcached under Pacemaker: what the operator types."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import number, number_if_given
from pacefab.cli.run import Run
from pacefab.tasks.asking import Operator

if TYPE_CHECKING:
    from pacefab.services.memcached.memcached import Request


@cluster_task(leaves_out=True)
def install_memcached(
    run: Run,
    listen: str | None = None,
    memory: str | None = None,
    max_connections: str | None = None,
    port: str | None = None,
    restartable: bool = False,
    lock_timeout: str = "120",
    dry_run: bool = False,
    yes: bool = False,
) -> int:
    """Install and configure memcached on all hosts at once.

    The unit is left disabled and stopped: Pacemaker alone starts it. One that Pacemaker already
    runs is neither stopped nor restarted; before one that runs outside Pacemaker is stopped, it is
    asked. What no option says, the inventory's section memcached does.

    Example: fab -H c1,c2,c3 install-memcached --memory 256
    """
    request = requested(run, listen, memory, max_connections, port, restartable=restartable)
    seconds, hosts = number("--lock-timeout", lock_timeout, least=0), run.everywhere()
    from pacefab.services.memcached import memcached
    from pacefab.workflows.rollout.install import Install

    install = Install(
        "memcached",
        replace(memcached.LOOK, labelled=memcached.labelled(request.port)),
        partial(memcached.desired_node, request),
        places=run.inventory.places if run.inventory else {},
        remotes=tuple(run.placed),
        firewall=run.manages_firewall,
        clients=run.client_networks,
        lock_seconds=seconds,
        dry_run=dry_run,
        limit=run.limit,
        transaction=run.transaction("install-memcached"),
    )
    operator = Operator(run.printer, yes=yes)
    return run.perform("install-memcached", lambda: install.run(hosts, operator))


def requested(
    run: Run,
    listen: str | None,
    memory: str | None,
    max_connections: str | None,
    port: str | None,
    *,
    restartable: bool,
) -> Request:
    """Return the settings that options gave, the others as the inventory has them.

    Raises:
        UsageError: a number is none, or the inventory cannot be used.
    """
    from pacefab.services.memcached.memcached import Request

    section = run.inventory and run.inventory.section("memcached")
    given: dict[str, Any] = {
        "listen": listen,
        "port": number_if_given("--port", port),
        "memory": number_if_given("--memory", memory),
        "max_connections": number_if_given("--max-connections", max_connections),
        "restartable": restartable or None,
    }
    request = section.request() if section else Request()
    return replace(request, **{name: to for name, to in given.items() if to is not None})
