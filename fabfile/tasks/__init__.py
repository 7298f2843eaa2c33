"""What the operator types."""

import sys

from invoke.collection import Collection

from fabfile.tasks import cluster, memcached
from fabfile.tasks.collect import say_last_words

namespace = Collection(
    memcached.install_memcached,
    memcached.create_memcached,
    memcached.verify_memcached,
    memcached.remove_memcached,
    cluster.status,
)
namespace.configure({"pacefab": {"ssh_config": None, "parallel": 32}})
sys.excepthook = say_last_words
