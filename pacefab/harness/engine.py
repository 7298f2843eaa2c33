"""The Docker engine: found, or on a bare Debian machine installed and started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from pacefab.waiting import Pending, wait_until

from .errors import HarnessError
from .program import run, succeeds
from .progress import step

LOG: Final = Path("/var/log/pacefab-dockerd.log")
PID_FILES: Final = {
    "dockerd": Path("/run/docker.pid"),
    "containerd": Path("/run/docker/containerd/containerd.pid"),
}
ANSWER_SECONDS: Final = 30
START_SECONDS: Final = 60
INSTALL_SECONDS: Final = 600
INOTIFY: Final = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES: Final = 1024
"""A node's systemd and dbus hold six; of the kernel's usual 128, the 22nd node does not boot."""


def ensure_engine() -> None:
    """Make sure that a Docker engine answers.

    As root on a system with apt-get one is installed and started where it is missing. Elsewhere
    raises `HarnessError` that says what to do.
    """
    _ensure_inotify()
    if answers():
        return
    if os.geteuid():
        raise HarnessError(
            "no Docker engine answers",
            next_step="start one and join the group docker; or run this as root to install one",
        )
    ensure_program("dockerd", package="docker.io")
    # From Debian 13 on, the client is a package of its own.
    ensure_program("docker", package="docker-cli")
    with step("Docker engine started"):
        start()


def _ensure_inotify() -> None:
    """Let many nodes boot, where this user may; without it a few still do."""
    if int(INOTIFY.read_text()) < INOTIFY_INSTANCES and os.access(INOTIFY, os.W_OK):
        INOTIFY.write_text(str(INOTIFY_INSTANCES))


def answers() -> bool:
    """Return whether an engine answers the command line client."""
    return bool(shutil.which("docker")) and succeeds(["docker", "version"], timeout=ANSWER_SECONDS)


def start() -> None:
    """Start the engine and wait until it answers, by systemd where that runs."""
    if Path("/run/systemd/system").exists():
        run(["systemctl", "start", "docker"], timeout=START_SECONDS)
    else:
        _drop_stale_pid_files()
        # Its own session and no inherited stream: the caller's pipes must close when that ends.
        with LOG.open("ab") as log:
            subprocess.Popen(
                ["dockerd"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    answering = wait_until(lambda: answers() or Pending(), START_SECONDS, poll=0.2)
    if isinstance(answering, Pending):
        seen = LOG.read_text() if LOG.exists() else ""
        raise HarnessError(
            f"no answer of dockerd within {START_SECONDS} s", seen=seen, next_step=f"see {LOG}"
        )


def _drop_stale_pid_files() -> None:
    """Remove what a killed engine left where another program has its process id now.

    dockerd takes such a file for a running engine, and ends.
    """
    for program, file in PID_FILES.items():
        with suppress(OSError):
            if (
                Path(f"/proc/{file.read_text().strip()}/comm").read_text(encoding="utf-8").strip()
                != program
            ):
                file.unlink()


def ensure_program(program: str, *, package: str) -> None:
    """Make sure that a program is there; install its Debian package as root where it isn't.

    Raises `HarnessError` where that can't be done.
    """
    if shutil.which(program):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise HarnessError(
            f"{program} is missing", next_step=f"install it (on Debian: apt-get install {package})"
        )
    with step(f"{package} installed"):
        _apt_get("update")
        _apt_get("install", "--yes", package)


def _apt_get(*arguments: str) -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    environment = os.environ | quiet
    run(["apt-get", "-qq", *arguments], env=environment, timeout=INSTALL_SECONDS)


if __name__ == "__main__":
    try:
        ensure_engine()
    except HarnessError as error:
        sys.exit(str(error))
