"""Which services read a file: an edited configuration does nothing before they are restarted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

_WEB_SERVERS = ("apache2.service", "httpd.service")  # in them keystone and other APIs may run


def to_restart(path: str, running: Sequence[str]) -> str:
    """Return a sentence on what to restart, of the units that run on the host.

    A service's file is named after it: nova.conf, glance-api.conf; its units too, on EL behind
    openstack-.
    """
    project = PurePosixPath(path).stem.partition("-")[0]
    units = [unit for unit in running if _is_of(unit.removeprefix("openstack-"), project)]
    web = [f"{unit} if it serves {project}" for unit in running if unit in _WEB_SERVERS]
    if not units and not web:
        return f"{path}: restart what reads it; no unit of {project} runs here"
    return f"{path}: takes effect after a restart of {', '.join([*units, *web])}"


def _is_of(unit: str, project: str) -> bool:
    return unit == f"{project}.service" or unit.startswith(f"{project}-")
