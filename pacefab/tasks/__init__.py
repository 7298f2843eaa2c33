"""What the operator types.

The tasks are here by their names, for a collection of your own: `from pacefab.tasks import status`;
`namespace` has them all. Those of services follow from the services that there are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from invoke.collection import Collection

from pacefab.cli.cluster_task import AnyTask
from pacefab.tasks.bootstrap import add_node, bootstrap, remove_node, renew, setup_qnetd
from pacefab.tasks.clients import check_clients, client_config
from pacefab.tasks.cluster import status
from pacefab.tasks.deploy import adopt, deploy, history, plan, rollback
from pacefab.tasks.drill import drill
from pacefab.tasks.export import export
from pacefab.tasks.fencing import verify_fencing
from pacefab.tasks.galera import start_galera
from pacefab.tasks.init import init
from pacefab.tasks.memcached import install_memcached
from pacefab.tasks.migrate import migrate
from pacefab.tasks.patch import patch
from pacefab.tasks.rolling import update_memcached
from pacefab.tasks.services import service_tasks, verify_tasks
from pacefab.tasks.upgrade import upgrade

_VERIFY_TASKS: Final = {task.__name__: task for task in verify_tasks()}
_SERVICE_TASKS: Final = {task.__name__: task for task in service_tasks()} | _VERIFY_TASKS

GROUPS: Final[Mapping[str, Sequence[AnyTask]]] = {
    "First steps": (init, migrate, export, adopt, bootstrap),
    "The whole inventory": (plan, deploy, rollback, history),
    "Look; nothing is changed": (status, *_VERIFY_TASKS.values(), verify_fencing, check_clients),
    "One service": (
        install_memcached,
        update_memcached,
        *(task for name, task in _SERVICE_TASKS.items() if name not in _VERIFY_TASKS),
    ),
    "Day two": (
        add_node,
        remove_node,
        renew,
        setup_qnetd,
        start_galera,
        client_config,
        drill,
        patch,
        upgrade,
    ),
}
"""The tasks by when they are used: what `--list` shows, in this order."""

namespace = Collection(*(task for group in GROUPS.values() for task in group))


def __getattr__(name: str) -> Any:
    """Return the task of a service that any package offers, such as `install_haproxy`."""
    if name not in _SERVICE_TASKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _SERVICE_TASKS[name]


__all__ = [
    "GROUPS",
    "add_node",
    "adopt",
    "bootstrap",
    "check_clients",
    "client_config",
    "deploy",
    "drill",
    "export",
    "history",
    "init",
    "install_memcached",
    "migrate",
    "namespace",
    "patch",
    "plan",
    "remove_node",
    "renew",
    "rollback",
    "setup_qnetd",
    "start_galera",
    "status",
    "update_memcached",
    "upgrade",
    "verify_fencing",
]
