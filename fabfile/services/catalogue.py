"""Which services there are: every module of `services/offered`, none of them named here."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from fabfile.services import offered
from fabfile.services.description import Service


def names() -> tuple[str, ...]:
    """Return the services' names without importing them (their schemas take 0.1 s)."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(offered.__path__)))


def service(name: str) -> Service[Any]:
    """Return a service by its name."""
    found: Service[Any] = importlib.import_module(f"{offered.__name__}.{name}").SERVICE
    return found
