"""A formed cluster: nodes on their own network, and a folder with all it takes to reach them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import docker

from . import access, cleanup, formation, power, pristine
from .engine import ensure_engine, ensure_program
from .errors import HarnessError, HarnessUsageError, one_of
from .image import BARE, check_kind, choose_kind, ensure_image, image_of
from .network import addresses, aliases, create_network, subnet_of
from .nodes import NodeSpec, pause, run_in, start_node
from .parallel import on_all
from .place import DESCRIPTION, IN_CHECKOUT, STATE, check_names, known_names, open_state, typed
from .program import run
from .progress import note, step

REPOSITORY_ROOT: Final = STATE.parent
DEFAULT_NODES: Final = ("c1", "c2", "c3")
CHECKOUT: Final = hashlib.sha256(str(STATE).encode()).hexdigest()[:4]
"""Distinguishes containers of one checkout from those of another one on the same engine."""


@dataclass(frozen=True)
class Description:
    """What cluster.json holds: enough to use and to remove a cluster from another process."""

    name: str
    image: str
    owner: str
    containers: dict[str, str]
    addresses: dict[str, str]
    ports: dict[str, int]
    bare: bool = False
    hosts: tuple[str, ...] = ()  # beside the cluster's nodes, with nothing of a cluster
    fencing: bool = False


class Cluster:
    """A running cluster, or bare nodes to make one of: `start` makes them, `load` finds them.

    As a context manager it stops at the end.
    """

    def __init__(self, description: Description) -> None:
        """Take a cluster that runs."""
        self.description = description

    @classmethod
    def start(
        cls,
        name: str,
        nodes: Sequence[str] = DEFAULT_NODES,
        image: str = "auto",
        *,
        hosts: Sequence[str] = (),
        bare: bool = False,
        fencing: bool = False,
        keep: bool = False,
    ) -> Self:
        """Start the nodes and form the cluster; nothing stays when that fails or is interrupted.

        Bare nodes have sshd and nothing of a cluster; their second addresses are 192.0.2.11, .12,
        ... and stay over a restart; `hosts` are such, beside the nodes. With `fencing` nodes have
        management boards, and a formed cluster the devices that fence with them. It ends with this
        process, at the latest at the next start of another one; with `keep` it stays. Raises
        `HarnessError`.
        """
        check_names(name, (*nodes, *hosts))
        check_kind(image, bare=bare or bool(hosts), fencing=fencing)
        ensure_engine()
        ensure_program("ssh", package="openssh-client")
        for dead in cleanup.sweep():
            note(f"removed {dead}, left behind by a run that was killed")
        kind = choose_kind(image, bare=bare or bool(hosts), fencing=fencing)
        tags = dict.fromkeys(nodes, ensure_image(image_of(kind, bare=bare, fencing=fencing)))
        tags |= {host: ensure_image(BARE[kind]) for host in hosts}
        folder = _create_folder(name)
        owner = cleanup.owner_of_this_process()
        made = Description(name, kind, owner, {}, {}, {}, bare, tuple(hosts), fencing)
        try:
            cluster = cls._start(folder, tags, made)
        except BaseException:
            cleanup.remove(folder)
            raise
        return cluster.keep() if keep else cluster

    @classmethod
    def _start(cls, folder: Path, tags: Mapping[str, str], made: Description) -> Self:
        name, nodes, bare = folder.name, list(tags), made.bare
        prefix = f"pacefab-{name}-{CHECKOUT}"
        containers = {node: f"{prefix}-{node}" for node in nodes}
        made = replace(made, containers=containers)
        _describe(made)
        with step(f"{len(nodes)} {'bare ' if bare else ''}nodes of {name} started ({made.image})"):
            labels = cleanup.labels(folder)
            network = create_network(prefix, labels)
            at, also = addresses(network, nodes), aliases(nodes) if bare else {}
            specs = [
                NodeSpec(n, containers[n], t, network, at, labels, also) for n, t in tags.items()
            ]
            ports = dict(zip(nodes, on_all(start_node, specs), strict=True))
        cluster = cls(replace(made, addresses=at, ports=ports))
        _describe(cluster.description)
        with step(f"{name} booted" if bare else f"{name} formed"):
            if made.fencing:  # while the nodes boot
                power.start(folder, subnet_of(network), cluster.members)
            formation.admit(folder, containers, ports)
            if not bare:
                formation.form(folder, cluster.members, at_boot=made.fencing)
                if made.fencing:
                    power.configure(folder, cluster.members.values())
                pristine.remember(folder, cluster.members)
        return cluster

    @classmethod
    def load(cls, name: str) -> Self:
        """Return a cluster that another process started.

        Raises `HarnessUsageError` without one, `HarnessError` when its description is broken.
        """
        path = STATE / name / DESCRIPTION
        try:
            return cls(Description(**json.loads(path.read_text())))
        except OSError:
            start = typed(f"cluster-up --name {name}")
            raise HarnessUsageError(
                f"no cluster {name!r} here",
                next_step=f"{one_of(name, known_names())}; to start it: {start}",
            ) from None
        except (ValueError, TypeError) as error:
            raise HarnessError(
                f"{path} does not describe a cluster",
                seen=str(error),
                next_step=f"remove what is left of it: {typed(f'cluster-down --name {name}')}",
            ) from None

    def keep(self) -> Self:
        """Let the cluster live on when this process has ended."""
        self.description = replace(self.description, owner=cleanup.KEPT)
        _describe(self.description)
        return self

    def stop(self) -> None:
        """Remove the nodes, the network and the folder."""
        cleanup.remove(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __str__(self) -> str:
        """Return what it is made of, as one reads it."""
        return f"{'bare nodes, ' * self.description.bare}{self.image}: {', '.join(self.nodes)}"

    def runs(self) -> bool:
        """Whether any of its nodes runs: there is something to lose."""
        label = f"{cleanup.FOLDER_LABEL}={self.folder}"
        filters = {"label": label, "status": ["running", "paused"]}
        return bool(docker.from_env().containers.list(filters=filters, ignore_removed=True))

    def differences(
        self, nodes: Sequence[str], image: str, *, bare: bool, fencing: bool | None
    ) -> list[str]:
        """Return how this differs from what was asked for; nothing when it is that, and works.

        `fencing`: whether it has management boards; None: either.
        """
        found = []
        if self.nodes != list(nodes):
            found.append("has other nodes")
        if image not in {"auto", self.image}:
            found.append("is of another image")
        if self.description.bare != bare:
            found.append("is not of bare nodes" if bare else "is of bare nodes")
        if fencing is not None and self.description.fencing != fencing:
            found.append("has no management boards" if fencing else "has management boards")
        if not found and not (self.runs() and (bare or self.is_formed())):
            found.append("is not complete")
        return found

    @property
    def name(self) -> str:
        """Name of the cluster, unique on the engine."""
        return self.description.name

    @property
    def nodes(self) -> list[str]:
        """Names of the nodes, in the order in which they were asked for."""
        return [name for name in self.description.addresses if name in self.members]

    @property
    def image(self) -> str:
        """Kind of the nodes' image, such as debian12."""
        return self.description.image

    @property
    def folder(self) -> Path:
        """Folder with ssh_config, keys and description."""
        return STATE / self.name

    @property
    def ssh_config(self) -> Path:
        """Configuration with which ssh, scp and fab reach the nodes by name."""
        return self.folder / access.SSH_CONFIG

    @property
    def clerk_password(self) -> str:
        """Password of the user clerk, who may sudo with it."""
        return (self.folder / formation.CLERK_PASSWORD).read_text()

    @property
    def _first(self) -> str:
        return self.containers[self.nodes[0]]

    @property
    def members(self) -> dict[str, str]:
        """Names of the nodes' containers, without those of hosts beside them."""
        return {n: c for n, c in self.containers.items() if n not in self.description.hosts}

    @property
    def containers(self) -> dict[str, str]:
        """Names of all containers."""
        return self.description.containers

    def address(self, node: str) -> str:
        """Return a node's address on the cluster's network. Raises `HarnessUsageError` for none."""
        try:
            return self.description.addresses[node]
        except KeyError:
            raise HarnessUsageError(
                f"{self.name} has no node {node!r}", next_step=one_of(node, self.nodes)
            ) from None

    def container(self, node: str) -> Any:
        """Return a node's container, a docker-py object, to kill, unpause and the like."""
        return docker.from_env().containers.get(self.containers[node])

    def pause(self, node: str) -> None:
        """Freeze all processes of a node, until its container is unpaused."""
        pause(self.containers[node])

    def run(
        self,
        node: str,
        command: str,
        *,
        check: bool = True,
        timeout: float = 60,
        stdin: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command on a node as root, without SSH and without the product.

        `timeout` is in seconds. Raises `HarnessError` with both streams when time is over or,
        with `check`, on failure.
        """
        return run_in(self.containers[node], command, check=check, timeout=timeout, stdin=stdin)

    def fab(
        self,
        *args: str,
        hosts: Iterable[str] | None = None,
        check: bool = False,
        timeout: float = 300,
        env: dict[str, str] | None = None,
        stdin: str | None = None,
        cwd: Path = REPOSITORY_ROOT,
    ) -> subprocess.CompletedProcess[str]:
        """Run this environment's program on all nodes, or `hosts`: `fab` with the tasks of `cwd`.

        Outside pacefab's checkout, where no fabfile is pacefab's, it is `pacefab`.

        `timeout` is in seconds. Raises `HarnessError` when time is over or, with `check`, on
        failure.
        """
        program = str(Path(sys.executable).with_name("fab" if IN_CHECKOUT else "pacefab"))
        argv = [program, "-S", str(self.ssh_config), "-H", ",".join(hosts or self.nodes), *args]
        environment = os.environ | (env or {})
        # Keys of whoever runs the tests must not decide how they end.
        environment.pop("SSH_AUTH_SOCK", None)
        return run(argv, timeout=timeout, check=check, stdin=stdin or "", env=environment, cwd=cwd)

    def wait_formed(self) -> None:
        """Wait until every node sees all nodes online, a partition with quorum and a DC."""
        formation.wait_formed(self.members.values())

    def is_formed(self) -> bool:
        """Whether all nodes are online now."""
        probe = formation.formed(len(self.nodes))
        return run_in(self._first, probe, check=False, timeout=15).returncode == 0

    def restart_node(self, node: str) -> None:
        """Restart a node as a reboot would, and wait until it is back in the cluster.

        Of bare nodes one that has booted is back: a cluster made of them is not the harness'.
        """
        self.container(node).restart(timeout=20)
        if self.description.bare:
            formation.wait_booted(self.containers[node])
            return
        formation.join(self.containers[node])
        self.wait_formed()

    def reset(self) -> None:
        """Take the cluster back to how it was formed: no resource, no later package or file.

        Quicker than a new one. Raises `HarnessError` when it is too broken, or of bare nodes.
        """
        if self.description.bare:
            raise HarnessError(
                f"{self.name} was bare nodes: there is nothing to reset to",
                next_step="start new ones",
            )
        pristine.restore(self.folder, self.members)


def _create_folder(name: str) -> Path:
    folder = open_state() / name
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise HarnessError(
            f"there is a cluster {name!r} already",
            next_step=f"remove it: {typed(f'cluster-down --name {name}')}",
        ) from None
    return folder


def _describe(description: Description) -> None:
    path = STATE / description.name / DESCRIPTION
    path.write_text(json.dumps(asdict(description), indent=2) + "\n")
