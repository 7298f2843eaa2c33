"""Host keys: which files know them, and what happens to one that none knows."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import paramiko
from fabric import Connection
from paramiko.ssh_exception import SSHException


class UnknownHostKeyError(SSHException):
    """No known_hosts file has this host."""


class _RefuseUnknown(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:  # noqa: ARG002
        raise UnknownHostKeyError(f"{key.get_name()} {key.fingerprint}")


class _AcceptNew(paramiko.MissingHostKeyPolicy):
    """Append the key to the user's known_hosts, leaving what is in there as it is."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:  # noqa: ARG002
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as known_hosts:
            known_hosts.write(f"{hostname} {key.get_name()} {key.get_base64()}\n")


def prepare(connection: Connection, *, accept_new: bool) -> None:
    """Make known_hosts decide; Fabric alone loads none and accepts every key, changed or not.

    With `accept_new` a host that no file knows is noted in the user's; a changed key is refused by
    paramiko all the same (BadHostKeyException).
    """
    client: paramiko.SSHClient = connection.client
    files = [Path(f).expanduser() for f in _known_hosts_files(connection)]
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            client.load_system_host_keys(str(file))
    policy = _AcceptNew(files[0]) if accept_new else _RefuseUnknown()
    client.set_missing_host_key_policy(policy)


def _known_hosts_files(connection: Connection) -> list[str]:
    """Return the files that ssh would read for this host, the user's first (ssh_config(5))."""
    configured = connection.ssh_config
    user = configured.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")
    system = configured.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts")
    return [*user.split(), *system.split()]


def known_as(connection: Connection) -> str:
    """Return the name under which known_hosts has this host (sshd(8))."""
    port = connection.port
    return connection.host if port == 22 else f"[{connection.host}]:{port}"  # noqa: PLR2004
