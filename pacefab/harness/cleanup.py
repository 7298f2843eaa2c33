"""Who owns what the harness makes, and removal of what a dead owner left behind.

Ryuk, testcontainers' own reaper, needs an image from a registry and the engine's socket. Instead,
everything carries labels: the process that made it, known by more than its id, which is reused, and
the cluster's folder. The description in there may name another owner later on: `kept`, which
nobody's death ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import docker
import docker.errors

from .errors import HarnessError
from .parallel import on_all
from .place import DESCRIPTION, STATE, open_state

CLUSTER_LABEL: Final = "pacefab.cluster"
OWNER_LABEL: Final = "pacefab.owner"
FOLDER_LABEL: Final = "pacefab.folder"
KEPT: Final = "kept"
ENGINE_SECONDS: Final = 60


def owner_of_this_process() -> str:
    """Return the owner label of this process: boot, process namespace, id, start time."""
    return ":".join((_boot(), _namespace(), str(os.getpid()), _start_time(os.getpid()) or ""))


def is_dead(owner: str) -> bool:
    """Whether an owner's process has surely ended.

    A process of another process namespace (a container that shares the engine) can't be judged
    from here, and counts as living; so does an owner that isn't a process.
    """
    match owner.split(":"):
        case [boot, _, _, _] if boot != _boot():
            return True
        case [_, namespace, pid, started] if namespace == _namespace():
            return _start_time(int(pid)) != started
        case _:
            return False


_LATER = ("already in progress", "has active endpoints")


def labels(folder: Path) -> dict[str, str]:
    """Return the labels of all that belongs to the cluster of a folder, made by this process."""
    owner = owner_of_this_process()
    return {CLUSTER_LABEL: folder.name, OWNER_LABEL: owner, FOLDER_LABEL: str(folder)}


def sweep() -> list[str]:
    """Remove containers, networks and folders of dead owners; return their clusters' names.

    One process at a time: of two, the second would give up on what the first is still removing.
    """
    with (open_state() / "sweep.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _sweep()


def _sweep() -> list[str]:
    owners = [(Path(labels[FOLDER_LABEL]), owner_of(labels)) for labels in _all_labels()]
    owners += [(path.parent, _described_owner(path)) for path in STATE.glob(f"*/{DESCRIPTION}")]
    dead = sorted({folder for folder, owner in owners if is_dead(owner)})
    return [folder.name for folder in dead if remove(folder)]


def owner_of(labels: Mapping[str, str]) -> str:
    """Return a labelled thing's owner: whom the cluster's description names, else its maker."""
    description = Path(labels[FOLDER_LABEL], DESCRIPTION)
    return _described_owner(description) or labels[OWNER_LABEL]


def remove(folder: Path) -> bool:
    """Remove the cluster of a folder: containers, network, and the folder itself.

    Returns whether all of it is gone.
    """
    engine = _engine()
    desired = {"label": f"{FOLDER_LABEL}={folder}"}
    containers = engine.containers.list(all=True, filters=desired, ignore_removed=True)
    gone = on_all(lambda container: _remove_quietly(container, force=True, v=True), containers)
    gone += [_remove_quietly(network) for network in engine.networks.list(filters=desired)]
    shutil.rmtree(folder, ignore_errors=True)
    return all(gone)


def _engine() -> docker.DockerClient:
    try:
        return docker.from_env(timeout=ENGINE_SECONDS)
    except docker.errors.DockerException as error:
        raise HarnessError(
            "reach the Docker engine",
            seen=str(error),
            next_step="start it, and see that this user may use it: docker version",
        ) from error


def _all_labels() -> Iterator[dict[str, str]]:
    engine = _engine()
    desired = {"label": FOLDER_LABEL}
    for container in engine.containers.list(all=True, filters=desired, ignore_removed=True):
        yield container.labels
    for network in engine.networks.list(filters=desired):
        yield network.attrs["Labels"]


def _described_owner(description: Path) -> str:
    """Return the owner that a description names; nothing where none is, or a broken one."""
    try:
        return str(json.loads(description.read_text(encoding="utf-8"))["owner"])
    except (OSError, ValueError):
        return ""


def _remove_quietly(thing: Any, **options: bool) -> bool:
    """Remove a container or network that another process may be removing at the same time.

    Returns whether it is gone.

    Docker's engine (seen with 20.10) now and then takes a network for in use whose containers are
    all gone, until it is started again; a later sweep removes that one.
    """
    try:
        thing.remove(**options)
    except docker.errors.NotFound:
        pass
    except docker.errors.APIError as error:
        if not any(reason in str(error) for reason in _LATER):
            raise
        return False
    return True


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()


def _namespace() -> str:
    return Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")


def _start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot; None when it has ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field, in parentheses, may hold blanks; the start time is the 22nd.
    return status.rpartition(")")[2].split()[19]
