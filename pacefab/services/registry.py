"""Which services there are: pacefab's own, and those that other packages offer.

A package offers a service by an entry point of the group `pacefab.services`, whose name is the
service's and which names a `Service`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from pacefab.errors import UsageError
from pacefab.services.service import Look, Service

ItemT = TypeVar("ItemT")

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
def _offered() -> Mapping[str, EntryPoint]:
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
    """Return the services' names without importing them. Same errors as `service`."""
    return tuple(sorted(_offered()))


def service(name: str) -> Service[Any]:
    """Return a service by its name.

    Raises:
        UsageError: two packages offer one name, or what is offered cannot be imported.
    """
    offered = _offered()[name]
    try:
        found = offered.load()
    except (ImportError, AttributeError) as error:
        next_step = "reinstall or remove the package that offers it"
        raise UsageError(f"import the service {name}", str(error), next_step) from error
    if not isinstance(found, Service):
        seen = f"{offered.value} is not a pacefab.services.service.Service"
        raise UsageError(f"import the service {name}", seen, "fix the package that offers it")
    return found


def look(sections: Mapping[str, Any]) -> Look:
    """Return what to look at on nodes for all these services, their settings by name."""
    looks = [service(name).look(section) for name, section in sections.items()]
    return Look(
        packages=_union(each.packages for each in looks),
        units=_union(each.units for each in looks),
        files=_union(each.files for each in looks),
        kernel=_union(each.kernel for each in looks),
        programs=_union(each.programs for each in looks),
        processes=_union(each.processes for each in looks),
    )


def _union(parts: Iterable[Iterable[ItemT]]) -> tuple[ItemT, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))
