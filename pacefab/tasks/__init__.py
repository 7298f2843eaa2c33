"""What the operator types.

The tasks are here by their names, for a collection of your own: `from pacefab.tasks import status`;
`namespace` has them all. Those of services follow from the services that there are.
"""

from typing import Any

from invoke.collection import Collection

from pacefab.tasks.bootstrap import add_node, bootstrap, remove_node
from pacefab.tasks.clients import check_clients, client_config
from pacefab.tasks.cluster import status
from pacefab.tasks.deploy import adopt, deploy, history, plan, rollback
from pacefab.tasks.drill import drill
from pacefab.tasks.init import init
from pacefab.tasks.memcached import (
    create_memcached,
    install_memcached,
    remove_memcached,
    verify_memcached,
)
from pacefab.tasks.migrate import migrate
from pacefab.tasks.rolling import update_memcached
from pacefab.tasks.services import service_tasks

__all__ = [
    "add_node",
    "adopt",
    "bootstrap",
    "check_clients",
    "client_config",
    "create_memcached",
    "deploy",
    "drill",
    "history",
    "init",
    "install_memcached",
    "migrate",
    "namespace",
    "plan",
    "remove_memcached",
    "remove_node",
    "rollback",
    "status",
    "update_memcached",
    "verify_memcached",
]

namespace = Collection(
    init,
    install_memcached,
    create_memcached,
    verify_memcached,
    remove_memcached,
    status,
    bootstrap,
    add_node,
    remove_node,
    plan,
    deploy,
    adopt,
    history,
    rollback,
    *service_tasks(),
    drill,
    update_memcached,
    client_config,
    check_clients,
    migrate,
)
namespace.configure({"pacefab": {"ssh_config": None, "parallel": 32}})


def __getattr__(name: str) -> Any:
    """Return the task of a service that any package offers, such as `install_haproxy`."""
    task = namespace.tasks.get(name.replace("_", "-"))
    if task is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return task
