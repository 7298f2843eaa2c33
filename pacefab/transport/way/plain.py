"""A reader for the ssh_config files that need no OpenSSH to be understood.

`ssh -G` is right about every file, and costs 5 ms for each host. Most files consist of sections
`Host` with plain values: those are read here, once for all hosts. Whatever is not known to be plain
(Match, tokens, quotes, a keyword or value that is not listed here) is left to ssh.
"""

from __future__ import annotations

import functools
import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pacefab.transport.way.patterns import matches_list

_PLAIN = "-A-Za-z0-9_./:@,+~*?!"
_LINE = re.compile(rf"[ \t]*([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+)([{_PLAIN}][{_PLAIN} \t]*)")
# What systemd has in /etc/ssh/ssh_config.d for its own hosts: %, and commands.
_HOST = re.compile(rf"\s*(Host)(?:\s*=\s*|\s+)([{_PLAIN}%][{_PLAIN}% \t]*)", re.IGNORECASE)
_COMMAND = re.compile(r"\s*(ProxyCommand)\s+(\S.*)", re.IGNORECASE)
_YES_OR_NO = re.compile(r"yes|no|true|false")
_NUMBER = re.compile(r"[0-9]{1,5}")
_WORD = re.compile(r"[^\s*?!]+")
_WORDS = re.compile(r"[^*?!]+")
_ANY = re.compile(r".*")
_VALUES: Mapping[str, re.Pattern[str]] = {
    "addressfamily": re.compile(r"any|inet6?"),
    "bindaddress": _WORD,
    "certificatefile": _WORD,
    "checkhostip": _YES_OR_NO,
    "connecttimeout": _NUMBER,
    "globalknownhostsfile": _WORDS,
    "gssapiauthentication": _YES_OR_NO,
    "hashknownhosts": _YES_OR_NO,
    "hostkeyalias": _WORD,
    "hostname": _WORD,
    "identitiesonly": _YES_OR_NO,
    "identityagent": _WORD,
    "identityfile": _WORD,
    "loglevel": re.compile(r"[A-Z0-9]+"),
    "passwordauthentication": _YES_OR_NO,
    "port": _NUMBER,
    "proxycommand": _ANY,  # not one that counts for the host
    "proxyjump": _WORD,
    "proxyusefdpass": _YES_OR_NO,
    "sendenv": _ANY,
    "serveralivecountmax": _NUMBER,
    "serveraliveinterval": _NUMBER,
    "stricthostkeychecking": re.compile(r"yes|no|off|ask|accept-new"),
    "user": _WORD,
    "userknownhostsfile": _WORDS,
}
"""The keywords that are read here, with their plain values."""
_SEVERAL = {"identityfile", "certificatefile", "sendenv"}
_DEPTH = 16  # as ssh's


class NotPlainError(Exception):
    """What is read needs OpenSSH: the text says what and where."""


@dataclass(frozen=True)
class _Line:
    place: str
    keyword: str
    value: str


def read_plain(files: Sequence[Path], section: str, name: str) -> dict[str, list[str]]:
    """Return what the files, then the section, say about a host, by keyword in lower case.

    Raises:
        NotPlainError: it needs ssh to be understood.
    """
    if name != name.lower():
        raise NotPlainError(f"{name} has capitals")
    found: dict[str, list[str]] = {}
    for file in files:
        _apply(_lines(file), name, found, 0)
    _apply(_parsed(section, "the inventory"), name, found, 0)
    return found


def _apply(lines: Sequence[_Line], name: str, found: dict[str, list[str]], depth: int) -> None:
    """Take the lines that count for a host; of most keywords the first value counts."""
    active = True
    for line in lines:
        if line.keyword == "host":
            active = matches_list(name, line.value.split())
        elif line.keyword == "include":
            for file in _included(line, depth):
                # Within a section that is not the host's, nothing counts; it is to be plain too.
                _apply(_lines(file), name, found if active else {}, depth + 1)
        elif active and line.keyword == "proxycommand":
            raise NotPlainError(f"{line.place}: ProxyCommand {line.value}")
        elif active and line.keyword in _SEVERAL:
            if line.value not in found.setdefault(line.keyword, []):
                found[line.keyword].append(line.value)
        elif active:
            found.setdefault(line.keyword, [line.value])


def _included(line: _Line, depth: int) -> Iterator[Path]:
    for pattern in line.value.split():
        if not pattern.startswith("/") or depth >= _DEPTH:
            raise NotPlainError(f"{line.place}: Include {line.value}")
        files = [Path(file) for file in sorted(glob.glob(pattern))]  # noqa: PTH207  # any
        check_owner(files)  # as ssh does of every included file
        yield from files


def _lines(file: Path) -> Sequence[_Line]:
    try:
        state = file.stat()
    except OSError as error:
        raise NotPlainError(f"{file}: {error.strerror}") from None
    return _read(file, state.st_mtime_ns, state.st_size)


@functools.cache
def _read(file: Path, _changed: int, _size: int) -> Sequence[_Line]:
    try:
        return _parsed(file.read_bytes().decode(), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise NotPlainError(f"{file}: {error}") from None


def _parsed(text: str, origin: str) -> Sequence[_Line]:
    """Return the lines that say something; only a line feed ends one, as for ssh."""
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        plain = line.strip(" \t\r")
        if plain and not plain.startswith("#"):
            lines.append(_checked(f"{origin}, line {number}", plain))
    return lines


def _checked(place: str, line: str) -> _Line:
    match = _LINE.fullmatch(line) or _HOST.fullmatch(line) or _COMMAND.fullmatch(line)
    if not match:
        raise NotPlainError(f"{place}: {line.strip()}")
    keyword, value = match[1].lower(), " ".join(match[2].split())
    allowed = _ANY if keyword in {"host", "include"} else _VALUES.get(keyword)
    if allowed is None or not allowed.fullmatch(value):
        raise NotPlainError(f"{place}: {line.strip()}")
    if keyword == "port" and not 0 < int(value) < 65536:  # noqa: PLR2004
        raise NotPlainError(f"{place}: {line.strip()}")
    return _Line(place, keyword, value)


def check_owner(files: Sequence[Path]) -> None:
    """Leave it to ssh to say what is wrong with files that others may write. Errors as above."""
    try:
        unsafe = [str(file) for file in files if not _is_safe(file)]
    except OSError as error:
        raise NotPlainError(f"{error.filename}: {error.strerror}") from None
    if unsafe:
        raise NotPlainError(f"{', '.join(unsafe)} may be written by others")


def _is_safe(file: Path) -> bool:
    """Whether every ssh takes a configuration: nobody else may write it."""
    state = file.stat()
    return state.st_uid in {0, os.getuid()} and not state.st_mode & 0o022
