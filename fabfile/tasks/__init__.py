"""What the operator types."""

from invoke.collection import Collection

from fabfile.tasks import cluster, memcached

namespace = Collection(
    memcached.install_memcached,
    memcached.create_memcached,
    memcached.verify_memcached,
    memcached.remove_memcached,
    cluster.status,
)
namespace.configure({"pacefab": {"ssh_config": None, "parallel": 32}})
