"""Which services there are: pacefab's own, and those that other packages offer.

A package offers a service by an entry point of the group `pacefab.services`, whose name is the
service's and which names a `Service`. Nothing of a service is imported here: every command needs
the names, before anything else.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from pacefab.errors import UsageError

GROUP = "pacefab.services"
_OWN = {
    "galera": "pacefab.services.galera.service:SERVICE",
    "haproxy": "pacefab.services.haproxy.service:SERVICE",
    "memcached": "pacefab.services.memcached.service:SERVICE",
    "rabbitmq": "pacefab.services.rabbitmq.service:SERVICE",
    "redis": "pacefab.services.redis.service:SERVICE",
    "vips": "pacefab.services.vips.service:SERVICE",
}


@functools.cache
def offers() -> Mapping[str, EntryPoint]:
    """Return all services by name, none of them imported: their schemas take 0.1 s.

    Raises:
        UsageError: another package offers a service under a name that is taken.
    """
    found = {name: EntryPoint(name, value, GROUP) for name, value in _OWN.items()}
    for offered in entry_points(group=GROUP):
        if found.setdefault(offered.name, offered).value != offered.value:
            seen = f"{found[offered.name].value} and {offered.value} are both called {offered.name}"
            raise UsageError("find the services", seen, "remove one of the two packages")
    return found


def names() -> tuple[str, ...]:
    """Return the services' names. Same errors as `offers`."""
    return tuple(sorted(offers()))
