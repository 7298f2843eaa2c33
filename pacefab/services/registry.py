"""The services themselves, by their names (`offers`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pacefab.errors import UsageError
from pacefab.services.offers import names, offers
from pacefab.services.service import Look, Service

ItemT = TypeVar("ItemT")


def service(name: str) -> Service[Any]:
    """Return a service by its name.

    Raises:
        UsageError: two packages offer one name, or what is offered cannot be imported.
    """
    offered = offers()[name]
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
        booleans=_union(each.booleans for each in looks),
        labelled=_union(each.labelled for each in looks),
    )


def _union(parts: Iterable[Iterable[ItemT]]) -> tuple[ItemT, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))


__all__ = ["look", "names", "service"]
