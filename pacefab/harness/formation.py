"""From booting nodes to a cluster with quorum.

`pcs cluster setup` and `pcs cluster start` would take 20 seconds more. So pcs renders corosync.conf
and authenticates its daemons, as it does for an operator, and the files are put in place here.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from . import access
from .nodes import run_in, run_script
from .parallel import on_all

CLERK_PASSWORD: Final = "clerk_password"  # noqa: S105  (a file's name)
AUTHKEY_BYTES: Final = 256
BOOT_SECONDS: Final = 180
JOIN_SECONDS: Final = 120
FORM_SECONDS: Final = 180


def admit(folder: Path, containers: Mapping[str, str], ports: Mapping[str, int]) -> None:
    """Let the cluster's key log in to booting nodes, and write into `folder` how to reach them.

    `containers` gives the container of each node, `ports` the host's port of its sshd. Raises
    `HarnessError`.
    """
    clerk_password = secrets.token_urlsafe(18)
    access.write_private(folder / CLERK_PASSWORD, clerk_password)
    stdin = f"{access.write_key(folder)}\n{clerk_password}\n"
    on_all(partial(run_script, name="admit", stdin=stdin), containers.values())
    keys = on_all(wait_booted, containers.values())
    access.write_ssh_config(folder, ports)
    access.write_known_hosts(folder, dict(zip(containers, keys, strict=True)), ports)


def form(folder: Path, containers: Mapping[str, str], *, at_boot: bool = False) -> None:
    """Make a cluster of nodes that have booted; `at_boot`: each comes back by itself as it boots.

    Raises `HarnessError`.
    """
    first = next(iter(containers.values()))
    hacluster_password = secrets.token_urlsafe(18)
    secret_lines = [
        hacluster_password,
        _base64(secrets.token_bytes(AUTHKEY_BYTES)),
        _base64(corosync_conf(folder.name, first, list(containers)).encode()),
    ]
    stdin = "".join(f"{line}\n" for line in secret_lines)
    on_all(partial(run_script, name="prepare", stdin=stdin), containers.values())
    on_all(partial(join, at_boot=at_boot), containers.values())
    authenticate(first, list(containers), hacluster_password)
    wait_formed(containers.values())


def corosync_conf(cluster: str, container: str, nodes: list[str]) -> str:
    """Let pcs render the configuration of a cluster, without touching any node."""
    target = "/tmp/corosync.conf"
    setup = f"pcs cluster setup {cluster} {' '.join(nodes)} --corosync_conf {target}"
    return run_in(container, f"{setup} >&2 && cat {target}").stdout


def wait_booted(container: str) -> str:
    """Wait until a node's systemd has booted; return its public host key."""
    return run_script(container, "boot", timeout=BOOT_SECONDS).stdout


def join(container: str, *, at_boot: bool = False) -> None:
    """Start a node's cluster services once it has booted; `at_boot`: at each boot from now on."""
    wait_booted(container)
    # Beside it, as it takes 2 s: of units that have scripts of System V too.
    enable = "systemctl enable --quiet corosync pacemaker"
    start = "systemctl start corosync pacemaker"
    both = f"{enable} & {start} && wait $!" if at_boot else start
    run_in(container, both, timeout=JOIN_SECONDS)


def authenticate(container: str, nodes: list[str], password: str) -> None:
    """Make the nodes' pcs daemons trust each other: every pcs command works on every node."""
    command = f"pcs host auth {' '.join(nodes)} -u hacluster"
    run_in(container, command, stdin=f"{password}\n")


def formed(count: int) -> str:
    """Return a shell condition: as many nodes online, quorum, and a DC."""
    monitor = "crm_mon --one-shot --output-as=xml"
    tests = (
        'echo "$seen" | grep -q \'<current_dc present="true".*with_quorum="true"\'',
        f'test "$(echo "$seen" | grep -c \'<node .*online="true"\')" = {count}',
    )
    return f"seen=$({monitor}) && " + " && ".join(tests)


def wait_formed(containers: Collection[str]) -> None:
    """Wait until a cluster is complete in the eyes of each of its nodes.

    One alone may be wrong: for corosync's token timeout it takes a killed node for online, and that
    node may be up again by then, and not yet a member.
    """
    loop = f'until {formed(len(containers))}; do echo "$seen" | head -20; sleep 0.3; done'
    on_all(partial(run_in, command=loop, timeout=FORM_SECONDS), containers)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
