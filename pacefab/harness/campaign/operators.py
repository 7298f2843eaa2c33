"""Operators of a campaign: runs of the program as processes, which end as they like, or are killed.

They are watched from here and share nothing with this process but the folder of their state.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.errors import HarnessError
from pacefab.harness.place import IN_CHECKOUT

RUN_SECONDS: Final = 420
_STATE: Final = "state"
# An operator whose clock is so many seconds ahead: what the program takes for now.
_SHIFTED: Final = r"""
import datetime, sys, time
_, ahead, *words = sys.argv
real, here = time.time, datetime.datetime
time.time = lambda: real() + float(ahead)
class Shifted(here):
    @classmethod
    def now(cls, tz=None):
        return here.now(tz) + datetime.timedelta(seconds=float(ahead))
datetime.datetime = Shifted
sys.argv = ["pacefab", *words]
from pacefab.cli.program import main
main()
"""


@dataclass(frozen=True)
class Ended:
    """A run that has ended: its status, what it printed, how long it took."""

    status: int
    said: str
    seconds: float

    @property
    def killed(self) -> bool:
        """Whether it was killed while it ran."""
        return self.status == -signal.SIGKILL

    @property
    def last(self) -> str:
        """The end of what it said, in one line."""
        lines = [line.strip() for line in self.said.strip().splitlines() if line.strip()]
        return " | ".join(lines[-6:])

    def defects(self) -> list[str]:
        """Return what no run prints, whatever happens to it."""
        found = [word for word in ("Traceback", "please report") if word in self.said]
        control = {letter for letter in self.said if not letter.isprintable()} - {"\n", "\t"}
        found += [f"the control character {letter!r}" for letter in sorted(control)]
        return [f"it printed {what}: {self.last}" for what in found]


@dataclass
class OperatorRun:
    """A run that is under way."""

    process: subprocess.Popen[bytes]
    out: Path
    began: float = field(default_factory=time.monotonic)

    def kill_after(self, seconds: float) -> Ended:
        """Let it run for so long, then kill it (SIGKILL); it may have ended before."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return self.ended()

    def sleep(self, seconds: float) -> bool:
        """Wait for so long; return whether it is still running."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def ended(self, seconds: float = RUN_SECONDS) -> Ended:
        """Wait for its end.

        Raises:
            HarnessError: it did not come in time; it is killed then.
        """
        try:
            status = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            self.process.wait()
            said = self.out.read_text(errors="replace")
            raise HarnessError(f"the run did not end in {seconds:.0f} s", seen=said) from error
        return Ended(status, self.out.read_text(errors="replace"), time.monotonic() - self.began)


class CampaignOperator:
    """Somebody who runs the program on a cluster; `folder` is their home for that."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        """Take a cluster and an existing folder."""
        self.cluster = cluster
        self.folder = folder
        self._runs = 0

    def start(
        self, words: Sequence[str], hosts: Iterable[str] = (), clock: float = 0.0
    ) -> OperatorRun:
        """Start a run on hosts, by default on all, in their order.

        `clock` is how many seconds the operator's clock is ahead.
        """
        self._runs += 1
        out = self.folder / f"run{self._runs}.txt"
        program = [str(Path(sys.executable).with_name("fab" if IN_CHECKOUT else "pacefab"))]
        if clock:
            program = [sys.executable, "-c", _SHIFTED, str(clock)]
        named = ",".join(hosts or self.cluster.nodes)
        argv = [*program, "-S", str(self.cluster.ssh_config), "-H", named, *words]
        env = os.environ | {"XDG_STATE_HOME": str(self.folder / _STATE)}
        env.pop("SSH_AUTH_SOCK", None)
        with out.open("wb") as stream:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=REPOSITORY_ROOT,
            )
        return OperatorRun(process, out)

    def run(self, words: Sequence[str], hosts: Iterable[str] = ()) -> Ended:
        """Run something to its end. Raises `HarnessError` when that does not come."""
        return self.start(words, hosts).ended()

    def leftovers(self) -> list[str]:
        """Return what runs left unfinished in the folder of their state."""
        return [f"here: file {path.name}" for path in (self.folder / _STATE).rglob("*.new")]
