"""A host's configuration, as OpenSSH reads it: by `ssh -G`, or here where the files are plain."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pacefab.errors import UnreachableError
from pacefab.transport.way.plain import NotPlainError, check_owner, read_plain
from pacefab.transport.way.settings import HostSettings, Sources

_SYSTEM = Path("/etc/ssh/ssh_config")
_SECONDS = 30  # `Match exec` runs commands of the operator's
_ATTEMPTED = "read the ssh configuration"


def read_settings(name: str, user: str | None, port: int | None, sources: Sources) -> HostSettings:
    """Return what ssh would do about a host, called by `name`, with `user` and `port` given.

    Raises:
        UnreachableError: a file is wrong; or it needs ssh to be understood, and there is none.
    """
    files = _files(sources)
    try:
        if sources.file is None:
            check_owner(files)
        return HostSettings(read_plain(files, sources.section, name))
    except NotPlainError as reason:
        return _ask_ssh(name, user, port, sources, reason)


def _files(sources: Sources) -> list[Path]:
    if sources.file:
        return [sources.file]
    # One that may not even be looked at is none, for ssh too.
    return [file for file in (_own(), _SYSTEM) if os.path.isfile(file)]  # noqa: PTH113


def _own() -> Path:
    return Path.home() / ".ssh" / "config"


def _ask_ssh(
    name: str, user: str | None, port: int | None, sources: Sources, reason: NotPlainError
) -> HostSettings:
    given = ["-F", str(sources.file)] if sources.file else []
    text = _composed(sources)
    if text:
        given = ["-F", "/dev/stdin"]
    if user:
        given += ["-l", user]
    if port:
        given += ["-p", str(port)]
    try:
        done = subprocess.run(
            ["ssh", *given, "-G", "--", name],
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        seen = f"there is no program ssh here, and it is needed for this: {reason}"
        raise UnreachableError(_ATTEMPTED, seen, "install OpenSSH's client", host=name) from None
    except subprocess.TimeoutExpired:
        seen = f"ssh -G {name} did not end within {_SECONDS} s"
        raise UnreachableError(_ATTEMPTED, seen, "see what `Match exec` runs", host=name) from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("Pseudo-")]
        seen = "; ".join(lines).replace("\r", "") or f"ssh -G {name} ended with {done.returncode}"
        raise UnreachableError(_ATTEMPTED, seen, f"fix it; see: ssh -G {name}", host=name)
    return _parsed(done.stdout)


def _composed(sources: Sources) -> str:
    """Return a configuration that reads the files, then the section; empty when none is needed.

    ssh takes the home of the passwd database for the user's, and knows no $HOME.
    """
    moved = Path.home() != _home_of_account()
    if not sources.section and (sources.file or not moved):
        return ""
    lines = [f"Include {_quoted(file)}\n" for file in _files(sources)]
    folder = _quoted(Path.home() / ".ssh" / "known_hosts")
    default = f'Host *\n  UserKnownHostsFile {folder} {folder[:-1]}2"\n' if moved else ""
    return "".join([*lines, sources.section, "\n", default])


def _home_of_account() -> Path | None:
    """Return the home in the passwd database; None: it has no such user, and ssh will say so."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def _quoted(file: Path) -> str:
    """Return a file's name for Include, which takes patterns."""
    return '"' + re.sub(r"([\\*?\[\]])", r"\\\1", str(file.absolute())) + '"'


def _parsed(text: str) -> HostSettings:
    """Return the lines `keyword value` that `ssh -G` writes."""
    values: dict[str, list[str]] = {}
    for line in text.removesuffix("\n").split("\n"):
        keyword, _, value = line.partition(" ")
        values.setdefault(keyword, []).append(value)
    return HostSettings(values)


def default_algorithms() -> Sequence[str]:
    """Return the kinds of host keys that ssh asks for when nothing is configured, best first."""
    try:
        argv = ["ssh", "-F", "none", "-G", "--", "localhost"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return _parsed(done.stdout).listed("hostkeyalgorithms")
