"""One node: a container with systemd as PID 1, on the cluster's network, sshd published on the loopback address."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar, cast

# Ryuk's image can't be pulled everywhere; cleanup.py does its work. Must be set before testcontainers is imported.
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"

import docker.errors
from docker import version as docker_py
from docker.types import EndpointConfig
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from .errors import HarnessError

T = TypeVar("T")
R = TypeVar("R")
LOOPBACK: Final = "127.0.0.1"
CAPABILITIES: Final = ["SYS_ADMIN", "NET_ADMIN", "SYS_NICE", "IPC_LOCK", "NET_BROADCAST"]
PORT_ATTEMPTS: Final = 4
KILL_AFTER: Final = 5
"""Seconds between asking a command that ran out of time to end, and killing it."""
TIMED_OUT: Final = 124
KILLED: Final = 137


@dataclass(frozen=True)
class NodeSpec:
    """What a node of a cluster is to be; addresses of all nodes go to its /etc/hosts."""

    cluster: str
    name: str
    image: str
    network: Network
    addresses: dict[str, str]
    labels: dict[str, str]

    @property
    def container_name(self) -> str:
        """Name of the container: unique on the engine."""
        return container_name(self.cluster, self.name)


def container_name(cluster: str, node: str) -> str:
    """Return the name that a node's container carries."""
    return f"pacefab-{cluster}-{node}"


class Node(DockerContainer):
    """A container that is a whole machine, with the few privileges that systemd and Pacemaker need."""

    def __init__(self, spec: NodeSpec, ssh_port: int) -> None:
        """Describe the container; it starts with `start`."""
        super().__init__(spec.image, name=spec.container_name)
        self.with_command("/sbin/init").with_env("container", "docker")
        for folder in ("/run", "/run/lock", "/tmp"):
            self.with_tmpfs_mount(folder, "exec" if folder == "/tmp" else None)
        # docker-py takes (address, port) as well; testcontainers' annotation doesn't know it, and 0.0.0.0 is its default.
        self.ports["22/tcp"] = cast("int", (LOOPBACK, ssh_port))
        address = EndpointConfig(docker_py.__version__, ipv4_address=spec.addresses[spec.name])
        # with_kwargs replaces what was set before: one call for everything.
        self.with_kwargs(
            hostname=spec.name,
            network=spec.network.name,
            networking_config={spec.network.name: address},
            extra_hosts={name: ip for name, ip in spec.addresses.items() if name != spec.name},
            labels=spec.labels,
            cap_add=CAPABILITIES,
            security_opt=["seccomp=unconfined", "apparmor=unconfined"],
            cgroupns="private",
            shm_size="256m",
            stop_signal="SIGRTMIN+3",
        )


def start_node(spec: NodeSpec) -> int:
    """Start a node and return the host's port of its sshd.

    The port is fixed when the container is made, so that it survives a restart of the node. Between choosing and using it
    another process may take it: then another one is tried.
    """
    for attempt in range(1, PORT_ATTEMPTS + 1):
        port = free_port()
        node = Node(spec, port)
        try:
            node.start()
        except docker.errors.APIError as error:
            taken = "port is already allocated" in str(error) or "address already in use" in str(error)
            if not taken or attempt == PORT_ATTEMPTS:
                raise HarnessError("starting the container", node=spec.name, seen=str(error)) from error
            node.stop()
        else:
            return port
    raise AssertionError


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def run_in(
    container: str, command: str, *, check: bool = True, timeout: float = 60, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a shell command in a container, as root, without SSH.

    `timeout` is in seconds and holds inside the container too: nothing of the command lives on. Raises `HarnessError` with
    both streams when the time is over, and, with `check`, when the command fails.
    """
    limited = ["timeout", f"--kill-after={KILL_AFTER}", str(timeout), "sh", "-c", command]
    argv = ["docker", "exec", "--interactive", container, *limited]
    node = container.rpartition("-")[2]
    try:
        done = subprocess.run(
            argv, input=stdin or "", capture_output=True, text=True, timeout=timeout + 2 * KILL_AFTER, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise HarnessError(
            f"no answer in {timeout:g} s: {command}", node=node, seen=f"{error.stdout}\n{error.stderr}"
        ) from error
    if done.returncode in {TIMED_OUT, KILLED} and check:
        raise HarnessError(f"not done in {timeout:g} s: {command}", node=node, seen=done.stdout + done.stderr)
    if done.returncode and check:
        raise HarnessError(f"exit {done.returncode}: {command}", node=node, seen=done.stdout + done.stderr)
    return done


def on_all(act: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """Do the same for all things side by side; results keep their order, and the first error is raised."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        return list(pool.map(act, things))
