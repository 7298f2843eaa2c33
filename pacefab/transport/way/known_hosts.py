"""known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): read as ssh reads them.

Lines that ssh cannot use are skipped, as it skips them.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import os
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pacefab.transport.way.patterns import matches_list

_HASHED = "|1|"
_BLANK = re.compile(r"[ \t\r]+")
# A host with any of them is known; not all can be asked for.
_KINDS = (
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-dss",
)


class KeyVerdict(Enum):
    """What known_hosts says about a key that a host showed."""

    KNOWN = "known"
    NEW = "new"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class KnownHost:
    """A line: whose key it is, and what it means."""

    marker: str
    names: str
    kind: str
    key: bytes

    def matches(self, name: str) -> bool:
        """Whether the line is about a host, by its name in lower case."""
        if self.names.startswith(_HASHED):
            return _is_hashed(name, self.names)
        return matches_list(name, self.names.lower().split(","))


@dataclass(frozen=True)
class KnownKeys:
    """The keys of one host."""

    plain: Sequence[KnownHost] = ()
    authorities: Sequence[bytes] = ()
    revoked: Sequence[bytes] = ()

    @property
    def kinds(self) -> set[str]:
        """The kinds of its own keys."""
        return {entry.kind for entry in self.plain}

    def judge(self, key: bytes) -> KeyVerdict:
        """Return what is to be thought of a host that shows this key (no certificate)."""
        if key in self.revoked:
            return KeyVerdict.REVOKED
        if any(entry.key == key for entry in self.plain):
            return KeyVerdict.KNOWN
        return KeyVerdict.CHANGED if self.plain else KeyVerdict.NEW


def read_known_hosts(files: Iterable[str]) -> list[KnownHost]:
    """Return the lines of all files that are there and can be read."""
    entries: list[KnownHost] = []
    for name in files:
        file = Path(name)
        try:
            state = file.stat()
            entries += _read(file, state.st_mtime_ns, state.st_size, state.st_ino)
        except OSError:
            continue  # as ssh does: then it knows less
    return entries


@functools.lru_cache(maxsize=64)
def _read(file: Path, _changed: int, _size: int, _inode: int) -> Sequence[KnownHost]:
    return parse_known_hosts(file.read_bytes())


def parse_known_hosts(text: bytes) -> Sequence[KnownHost]:
    """Return the lines that can be used."""
    lines = (_entry(line) for line in text.decode(errors="replace").split("\n"))
    return [entry for entry in lines if entry]


def _entry(line: str) -> KnownHost | None:
    words = [word for word in _BLANK.split(line) if word]
    marker = ""
    if words and words[0].startswith("@"):
        marker = words.pop(0)
        if marker not in {"@cert-authority", "@revoked"}:
            return None
    if len(words) < 3 or words[0].startswith("#") or words[1] not in _KINDS:  # noqa: PLR2004
        return None
    names, kind, encoded, *_ = words
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    if not key.startswith(struct.pack(">I", len(kind)) + kind.encode()):
        return None
    return KnownHost(marker, names, kind, key)


def find(entries: Iterable[KnownHost], name: str) -> KnownKeys:
    """Return what is known about a host, by its name in known_hosts."""
    found = [entry for entry in entries if entry.matches(name)]
    return KnownKeys(
        plain=[entry for entry in found if not entry.marker],
        authorities=[entry.key for entry in found if entry.marker == "@cert-authority"],
        revoked=[entry.key for entry in found if entry.marker == "@revoked"],
    )


def _is_hashed(name: str, hashed: str) -> bool:
    try:
        _, _, salt, digest = hashed.split("|")
        expected = base64.b64decode(digest, validate=True)
        made = hmac.digest(base64.b64decode(salt, validate=True), name.encode(), hashlib.sha1)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(made, expected)


def hash_name(name: str) -> str:
    """Return a name as HashKnownHosts has it written."""
    salt = os.urandom(20)
    digest = hmac.digest(salt, name.encode(), hashlib.sha1)
    return _HASHED + "|".join(base64.b64encode(part).decode() for part in (salt, digest))
