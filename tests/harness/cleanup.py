"""Who owns what the harness makes, and removal of what a dead owner left behind.

Ryuk, testcontainers' own reaper, needs an image from a registry and the engine's socket. Instead, everything carries a label
with its owner: a process, told by more than its id, which is reused; or `kept`, which nobody's death ends.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import docker
import docker.errors

CLUSTER_LABEL: Final = "pacefab.cluster"
OWNER_LABEL: Final = "pacefab.owner"
KEPT: Final = "kept"
STATE: Final = Path(__file__).resolve().parents[2] / ".pacefab"
"""Where clusters of this checkout keep their ssh_config, keys and description: one folder each."""
DESCRIPTION: Final = "cluster.json"


def owner_of_this_process() -> str:
    """Return the owner label of this process: boot, process namespace, id, start time."""
    return ":".join((_boot(), _namespace(), str(os.getpid()), _start_time(os.getpid()) or ""))


def is_dead(owner: str) -> bool:
    """Tell whether an owner's process has surely ended.

    A process of another process namespace (a container that shares the engine) can't be judged from here, and counts as
    living; so does an owner that isn't a process.
    """
    match owner.split(":"):
        case [boot, _, _, _] if boot != _boot():
            return True
        case [_, namespace, pid, started] if namespace == _namespace():
            return _start_time(int(pid)) != started
        case _:
            return False


def sweep(state: Path = STATE) -> list[str]:
    """Remove containers, networks and folders of dead owners; return the names of their clusters."""
    engine = docker.from_env(timeout=30)
    dead = {name for name, owner in _labelled(engine) if is_dead(owner)}
    dead |= {name for name, owner in _described(state) if is_dead(owner)}
    for name in sorted(dead):
        remove(name, state)
    return sorted(dead)


def remove(cluster: str, state: Path = STATE) -> None:
    """Remove a cluster's containers, network and folder, whatever of them there is."""
    engine = docker.from_env(timeout=60)
    wanted = {"label": f"{CLUSTER_LABEL}={cluster}"}
    for container in engine.containers.list(all=True, filters=wanted, ignore_removed=True):
        _remove_quietly(container, force=True, v=True)
    for network in engine.networks.list(filters=wanted):
        _remove_quietly(network)
    shutil.rmtree(state / cluster, ignore_errors=True)


def _labelled(engine: docker.DockerClient) -> Iterable[tuple[str, str]]:
    wanted = {"label": OWNER_LABEL}
    for container in engine.containers.list(all=True, filters=wanted, ignore_removed=True):
        yield container.labels[CLUSTER_LABEL], container.labels[OWNER_LABEL]
    for network in engine.networks.list(filters=wanted):
        labels = network.attrs["Labels"]
        yield labels[CLUSTER_LABEL], labels[OWNER_LABEL]


def _described(state: Path) -> Iterable[tuple[str, str]]:
    for description in state.glob(f"*/{DESCRIPTION}"):
        yield description.parent.name, str(json.loads(description.read_text())["owner"])


def _remove_quietly(thing: Any, **options: bool) -> None:
    """Remove a container or network that another process may be removing at the same time."""
    try:
        thing.remove(**options)
    except docker.errors.NotFound:
        pass
    except docker.errors.APIError as error:
        if "already in progress" not in str(error):
            raise


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _namespace() -> str:
    return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")


def _start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; None when it has ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, in parentheses, may hold blanks; the start time is the 22nd.
    return status.rpartition(")")[2].split()[19]
