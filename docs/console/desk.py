"""The folder, the shell and the cluster of the operator whom a page shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docs.console.page import STATES, Block, File, Hidden, Page, Part, differences, rerun
from pacefab.harness.cluster import Cluster
from pacefab.harness.plugin import OPENSTACK, REMOTES

NAME = "demo"
"""The cluster's name on every page."""

_ROOT = Path(__file__).resolve().parents[2]
_NODES = ("c1", "c2", "c3")
_SECONDS = 900  # for one command
_LINKED = ("docs", "fabfile", "pacefab", "scripts", "tests")
_COPIED = "inventory"  # pages write into it


class Desk:
    """Runs commands as an operator does in a checkout, whose ~/.ssh/config knows the nodes."""

    def __init__(self, folder: Path, cluster: Cluster | None) -> None:
        """Lay out a checkout without settings, a home and the way to the nodes."""
        self._work, self._cluster = folder / "work", cluster
        home, programs = folder / "home", folder / "bin"
        for each in (self._work, home / ".ssh", programs):
            each.mkdir(parents=True)
        for name in _LINKED:
            (self._work / name).symlink_to(_ROOT / name)
        shutil.copytree(_ROOT / _COPIED, self._work / _COPIED)
        if cluster:
            shutil.copy(cluster.ssh_config, home / ".ssh" / "config")
            ssh = programs / "ssh"  # ssh asks the system, not HOME, for its configuration
            ssh.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {cluster.ssh_config} "$@"\n')
            ssh.chmod(0o755)
        path = os.pathsep.join(map(str, (programs, _ROOT / ".venv" / "bin", os.environ["PATH"])))
        self._environment = {
            "HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "COLUMNS": "80", "TZ": "UTC",
            "USER": "root", "CHECKOUT": str(_ROOT),
            "BOARDS": str(cluster.folder / "boards.json") if cluster else "",
        }  # fmt: skip

    def write(self, file: File) -> None:
        """Write a file that the page shows."""
        path = self._work / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        name = self._cluster.name if self._cluster else NAME
        path.write_text(file.text.replace(f"cluster: {NAME}\n", f"cluster: {name}\n"))

    def run(self, command: str) -> tuple[int, list[str]]:
        """Run a command; return its exit status and what it printed."""
        done = subprocess.run(
            ["/bin/bash", "-c", command], env=self._environment, cwd=self._work,
            timeout=_SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        name = self._cluster.name if self._cluster else NAME
        lines = done.stdout.replace(name, NAME).splitlines()
        return done.returncode, [line.rstrip() for line in lines]

    def prepare(self, state: str) -> None:
        """Bring a cluster without memcached to what a page begins with.

        Raises:
            ValueError: a task failed.
        """
        for task in STATES[state]:
            self.hide(f"fab -H {','.join(_NODES)} {task}")

    def hide(self, command: str) -> None:
        """Run a command that the page does not show. Same errors as `prepare`."""
        status, output = self.run(command)
        if status:
            raise ValueError("\n".join([f"exit {status}: {command}", *output]))


@contextmanager
def desk(state: str, image: str) -> Iterator[Desk]:
    """Yield a desk at a cluster of its own in a state; both are removed at the end."""
    with tempfile.TemporaryDirectory(prefix="pacefab-console-") as folder:
        if state == "none":
            yield Desk(Path(folder), None)
            return
        hosts = {"hosts": OPENSTACK, "remotes": (*_NODES, *REMOTES)}
        bare, nodes = state in hosts, hosts.get(state, _NODES)
        fencing = state == "fenced"
        with Cluster.start(NAME, nodes, image, bare=bare, fencing=fencing) as cluster:
            at = Desk(Path(folder), cluster)
            at.prepare(state)
            yield at


def work_through(page: Page, at: Desk) -> tuple[Page, list[str]]:
    """Run a page; return it with what its commands print now, and where the shape differs.

    Raises:
        ValueError: a command ends with another exit status than the page says.
    """
    parts: list[Part] = []
    found: list[str] = []
    for part in page.parts:
        made = part
        match part:
            case File():
                at.write(part)
            case Hidden():
                at.hide(part.text)
            case Block():
                again = rerun(part, at.run)
                made = again.shortened()
                if lines := differences(part, again):
                    found += [f"$ {part.commands[0].text}", *lines]
        parts.append(made)
    return Page(page.state, tuple(parts)), found
