"""A formed cluster: nodes on a network of their own, and a folder with everything needed to reach them."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import docker

from . import access, cleanup, formation
from .engine import ensure_engine
from .errors import HarnessError
from .image import choose_kind, ensure_image
from .network import addresses, create_network
from .nodes import NodeSpec, container_name, on_all, run_in, start_node
from .progress import step

REPOSITORY_ROOT: Final = cleanup.STATE.parent
DEFAULT_NODES: Final = ("c1", "c2", "c3")
PLAIN_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class Description:
    """What cluster.json holds: enough to use and to remove a cluster from another process."""

    name: str
    image: str
    owner: str
    addresses: dict[str, str]
    ports: dict[str, int]


class Cluster:
    """A running cluster. `start` makes one, `load` finds one that is there; as a context manager it stops at the end."""

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
        owner: str | None = None,
    ) -> Self:
        """Start the nodes and form the cluster; nothing is left behind when that fails or is interrupted.

        `owner` is this process unless given; with `cleanup.KEPT` the cluster outlives it. Raises `HarnessError`.
        """
        _check_names(name, nodes)
        ensure_engine()
        cleanup.sweep()
        kind = choose_kind(image)
        tag = ensure_image(kind)
        _create_folder(name)
        try:
            return cls._start(name, nodes, kind, tag, owner or cleanup.owner_of_this_process())
        except BaseException:
            cleanup.remove(name)
            raise

    @classmethod
    def _start(cls, name: str, nodes: Sequence[str], kind: str, tag: str, owner: str) -> Self:
        folder = cleanup.STATE / name
        description = Description(name, kind, owner, addresses={}, ports={})
        _describe(description)
        labels = {cleanup.CLUSTER_LABEL: name, cleanup.OWNER_LABEL: owner}
        with step(f"{len(nodes)} nodes of {name} started ({kind})"):
            network = create_network(f"pacefab-{name}", labels)
            at = addresses(network, nodes)
            specs = [NodeSpec(name, node, tag, network, at, labels) for node in nodes]
            ports = dict(zip(nodes, on_all(start_node, specs), strict=True))
        description = Description(name, kind, owner, at, ports)
        _describe(description)
        with step(f"{name} formed"):
            formation.form(folder, {node: container_name(name, node) for node in nodes}, ports)
        return cls(description)

    @classmethod
    def load(cls, name: str) -> Self:
        """Return a cluster that another process started. Raises `HarnessError` when there is none of that name."""
        path = cleanup.STATE / name / cleanup.DESCRIPTION
        try:
            return cls(Description(**json.loads(path.read_text())))
        except FileNotFoundError:
            raise HarnessError(
                f"no cluster {name!r} here", next_step=f"invoke cluster-up --name {name}"
            ) from None

    def stop(self) -> None:
        """Remove the nodes, the network and the folder."""
        cleanup.remove(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def name(self) -> str:
        """Name of the cluster, unique on the engine."""
        return self.description.name

    @property
    def nodes(self) -> list[str]:
        """Names of the nodes, in the order in which they were asked for."""
        return list(self.description.addresses)

    @property
    def image(self) -> str:
        """Kind of the nodes' image, such as debian12."""
        return self.description.image

    @property
    def folder(self) -> Path:
        """Folder with ssh_config, keys and description."""
        return cleanup.STATE / self.name

    @property
    def ssh_config(self) -> Path:
        """Configuration with which ssh, scp and fab reach the nodes by name."""
        return self.folder / access.SSH_CONFIG

    @property
    def clerk_password(self) -> str:
        """Password of the user clerk, who may sudo with it."""
        return (self.folder / formation.CLERK_PASSWORD).read_text()

    def address(self, node: str) -> str:
        """Return a node's address on the cluster's network."""
        return self.description.addresses[node]

    def container(self, node: str) -> Any:
        """Return a node's container, a docker-py object, to pause, kill and the like."""
        return docker.from_env().containers.get(container_name(self.name, node))

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

        `timeout` is in seconds. Raises `HarnessError` with both streams when time is over or, with `check`, on failure.
        """
        return run_in(
            container_name(self.name, node), command, check=check, timeout=timeout, stdin=stdin
        )

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
        """Run this environment's `fab` against all nodes, or `hosts`, with the tasks found from `cwd`.

        `timeout` is in seconds. Raises `HarnessError` when time is over or, with `check`, on failure.
        """
        fab = str(Path(sys.executable).with_name("fab"))
        argv = [fab, "-S", str(self.ssh_config), "-H", ",".join(hosts or self.nodes), *args]
        environment = {**os.environ, **(env or {})}
        # Keys of whoever runs the tests must not decide how they end.
        environment.pop("SSH_AUTH_SOCK", None)
        try:
            done = subprocess.run(
                argv,
                cwd=cwd,
                env=environment,
                input=stdin or "",
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            seen = f"{_text(error.stdout)}{_text(error.stderr)}"
            raise HarnessError(f"not done in {timeout:g} s: {' '.join(argv)}", seen=seen) from error
        if check and done.returncode:
            seen = done.stdout + done.stderr
            raise HarnessError(f"exit {done.returncode}: {' '.join(argv)}", seen=seen)
        return done

    def wait_formed(self) -> None:
        """Wait until all nodes are online, the partition has quorum and a DC is elected."""
        formation.wait_formed(container_name(self.name, self.nodes[0]), len(self.nodes))

    def is_formed(self) -> bool:
        """Tell whether all nodes are online now."""
        first = container_name(self.name, self.nodes[0])
        probe = formation.formed(len(self.nodes))
        return run_in(first, probe, check=False, timeout=15).returncode == 0

    def restart_node(self, node: str) -> None:
        """Restart a node as a reboot would, and wait until it is back in the cluster."""
        self.container(node).restart(timeout=20)
        formation.start_member(container_name(self.name, node))
        self.wait_formed()


def unique_name(prefix: str) -> str:
    """Return a name that no other cluster has."""
    return f"{prefix}-{os.getpid()}-{secrets.token_hex(2)}"


def _check_names(name: str, nodes: Sequence[str]) -> None:
    """Refuse names that could not be host names, and with them everything that a shell or a path would take otherwise."""
    for each in (name, *nodes):
        if not PLAIN_NAME.fullmatch(each):
            raise HarnessError(f"{each!r} can't name a cluster or a node", next_step="use a-z, 0-9 and -")
    if not nodes or len(set(nodes)) != len(nodes):
        raise HarnessError(f"node names {','.join(nodes)!r}", next_step="name each node once")


def _create_folder(name: str) -> None:
    cleanup.STATE.mkdir(mode=0o700, exist_ok=True)
    try:
        (cleanup.STATE / name).mkdir(mode=0o700)
    except FileExistsError:
        raise HarnessError(
            f"there is a cluster {name!r} already", next_step=f"invoke cluster-down --name {name}"
        ) from None


def _describe(description: Description) -> None:
    path = cleanup.STATE / description.name / cleanup.DESCRIPTION
    path.write_text(json.dumps(asdict(description), indent=2) + "\n")


def _text(stream: bytes | str | None) -> str:
    return stream.decode(errors="replace") if isinstance(stream, bytes) else stream or ""
