"""Root's rights for a user who is not root: sudo, asked for as little as possible."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from pacefab.errors import UnreachableError
from pacefab.transport.execution import tail

Execute = Callable[[str, str, float], tuple[int, str, str]]
"""Runs a line with its standard input and a limit in seconds: exit status, stdout, stderr."""

_SECONDS = 20
_NOT_FOUND = 127
_IS = "pacefab-is-root"
_NO_SUDO = "log in as root, or as a user whom sudo allows every command"
_NO_TTY = "take requiretty out for this user: Defaults:USER !requiretty in sudoers"
_NO_SHELL = "nothing ran there: see this user's login shell, and whether the password has expired"


def become_root(host: str, user: str, password: str | None, execute: Execute) -> tuple[str, ...]:
    """Return what comes before a command that is to run as root.

    Raises:
        UnreachableError: the user may not, or a password is needed.
    """
    # In quotes, because a login shell of the csh family expands what it reads in its own way.
    ask = shlex.join(
        ("sh", "-c", f'if test "$(id -u)" = 0; then echo {_IS}; else sudo -n true; fi')
    )
    status, out, err = execute(ask, "", _SECONDS)
    if status == 0:  # one who is root by another name may have no sudo
        return () if _IS in out.split() else ("sudo", "-n", "--")
    attempted = f"become root as user {user}"
    seen = tail(err) or tail(out) or f"exit status {status}"
    next_step = _hopeless(status, err)
    if not next_step and not password:
        next_step = "give the password: fab --prompt-for-sudo-password …"
    if next_step:
        raise UnreachableError(attempted, seen, next_step, host=host)
    sudo = ("sudo", "-k", "-S", "-p", "", "--")
    status, _, err = execute(shlex.join((*sudo, "true")), f"{password}\n", _SECONDS)
    if status != 0:
        next_step = "was the password right? give it again; else " + _NO_SUDO
        raise UnreachableError(attempted, tail(err), next_step, host=host)
    return sudo


def _hopeless(status: int, err: str) -> str | None:
    """Return what to do where no password helps; None when one may."""
    if "must have a tty" in err:
        return _NO_TTY
    if not err.strip() and status != _NOT_FOUND:
        return _NO_SHELL
    refused = "password is required" not in err and "may not run" in err
    return _NO_SUDO if refused or status == _NOT_FOUND else None
