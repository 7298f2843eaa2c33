"""From booting nodes to a cluster with quorum.

`pcs cluster setup` and `pcs cluster start` would take 20 seconds more. So pcs renders corosync.conf and authenticates its
daemons, as it does for an operator, and the files are put in place here.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from . import access
from .nodes import on_all, run_in

SCRIPTS: Final = Path(__file__).with_name("node_scripts")
CLERK_PASSWORD: Final = "clerk_password"  # noqa: S105  (a file's name)
HOST_KEY: Final = "/etc/ssh/ssh_host_ed25519_key.pub"
AUTHKEY_BYTES: Final = 256
BOOT_SECONDS: Final = 60
FORM_SECONDS: Final = 60


def form(folder: Path, containers: Mapping[str, str], ports: Mapping[str, int]) -> None:
    """Make a cluster of booting nodes, and write into `folder` how to reach them.

    `containers` gives the container of each node, `ports` the host's port of its sshd. Raises `HarnessError`.
    """
    first = next(iter(containers.values()))
    hacluster_password, clerk_password = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    access.write_private(folder / CLERK_PASSWORD, clerk_password)
    secrets_of_cluster = "\n".join((
        access.write_key(folder),
        hacluster_password,
        clerk_password,
        base64.b64encode(secrets.token_bytes(AUTHKEY_BYTES)).decode(),
        base64.b64encode(corosync_conf(folder.name, first, list(containers)).encode()).decode(),
    ))  # fmt: skip
    on_all(partial(_prepare, stdin=f"{secrets_of_cluster}\n"), containers.values())
    on_all(start_member, containers.values())
    keys = on_all(host_key, containers.values())
    access.write_ssh_config(folder, ports)
    access.write_known_hosts(folder, dict(zip(containers, keys, strict=True)), ports)
    authenticate(first, list(containers), hacluster_password)
    wait_formed(first, len(containers))


def corosync_conf(cluster: str, container: str, nodes: list[str]) -> str:
    """Let pcs render the configuration of a cluster, without touching any node."""
    target = "/tmp/corosync.conf"
    setup = f"pcs cluster setup {cluster} {' '.join(nodes)} --corosync_conf {target}"
    return run_in(container, f"{setup} >&2 && cat {target}").stdout


def start_member(container: str) -> None:
    """Start corosync and Pacemaker on a node, as soon as systemd is up."""
    until_booted = "until systemctl is-system-running --wait >/dev/null; do systemctl is-system-running | grep -q degraded && break; sleep 0.1; done"
    run_in(container, until_booted, timeout=BOOT_SECONDS)
    run_in(container, "systemctl start corosync pacemaker", timeout=FORM_SECONDS)


def host_key(container: str) -> str:
    """Return the public host key of a node, which it makes while it boots."""
    return run_in(container, f"cat {HOST_KEY}").stdout


def authenticate(container: str, nodes: list[str], password: str) -> None:
    """Make the nodes' pcs daemons trust each other, so that every pcs command works on every node."""
    command = f"pcs host auth {' '.join(nodes)} -u hacluster"
    run_in(container, command, stdin=f"{password}\n")


def formed(count: int) -> str:
    """Return a shell condition: as many nodes online, quorum, and a DC."""
    monitor = "crm_mon --one-shot --output-as=xml"
    tests = (
        "echo \"$seen\" | grep -q '<current_dc present=\"true\".*with_quorum=\"true\"'",
        f"test \"$(echo \"$seen\" | grep -c '<node .*online=\"true\"')\" = {count}",
    )
    return f"seen=$({monitor}) && " + " && ".join(tests)


def wait_formed(container: str, count: int) -> None:
    """Wait until a cluster of `count` nodes is complete."""
    loop = f"until {formed(count)}; do echo \"$seen\" | head -20; sleep 0.3; done"
    run_in(container, loop, timeout=FORM_SECONDS)


def _prepare(container: str, stdin: str) -> None:
    run_in(container, (SCRIPTS / "prepare").read_text(), stdin=stdin)
