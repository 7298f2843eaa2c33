"""The operator's own keys for a hop, in the order in which ssh offers them."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paramiko import ECDSAKey, Ed25519Key, Message, PKey, RSAKey
from paramiko.agent import AgentKey, AgentSSH
from paramiko.pkey import PublicBlob
from paramiko.ssh_exception import PasswordRequiredException, SSHException

from pacefab.transport.way.certificates import parse_certificate
from pacefab.transport.way.hop import Hop
from pacefab.transport.way.tokens import expand_file

_CERTIFICATE = "-cert.pub"
_MAGIC = b"openssh-key-v1\0"  # PROTOCOL.key of OpenSSH


@dataclass(frozen=True)
class Given:
    """What the command line and the settings say about logging in.

    Args:
        files: private keys, offered first.
        passphrase: what unlocks keys.
        password: what is sent where keys are not taken.
        agent: whether the agent's keys may be offered.
        defaults: whether the keys in ~/.ssh may be.
    """

    files: Sequence[str] = ()
    passphrase: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    agent: bool = True
    defaults: bool = True


@dataclass
class _Identity:
    """A private key's file: what is known of it without its passphrase, and why it is not used."""

    file: str
    public: bytes | None = None
    certificates: list[PublicBlob] = field(default_factory=list)


class Identities:
    """The keys for one hop; `missed` says why some were not offered."""

    def __init__(self, hop: Hop, given: Given) -> None:
        self._hop = hop
        self._given = given
        self.missed: list[str] = []
        self._certificates = [
            blob
            for name in hop.settings.all("certificatefile")
            if name.lower() != "none" and (blob := _public_blob(expand_file(name, hop.tokens)))
        ]

    def offered(self) -> Iterator[PKey]:
        """Yield each key, with its certificates first; files are read when their turn comes.

        Those that were given come first; then as ssh: the agent's that a file names, the agent's
        others, the files that the agent lacks.
        """
        given = [self._identity(name) for name in self._given.files]
        for identity in given:
            yield from self._from_file(identity)
        if not self._hop.settings.says("pubkeyauthentication", default=True):
            return
        named = [self._identity(name) for name in self._named()]
        held = {key.blob: key for key in self._agent_keys()}
        used = {identity.file for identity in given}
        for identity in named:
            if identity.public in held:
                used.add(identity.file)
                yield from self._with_certificates(held.pop(identity.public), identity.certificates)
        if not self._hop.settings.says("identitiesonly", default=False):
            for key in held.values():
                yield from self._with_certificates(key, [])
        for identity in named:
            if identity.file not in used:
                yield from self._from_file(identity)

    def _named(self) -> list[str]:
        names = self._hop.settings.all("identityfile")
        if [name.lower() for name in names] == ["none"]:  # beside others, ssh takes it for a file
            return []
        files = [expand_file(name, self._hop.tokens) for name in names]
        return [file for file in files if self._given.defaults or not _is_default(file)]

    def _identity(self, name: str) -> _Identity:
        file = os.path.expanduser(name)  # noqa: PTH111
        found = _Identity(file)
        blob = _public_blob(file) or _public_blob(f"{file}.pub")
        found.public = blob.key_blob if blob else _public_part(file)
        if certificate := _public_blob(file + _CERTIFICATE):
            found.certificates.append(certificate)
        return found

    def _from_file(self, identity: _Identity) -> Iterator[PKey]:
        key = self._load(identity.file)
        if key is not None:
            yield from self._with_certificates(key, identity.certificates)

    def _load(self, file: str) -> PKey | None:
        """Return a file's private key; None when it cannot be used, which is noted."""
        try:
            mode = Path(file).stat()
            if mode.st_uid == os.getuid() and mode.st_mode & 0o077:
                self.missed.append(f"others may read {file}: chmod 600")
                return None
            return self._parse(file)
        except FileNotFoundError:
            if not _is_default(file):
                self.missed.append(f"{file} is not there")
        except OSError as error:
            self.missed.append(f"{file}: {error.strerror or error}")
        return None

    def _parse(self, file: str) -> PKey | None:
        passphrase = self._given.passphrase or self._given.password
        for kind in (Ed25519Key, RSAKey, ECDSAKey):
            try:
                return kind.from_private_key_file(file, passphrase)
            except PasswordRequiredException:
                seen = f"{file} wants a passphrase: ssh-add it, or --prompt-for-passphrase"
                self.missed.append(seen)
                return None
            except (SSHException, ValueError, IndexError, TypeError):
                continue
        if not _public_blob(file):
            self.missed.append(f"{file} is no key that can be used here")
        return None

    def _with_certificates(self, key: PKey, own: Sequence[PublicBlob]) -> Iterator[PKey]:
        for certificate in (*self._certificates, *own):
            if _is_of(certificate, key):
                key.public_blob = certificate
                yield key
        key.public_blob = None
        yield key

    def _agent_keys(self) -> Sequence[AgentKey]:
        if not self._given.agent:
            return ()
        place = self._place_of_agent()
        if not place:
            return ()
        agent = AgentSSH()  # its subclass Agent knows one place only
        try:
            agent._connect(_connected(place))  # type: ignore[attr-defined]  # noqa: SLF001
        except (OSError, SSHException) as error:
            self.missed.append(f"the agent at {place}: {error}")
            return ()
        return tuple(agent.get_keys())

    def _place_of_agent(self) -> str | None:
        """Return the agent's socket: of IdentityAgent, else of SSH_AUTH_SOCK."""
        configured = self._hop.settings.values.get("identityagent", ["SSH_AUTH_SOCK"])[0]
        if configured.lower() == "none":
            return None
        if configured == "SSH_AUTH_SOCK":
            return os.environ.get(configured)
        if configured.startswith("$") and not configured.startswith("${"):
            return os.environ.get(configured[1:])
        return expand_file(configured, self._hop.tokens)


def _connected(place: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(10)
    sock.connect(place)
    return sock


def _public_blob(file: str) -> PublicBlob | None:
    """Return what a file of a public key or certificate has; None when it is none."""
    with contextlib.suppress(OSError, ValueError, UnicodeDecodeError, IndexError):
        return PublicBlob.from_string(Path(file).read_text(encoding="utf-8"))
    return None


def _public_part(file: str) -> bytes | None:
    """Return the public key in a file of a private one, which no passphrase hides."""
    with contextlib.suppress(OSError, ValueError, struct.error):
        lines = Path(file).read_text(encoding="ascii").split("\n")
        body = base64.b64decode("".join(line for line in lines if "-" not in line))
        if body.startswith(_MAGIC):
            message = Message(body[len(_MAGIC) :])
            for _ in range(3):  # the cipher, how its key is made, and of what
                message.get_binary()
            message.get_int()
            return bytes(message.get_binary())
    return None


def _is_of(certificate: PublicBlob, key: Any) -> bool:
    try:
        own = getattr(key, "blob", None) or key.asbytes()
        return bool(parse_certificate(certificate.key_blob).key == own)
    except SSHException:
        return False


def _is_default(file: str) -> bool:
    return Path(file).parent == Path.home() / ".ssh" and Path(file).name.startswith("id_")
