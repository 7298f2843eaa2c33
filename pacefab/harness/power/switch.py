"""The power switch of a node: its container, killed and started."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import cached_property
from typing import Final

import docker
import docker.errors

ON: Final = "on"
OFF: Final = "off"
POWER_BUTTON: Final = "SIGRTMIN+4"
"""What systemd takes for a request to turn the system off (systemd(1), Signals)."""
RUNNING: Final = {"running", "paused", "restarting"}
SELF_TEST_SECONDS: Final = 5
"""From power to the first program. Machines take longer; a container alone would be back in the
cluster before its peers know that it was fenced, and Pacemaker leaves at such news about itself."""

Later = Callable[[float, Callable[[], None]], None]
"""Does something after so many seconds, in the thread that serves all boards."""


class PowerSwitch:
    """Switches one container; a change happens beside the caller, as at a real board.

    `executor` runs what the engine is asked to do, which takes it up to a second; `later` does
    something after a number of seconds.
    """

    def __init__(self, container: str, executor: Executor, later: Later) -> None:
        """Take a container by its name."""
        self.uuid = uuid.uuid5(uuid.NAMESPACE_DNS, container)
        self._name = container
        self._executor = executor
        self._later = later
        self._in_self_test = False

    @cached_property
    def _engine(self) -> docker.DockerClient:
        # Asked for with the first question: a board answers, and ends, without the engine too.
        return docker.from_env()

    def state(self) -> str:
        """Return on or off; off, too, for a container that is gone."""
        if self._in_self_test:
            return ON
        try:
            status = self._engine.containers.get(self._name).status
        except docker.errors.NotFound:
            return OFF
        return ON if status in RUNNING else OFF

    def off(self) -> None:
        """Cut the power."""
        self._in_self_test = False
        self._executor.submit(self._kill, "SIGKILL")

    def press_button(self) -> None:
        """Ask the system to turn itself off."""
        self._executor.submit(self._kill, POWER_BUTTON)

    def on(self) -> None:
        """Give power."""
        if self.state() == OFF:
            self._in_self_test = True
            self._later(SELF_TEST_SECONDS, self._boot)

    def reset(self) -> None:
        """Cut the power and give it again."""
        self.off()
        self._in_self_test = True
        self._later(SELF_TEST_SECONDS, self._boot)

    def _boot(self) -> None:
        if self._in_self_test:
            self._executor.submit(self._start)

    def _kill(self, signal: str) -> None:
        # Off already, or gone in this moment.
        with suppress(docker.errors.APIError):
            self._engine.containers.get(self._name).kill(signal)

    def _start(self) -> None:
        with suppress(docker.errors.APIError):
            self._engine.containers.get(self._name).start()
        self._in_self_test = False
