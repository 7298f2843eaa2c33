"""A client load beside a drill: a service's own program, in a process of its own.

So nothing that fab does is taken for a stall of the service.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pacefab.drill.timeline import Window
from pacefab.errors import CommandError
from pacefab.services.load import ClientLoad
from pacefab.waiting import Pending, wait_until

# The program finds what we find, also in a checkout that is not installed.
_START = "import json, sys; sys.path = json.loads(sys.argv.pop(1)); import runpy; "
_RUN = "runpy.run_module(sys.argv.pop(1), run_name='__main__')"
_WINDOW_SECONDS = 0.2
_END_SECONDS = 5.0


@dataclass
class Load:
    """The load while it runs, at `rate` operations per second; it ends with the block."""

    client: ClientLoad
    rate: int
    windows: list[Window] = field(default_factory=list)
    _said: dict[str, Mapping[str, int]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        paths = json.dumps(sys.path)
        argv = [sys.executable, "-I", "-c", _START + _RUN, paths, self.client.program]
        # A session of its own: Ctrl-C is for fab, which ends the load by closing its input.
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._listen, name="load", daemon=True).start()
        request = {**self.client.request, "rate": self.rate, "window": _WINDOW_SECONDS}
        self._write(json.dumps(request))  # passwords are in it: not in argv, which others see
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(_END_SECONDS)

    def fill(self, seconds: float) -> None:
        """Return once the load runs.

        Raises:
            CommandError: it does not within `seconds`, or not all that it needs could be stored.
        """
        said = self._wait("filled", seconds)
        if said["stored"] < said["of"]:
            seen = f"only {said['stored']} of {said['of']} items could be stored"
            raise CommandError("begin the load", seen, "nothing was broken; see: fab status")

    def count(self, seconds: float) -> Mapping[str, int]:
        """Return what was stored, what of it is lost, and other counts. Errors of `fill`."""
        self._said.pop("counted", None)
        self._write("count")
        return self._wait("counted", seconds)

    def _write(self, line: str) -> None:
        if self._process.stdin is None:
            raise AssertionError("the process was made with a pipe")
        with contextlib.suppress(BrokenPipeError):  # it ended: waiting for it shows why
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def _wait(self, what: str, seconds: float) -> Mapping[str, int]:
        def look() -> Mapping[str, int] | Pending | None:
            ended = self._process.poll() is not None
            return self._said.get(what, None if ended else Pending())

        found = wait_until(look, seconds, poll=0.05)
        if found is None or isinstance(found, Pending):
            raise CommandError("run the client load", self._last_words(), "see: fab status")
        return found

    def _last_words(self) -> str:
        if self._process.poll() is None or self._process.stderr is None:
            return "it gave no answer in time"
        return self._process.stderr.read().strip() or "it ended"

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            record: dict[str, Any] = json.loads(line)
            name = record.pop("record")
            if name == "window":
                self.windows.append(Window(**record))
            else:
                self._said[name] = record
