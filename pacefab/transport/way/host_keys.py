"""Host keys: what a hop may show, whether it is believed, and how a new one is noted."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import ipaddress
import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from paramiko import PKey, Transport
from paramiko.ssh_exception import SSHException

from pacefab.transport.way.certificates import SUFFIX, parse_certificate
from pacefab.transport.way.configuration import default_algorithms
from pacefab.transport.way.hop import SSH_PORT, Hop
from pacefab.transport.way.known_hosts import (
    KeyVerdict,
    KnownHost,
    find,
    hash_name,
    parse_known_hosts,
    read_known_hosts,
)
from pacefab.transport.way.tokens import expand, expand_file

_SECONDS = 10


class UnknownHostKeyError(SSHException):
    """No known_hosts file has this host."""


class ChangedHostKeyError(SSHException):
    """known_hosts has other keys of this host."""


class RevokedHostKeyError(SSHException):
    """The key is one that must not be believed any more."""


@dataclass(frozen=True)
class Shown:
    """The key that a host showed.

    Args:
        kind: what it is called: `ssh-ed25519`.
        key: itself, without a certificate.
        certificate: the certificate around it, if there was one.
    """

    kind: str
    key: bytes
    certificate: bytes | None = None

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` writes it."""
        digest = base64.b64encode(hashlib.sha256(self.key).digest()).decode()
        return f"SHA256:{digest.rstrip('=')}"

    @property
    def line(self) -> str:
        """As known_hosts has it, without the host's name."""
        return f"{self.kind} {base64.b64encode(self.key).decode()}"


class HostKeys:
    """What is known about one hop, and what is to happen about the rest.

    Args:
        hop: the host.
        accept_new: note a key of a host that no file knows, whatever the configuration says.
    """

    def __init__(self, hop: Hop, *, accept_new: bool) -> None:
        self._hop = hop
        self._settings = hop.settings
        self._files = hop.files("userknownhostsfile")
        self._entries = read_known_hosts([*self._files, *hop.files("globalknownhostsfile")])
        self._entries += self._commanded("NONE", "NONE", "ORDER")
        self._known = find(self._entries, hop.known_as)
        strict = self._settings.one("stricthostkeychecking")
        self._anything = strict in {"no", "off", "false"}
        self._accepts_new = accept_new or self._anything or strict == "accept-new"
        self.unsafe = False
        """Whether a key was taken that known_hosts speaks against; ssh sends no password then."""

    def algorithms(self) -> list[str]:
        """Return the kinds of keys to ask for, best first: those that known_hosts knows."""
        configured = self._settings.listed("hostkeyalgorithms")
        usable = [*(kind + SUFFIX for kind in _USABLE), *_USABLE]
        kinds = [kind for kind in configured or usable if kind in usable]
        if not self._known.authorities:
            kinds = [kind for kind in kinds if not kind.endswith(SUFFIX)]
        if not kinds:
            raise SSHException("HostKeyAlgorithms names none that can be used here")
        first = [kind for kind in kinds if self._is_known(kind)]
        if kinds[0] in first or not first or not _may_be_sorted(configured):
            return kinds
        return [*first, *(kind for kind in kinds if kind not in first)]

    def _is_known(self, algorithm: str) -> bool:
        if algorithm.endswith(SUFFIX):
            return True  # they are asked for where an authority is known only
        return _kind(algorithm) in self._known.kinds

    def check(self, shown: Shown, peer: str | None) -> None:
        """Believe the key that the hop showed, or not; a new one may be noted.

        `peer` is the address that was connected to, if it was one.

        Raises:
            UnknownHostKeyError, ChangedHostKeyError, RevokedHostKeyError: it is not believed.
        """
        if self._settings.says("nohostauthenticationforlocalhost", default=False) and _local(peer):
            return
        self._entries += self._commanded(shown.line, shown.kind, "HOSTNAME")
        self._known = find(self._entries, self._hop.known_as)
        verdict = self._judge(shown)
        if verdict is KeyVerdict.KNOWN and self._address_differs(shown, peer):
            verdict = KeyVerdict.CHANGED
        about = f"{shown.kind} {shown.fingerprint}"
        if verdict is KeyVerdict.NEW and not self._accepts_new:
            raise UnknownHostKeyError(about)
        if verdict in _REFUSALS and not self._anything:
            raise _REFUSALS[verdict](about)
        self.unsafe = verdict in _REFUSALS
        if verdict is KeyVerdict.NEW and self._files:
            name = self._hop.known_as
            hashed = self._settings.says("hashknownhosts", default=False)
            note(Path(self._files[0]), hash_name(name) if hashed else name, shown.line)

    def _judge(self, shown: Shown) -> KeyVerdict:
        if self._in_revoked_file(shown):
            return KeyVerdict.REVOKED
        if shown.certificate and self._is_certified(shown.certificate):
            return KeyVerdict.KNOWN
        if shown.certificate and (
            parse_certificate(shown.certificate).authority in self._known.revoked
        ):
            return KeyVerdict.REVOKED
        verdict = self._known.judge(shown.key)
        alias = self._settings.one("hostkeyalias")
        if verdict is KeyVerdict.NEW and not alias and self._hop.port != SSH_PORT:
            plain = find(self._entries, self._hop.host.lower())
            if plain.judge(shown.key) in {KeyVerdict.KNOWN, KeyVerdict.REVOKED}:
                return plain.judge(shown.key)
        return verdict

    def _is_certified(self, blob: bytes) -> bool:
        certificate = parse_certificate(blob)
        trusted = certificate.authority in self._known.authorities
        revoked = {certificate.key, certificate.authority} & set(self._known.revoked)
        name = (self._settings.one("hostkeyalias") or self._hop.host).lower()
        signatures = self._settings.listed("casignaturealgorithms")
        return trusted and not revoked and not certificate.fault(name, signatures)

    def _address_differs(self, shown: Shown, peer: str | None) -> bool:
        """Whether CheckHostIP finds other keys for the address."""
        if not self._settings.says("checkhostip", default=False) or not peer:
            return False
        if self._settings.one("hostkeyalias") or self._hop.via or self._hop.command or _local(peer):
            return False
        name = peer if self._hop.port == SSH_PORT else f"[{peer}]:{self._hop.port}"
        return find(self._entries, name).judge(shown.key) in _REFUSALS

    def _in_revoked_file(self, shown: Shown) -> bool:
        """Whether RevokedHostKeys has the key; so ssh does when the file cannot be read."""
        name = self._settings.one("revokedhostkeys")
        if not name:
            return False
        file = Path(expand_file(name, self._hop.tokens))
        lines = [shown.line]
        if shown.certificate:
            encoded = base64.b64encode(shown.certificate).decode()
            lines.append(f"{shown.kind}{SUFFIX} {encoded}")
        return any(_is_revoked(file, line) for line in lines)

    def _commanded(self, key: str, kind: str, why: str) -> list[KnownHost]:
        """Return what KnownHostsCommand prints."""
        line = self._settings.one("knownhostscommand")
        if not line:
            return []
        more = {"H": self._hop.known_as, "I": why, "K": key.rpartition(" ")[2], "t": kind, "f": ""}
        argv = [expand(word, {**self._hop.tokens, **more}) for word in shlex.split(line)]
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SSHException(f"KnownHostsCommand {argv[0]}: {error}") from None
        return list(parse_known_hosts(done.stdout))


