"""Runs programs with a time limit; what they wrote is in the error when they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from .errors import HarnessError

SHOWN: Final = 160
"""Characters of a command line that an error repeats."""


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    check: bool = True,
    stdin: str = "",
    node: str = "",
    attempted: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program and return its exit code and streams.

    `timeout` is in seconds. Raises `HarnessError` when it is over and, with `check`, when the
    program fails; `node` and `attempted` say in it what this was about.
    """
    attempted = attempted or " ".join(argv)[:SHOWN]
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            check=False,
            env=env,
            cwd=cwd,
        )
    except subprocess.TimeoutExpired as error:
        seen = _text(error.stdout) + _text(error.stderr)
        raise HarnessError(
            f"not done in {timeout:g} s: {attempted}", node=node, seen=seen
        ) from error
    if check and done.returncode:
        seen = done.stdout + done.stderr
        raise HarnessError(f"exit {done.returncode}: {attempted}", node=node, seen=seen)
    return done


def succeeds(argv: Sequence[str], *, timeout: float) -> bool:
    """Whether a program ends well in time."""
    try:
        return run(argv, timeout=timeout, check=False).returncode == 0
    except HarnessError:
        return False


def _text(stream: bytes | str | None) -> str:
    """Return the output of a program that ran out of time: it may be bytes, or nothing."""
    return stream.decode(errors="replace") if isinstance(stream, bytes) else stream or ""
