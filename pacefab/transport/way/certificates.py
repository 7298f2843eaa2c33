"""Host certificates: what they say, and whether they hold (PROTOCOL.certkeys of OpenSSH)."""

from __future__ import annotations

import struct
import time
from collections.abc import Collection
from dataclasses import dataclass

from paramiko import ECDSAKey, Ed25519Key, Message, PKey, RSAKey
from paramiko.ssh_exception import SSHException

from pacefab.transport.way.patterns import matches

SUFFIX = "-cert-v01@openssh.com"
_HOST = 2
_FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2}  # strings of the key; ecdsa: curve and point
_CLASSES: dict[str, type[PKey]] = {"ssh-ed25519": Ed25519Key, "ssh-rsa": RSAKey}


@dataclass(frozen=True)
class Certificate:
    """A certificate of a host's key.

    Args:
        key: the host's key alone.
        role: what it is for; a host's or a user's.
        names: the hosts it is for, patterns; all when there are none.
        since: seconds of the epoch from which it holds.
        until: the second at which it ends.
        limited: whether it names conditions; there is none for hosts.
        authority: the key that signed it.
        signed: what was signed.
        signature: the signature.
    """

    key: bytes
    role: int
    names: tuple[str, ...]
    since: int
    until: int
    limited: bool
    authority: bytes
    signed: bytes
    signature: bytes

    def fault(self, name: str, algorithms: Collection[str]) -> str | None:
        """Return why it does not hold for a host; None when it does.

        `algorithms` are those that authorities may sign with; empty: any that is known here.
        """
        if self.role != _HOST or self.limited:
            return "it is no certificate of a host"
        if not self.since <= time.time() < self.until:
            return "its time has not come, or is over"
        if self.names and not any(matches(name, pattern) for pattern in self.names):
            return f"it is not for {name}"
        if algorithms and Message(self.signature).get_text() not in algorithms:
            return "its signature is of a kind that is not allowed"
        return None if self._is_signed() else "its signature is wrong"

    def _is_signed(self) -> bool:
        kind = Message(self.authority).get_text()
        try:
            key = _CLASSES.get(kind, ECDSAKey)(Message(self.authority))
            return bool(key.verify_ssh_sig(self.signed, Message(self.signature)))
        except (SSHException, ValueError, struct.error):
            return False


def parse_certificate(blob: bytes) -> Certificate:
    """Return what a certificate says.

    Raises:
        SSHException: it is none.
    """
    try:
        return _parse(Message(blob), blob)
    except (struct.error, UnicodeDecodeError, OverflowError) as error:
        raise SSHException(f"the host's certificate cannot be read: {error}") from None


def _parse(message: Message, blob: bytes) -> Certificate:
    kind = message.get_text().removesuffix(SUFFIX)
    message.get_binary()  # its nonce
    parts = [message.get_binary() for _ in range(_FIELDS.get(kind, 2))]
    key = b"".join(_string(part) for part in (kind.encode(), *parts))
    message.get_int64()  # its serial number
    role = message.get_int()
    message.get_binary()  # its id
    names = _strings(message.get_binary())
    since, until = message.get_int64(), message.get_int64()
    limits = message.get_binary()
    message.get_binary()  # extensions
    message.get_binary()  # reserved
    authority = message.get_binary()
    signed = blob[: len(blob) - len(message.get_remainder())]
    signature = message.get_binary()
    return Certificate(key, role, names, since, until, bool(limits), authority, signed, signature)


def _string(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part


def _strings(packed: bytes) -> tuple[str, ...]:
    message, names = Message(packed), []
    while message.get_remainder():
        names.append(message.get_text())
    return tuple(names)
