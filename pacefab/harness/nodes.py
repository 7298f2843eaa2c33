"""One node: a container with systemd as PID 1, its sshd published on the loopback address."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

# Ryuk's image can't be pulled everywhere; cleanup.py does its work. testcontainers reads this once.
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"

import docker
import docker.errors
from docker import version as docker_py
from docker.types import EndpointConfig
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from pacefab.waiting import Pending, wait_until

from .errors import HarnessError
from .program import run

LOOPBACK: Final = "127.0.0.1"
CAPABILITIES: Final = ["SYS_ADMIN", "NET_ADMIN", "SYS_NICE", "IPC_LOCK", "NET_BROADCAST"]
PORT_ATTEMPTS: Final = 4
KILL_AFTER: Final = 5
"""Seconds between asking a command that ran out of time to end, and killing it."""
OUT_OF_TIME: Final = (124, 137)
"""What `timeout` exits with when it ended the command, and when it had to kill it."""
PORT_TAKEN: Final = ("port is already allocated", "address already in use")
FREEZE_SECONDS: Final = 30
"""In which a container is frozen on a machine with much to do."""
UNFROZEN: Final = "unable to freeze"
"""What runc says when a process was being made at each of its attempts (freezer of cgroup v1)."""
SCRIPTS: Final = Path(__file__).with_name("node_scripts")


@dataclass(frozen=True)
class NodeSpec:
    """What a node is to be: its name and container's name; all nodes' addresses.

    `aliases` are second addresses, with the length of their prefix: the nodes that have some know
    each other by these.
    """

    name: str
    container: str
    image: str
    network: Network
    addresses: dict[str, str]
    labels: dict[str, str]
    aliases: dict[str, str]


class NodeContainer(DockerContainer):
    """A container that is a whole machine, with the privileges that Pacemaker needs."""

    def __init__(self, spec: NodeSpec, ssh_port: int) -> None:
        """Describe the container; it starts with `start`."""
        super().__init__(spec.image, name=spec.container)
        self.with_command("/sbin/init").with_env("container", "docker")
        if spec.aliases:
            self.with_env("PACEFAB_ADDRESS", spec.aliases[spec.name])
        known = {name: alias.partition("/")[0] for name, alias in spec.aliases.items()}
        for folder in ("/run", "/run/lock", "/tmp"):
            self.with_tmpfs_mount(folder, "exec" if folder == "/tmp" else None)
        # testcontainers' annotation has ports only, and then means 0.0.0.0; docker-py takes this.
        self.ports["22/tcp"] = cast("int", (LOOPBACK, ssh_port))
        address = EndpointConfig(docker_py.__version__, ipv4_address=spec.addresses[spec.name])
        # with_kwargs replaces what was set before: one call for everything.
        self.with_kwargs(
            hostname=spec.name,
            network=spec.network.name,
            networking_config={spec.network.name: address},
            extra_hosts={
                name: ip for name, ip in (spec.addresses | known).items() if name != spec.name
            },
            labels=spec.labels,
            cap_add=CAPABILITIES,
            security_opt=["seccomp=unconfined", "apparmor=unconfined"],
            cgroupns="private",
            shm_size="256m",
            stop_signal="SIGRTMIN+3",
        )


def start_node(spec: NodeSpec) -> int:
    """Start a node and return the host's port of its sshd.

    The port is fixed when the container is made, so that it survives a restart of the node. Between
    choosing and using it another process may take it: then another one is tried.
    """
    for _ in range(PORT_ATTEMPTS):
        port = free_port()
        node = NodeContainer(spec, port)
        try:
            node.start()
        except docker.errors.APIError as error:
            seen = str(error)
            node.stop()
            if not any(words in seen for words in PORT_TAKEN):
                break
        else:
            return port
    raise HarnessError("starting the container", node=spec.container, seen=seen)


def free_port() -> int:
    """Return a TCP port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def run_in(
    container: str,
    command: str,
    *,
    check: bool = True,
    timeout: float = 60,
    stdin: str | None = None,
    attempted: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a shell command in a container, as root, without SSH.

    `timeout` is in seconds and holds inside the container too: nothing of the command lives on.
    Raises `HarnessError` with both streams when it is over, and, with `check`, when the command
    fails.
    """
    limited = ["timeout", f"--kill-after={KILL_AFTER}", str(timeout), "sh", "-c", command]
    done = run(
        ["docker", "exec", "--interactive", container, *limited],
        timeout=timeout + 2 * KILL_AFTER,
        stdin=stdin or "",
        node=container,
        attempted=attempted or command,
        check=False,
    )
    if done.returncode in OUT_OF_TIME or (check and done.returncode):
        outcome = f"not done in {timeout:g} s" if done.returncode in OUT_OF_TIME else "failed"
        raise HarnessError(
            f"{outcome}, exit {done.returncode}: {attempted or command}",
            node=container,
            seen=done.stdout + done.stderr,
        )
    return done


def run_script(
    container: str, name: str, *, timeout: float = 60, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run one of `node_scripts/` in a container. Raises `HarnessError` when it fails."""
    text = (SCRIPTS / name).read_text()
    return run_in(container, text, timeout=timeout, stdin=stdin, attempted=f"node_scripts/{name}")


def pause(container: str) -> None:
    """Freeze all processes of a container; the engine is asked again while it cannot.

    Raises `HarnessError` when it could not for half a minute.
    """
    found = docker.from_env().containers.get(container)

    def freeze() -> bool | Pending:
        try:
            found.pause()
        except docker.errors.APIError as error:
            if UNFROZEN not in str(error):
                raise
            return Pending(str(error))
        return True

    outcome = wait_until(freeze, FREEZE_SECONDS)
    if isinstance(outcome, Pending):
        raise HarnessError("pausing the container", node=container, seen=outcome.seen)
