"""How nodes are reached by SSH: a key pair, known host keys, an ssh_config that stands alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from .nodes import LOOPBACK

KEY: Final = "id_ed25519"
SSH_CONFIG: Final = "ssh_config"
KNOWN_HOSTS: Final = "known_hosts"
HOST: Final = """\
Host {node}
    HostName {address}
    Port {port}
    User root
    IdentityFile {key}
    IdentitiesOnly yes
    UserKnownHostsFile {known_hosts}
    StrictHostKeyChecking yes

"""


def write_key(folder: Path) -> str:
    """Make a key pair for the cluster and return the public key's line."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    write_private(folder / KEY, private.decode())
    (folder / f"{KEY}.pub").write_text(f"{public} pacefab\n")
    return public


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def write_ssh_config(folder: Path, ports: Mapping[str, int]) -> None:
    """Write the ssh_config: a section per node, absolute paths."""
    paths = {"key": folder / KEY, "known_hosts": folder / KNOWN_HOSTS}
    sections = (
        HOST.format(node=node, address=LOOPBACK, port=port, **paths) for node, port in ports.items()
    )
    (folder / SSH_CONFIG).write_text("".join(sections))


def write_known_hosts(folder: Path, keys: Mapping[str, str], ports: Mapping[str, int]) -> None:
    """Write the nodes' host keys, which were read on the nodes and not over the network."""
    lines = (
        f"[{LOOPBACK}]:{ports[node]} {' '.join(key.split()[:2])}\n" for node, key in keys.items()
    )
    (folder / KNOWN_HOSTS).write_text("".join(lines))
