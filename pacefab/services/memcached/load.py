"""What applications with a cache do while a drill breaks memcached. Pure."""

from __future__ import annotations

from pacefab.services.load import ClientLoad, LoadServer
from pacefab.services.memcached import memcached
from pacefab.services.memcached.client_options import DEAD_SECONDS, PYMEMCACHE_OPTIONS
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.memcached.targets import find_targets
from pacefab.services.service import Site


def load(_section: MemcachedSection, site: Site) -> ClientLoad:
    """Return the load: a pymemcache client in each of four threads, over all nodes."""
    targets = find_targets(site.membership, site.facts)
    return ClientLoad(
        resource=memcached.RESOURCE,
        servers=tuple(LoadServer(t.node, t.address, t.port, t.barred) for t in targets),
        hello=b"version\r\n",
        answer=b"VERSION",
        program="pacefab.services.memcached.load_program",
        what="threads, each with a pymemcache HashClient of its own; nine of ten operations look "
        "a value up, a miss stores it",
        threads=4,
        rate=4000,
        options=PYMEMCACHE_OPTIONS,
        keeps=False,
        unit=memcached.UNIT,
        back_seconds=DEAD_SECONDS,
    )