_REVOCATIONS = b"SSHKRL\n\0"
_USABLE = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_REFUSALS: dict[KeyVerdict, Callable[[str], SSHException]] = {
    KeyVerdict.CHANGED: ChangedHostKeyError,
    KeyVerdict.REVOKED: RevokedHostKeyError,
}


def shown_by(transport: Transport) -> Shown:
    """Return the key that a host showed."""
    key: PKey = transport.get_remote_server_key()
    if key.public_blob is None:
        return Shown(key.get_name(), key.asbytes())
    blob = key.public_blob.key_blob
    return Shown(_kind(str(transport.host_key_type)), parse_certificate(blob).key, blob)


def _kind(algorithm: str) -> str:
    """Return the kind of key of an algorithm: several are of RSA keys."""
    plain = algorithm.removesuffix(SUFFIX)
    return "ssh-rsa" if plain.startswith("rsa-sha2-") else plain


def _may_be_sorted(configured: Sequence[str]) -> bool:
    """Whether known keys count more than the order of HostKeyAlgorithms.

    They do when nobody set it but to take away or append (`-`, `+`), which `ssh -G` does not say.
    """
    if not configured:
        return True
    usual = default_algorithms()
    common = [kind for kind in configured if kind in usual]
    in_order = common == [kind for kind in usual if kind in common]
    return in_order and len(common) * 2 > len(usual) and configured[: len(common)] == common


def _local(peer: str | None) -> bool:
    return bool(peer) and ipaddress.ip_address(str(peer).partition("%")[0]).is_loopback


def _is_revoked(file: Path, line: str) -> bool:
    """Whether a file has a key: a list of keys, or what `ssh-keygen -k` makes."""
    try:
        content = file.read_bytes()
        if not content.startswith(_REVOCATIONS):
            kind, encoded = line.split()
            words = (entry.split() for entry in content.decode(errors="replace").splitlines())
            return any(entry[:2] == [kind, encoded] for entry in words)
        done = subprocess.run(
            ["ssh-keygen", "-Q", "-f", str(file), "/dev/stdin"],
            input=f"{line}\n",
            text=True,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return True
    return done.returncode != 0


def note(file: Path, name: str, line: str) -> None:
    """Append a key to known_hosts, on a line of its own, leaving what is in there as it is.

    A file that cannot be written stays as it is: the host is new the next time, as with ssh.
    """
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # so that the end is still the end
            os.write(descriptor, f"{_separator(descriptor)}{name} {line}\n".encode())
        finally:
            os.close(descriptor)


def _separator(descriptor: int) -> str:
    with contextlib.suppress(OSError):  # a device has no size
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            return "\n"
    return ""
