"""SBD: a node that its own watchdog resets, with shared disks or without. Pure.

What is said of it is sbd(8), its file of settings (sbd.sysconfig) and the output of `sbd dump`, of
sbd 1.5. No node of the harness has a watchdog: it was never seen to reset one.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final

AGENTS: Final = {"fence_sbd", "external/sbd"}
"""Agents that write to its disks; the latter is cluster-glue's."""
DEVICE_SETTING: Final = "SBD_DEVICE"
_WATCHDOG, _TIMEOUT, _DELAY = "SBD_WATCHDOG_DEV", "SBD_WATCHDOG_TIMEOUT", "SBD_DELAY_START"
_LINE = re.compile(r"^\s*(?P<name>[A-Z_]+)=(?P<value>.*)$")
_PARTS = re.compile(r"[;\s]+")
_HEADER = re.compile(r"^Timeout \((watchdog|msgwait)\)\s*:\s*(\d+)", re.MULTILINE)
_DEFAULT_SECONDS: Final = 5  # of the watchdog, in sbd and in the headers of its disks


@dataclass(frozen=True)
class SbdSettings:
    """What nodes' file of settings says of SBD.

    Args:
        watchdog: the watchdog device.
        timeout: seconds after which a watchdog that is no longer fed resets the node.
        devices: the shared disks, none to three; none: the watchdog alone (diskless).
        delay_start: whether SBD waits at boot until another node's message has expired.
    """

    watchdog: str = "/dev/watchdog"
    timeout: int = _DEFAULT_SECONDS
    devices: tuple[str, ...] = ()
    delay_start: bool = False

    @property
    def wait(self) -> int:
        """After how many seconds without a disk a node is taken for off: Pacemaker's own default.

        Twice the watchdog's time (pcmk__auto_watchdog_timeout of lib/common/watchdog.c).
        """
        return 2 * self.timeout


@dataclass(frozen=True)
class DiskHeader:
    """The seconds in the header of one of SBD's disks; None: it does not say."""

    device: str
    watchdog: int | None = None
    msgwait: int | None = None


def write_config(old: str | None, settings: SbdSettings) -> str:
    """Return a file of settings with these, and its other lines as they are."""
    given = {
        DEVICE_SETTING: ";".join(settings.devices),
        _WATCHDOG: settings.watchdog,
        _TIMEOUT: str(settings.timeout),
        _DELAY: "yes" if settings.delay_start else "no",
    }
    names = set(given)
    lines: list[str] = []
    for line in (old or "").splitlines():
        found = _LINE.match(line)
        if found is None or found["name"] not in names:
            lines.append(line)
        elif found["name"] in given:
            lines.append(f"{found['name']}={shlex.quote(given.pop(found['name']))}")
    lines += [f"{name}={shlex.quote(value)}" for name, value in given.items()]
    return "\n".join(lines) + "\n"


def read_config(text: str) -> SbdSettings:
    """Return what a file of settings says; the last line of a name stands, as for a shell."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := _LINE.match(line):
            found[match["name"]] = _value(match["value"])
    timeout = found.get(_TIMEOUT, "")
    return SbdSettings(
        found.get(_WATCHDOG) or "/dev/watchdog",
        int(timeout) if timeout.isdigit() else _DEFAULT_SECONDS,
        tuple(filter(None, _PARTS.split(found.get(DEVICE_SETTING, "")))),
        found.get(_DELAY, "no").lower() not in {"", "no", "0", "false"},
    )


def _value(text: str) -> str:
    try:
        return next(iter(shlex.split(text, comments=True)), "")
    except ValueError:  # quotes that do not end
        return text.strip()


def read_header(device: str, text: str) -> DiskHeader:
    """Return the times that `sbd -d DEVICE dump` prints."""
    times = {name: int(seconds) for name, seconds in _HEADER.findall(text)}
    return DiskHeader(device, times.get("watchdog"), times.get("msgwait"))
