"""memcached and the services beside it under Pacemaker: the library and the program `pacefab`.

In a fabfile of your own: `ns.add_collection(pacefab.namespace, "ha")`.
"""

from typing import Any

__all__ = ["namespace"]


def __getattr__(name: str) -> Any:
    """Return the tasks' collection, which is made when somebody asks for it."""
    if name != "namespace":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pacefab.tasks import namespace  # noqa: PLC0415

    return namespace
