"""What the operator types."""

from invoke.collection import Collection

from pacefab.tasks import bootstrap, clients, cluster, deploy, drill, memcached, rolling, services

namespace = Collection(
    memcached.install_memcached,
    memcached.create_memcached,
    memcached.verify_memcached,
    memcached.remove_memcached,
    cluster.status,
    bootstrap.bootstrap,
    bootstrap.add_node,
    bootstrap.remove_node,
    deploy.plan,
    deploy.deploy,
    deploy.adopt,
    deploy.history,
    deploy.rollback,
    *services.service_tasks(),
    drill.drill,
    rolling.update_memcached,
    clients.client_config,
    clients.check_clients,
)
namespace.configure({"pacefab": {"ssh_config": None, "parallel": 32}})
