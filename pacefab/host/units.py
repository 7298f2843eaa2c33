"""systemd units of a node, and the sockets that programs listen on."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from pacefab.host.model import Listener, Unit
from pacefab.transport.command import Section, Step, shell, step

_PROPERTIES = (
    "LoadState,ActiveState,UnitFileState,MainPID,Names,RequiredBy,BoundBy,WantedBy,TriggeredBy,"
    "ExecStart,FragmentPath,DropInPaths,Environment,EnvironmentFiles,"
    "NeedDaemonReload"
)
# What `systemctl show` reports of all units, blocks with an empty line between; then for each
# process that runs its pid and its command line, the words with NUL between written as base64.
_SHOW = r"""
[ $# -gt 1 ] || exit 0
shown=$(systemctl show -p "$@") || exit
printf '%s\n\n' "$shown"
printf '%s\n' "$shown" | while IFS== read -r key pid; do
  case $key$pid in MainPID[1-9]*) echo "$pid $(base64 -w0 "/proc/$pid/cmdline")" ;; esac
done
"""
# The drop-ins that are there. NeedDaemonReload misses those in a folder that is new since systemd
# read its files (systemd 252).
_DROP_INS = r"""
for unit; do
  for folder in /etc /run /usr/local/lib /usr/lib; do
    for file in "$folder/systemd/system/$unit.d"/*.conf; do
      [ ! -s "$file" ] || echo "$file"
    done
  done
done
"""
_COMMAND = re.compile(r"argv\[\]=(?P<command>.*?) ; ignore_errors=")
_NOT_OF_ADDRESS = re.compile(r"^\[(?:::ffff:(?=\d+\.))?|\]?(?:%.*)?$")
_PROCESS = re.compile(r'"(?P<program>[^"]*)",pid=(?P<pid>\d+)')


def observe(units: Sequence[str]) -> list[Step]:
    """Return the steps that `parse_units` and `parse_listeners` understand."""
    return [
        shell("units", _SHOW, _PROPERTIES, *units),
        step("listeners", "ss", "-Hlntup"),
        shell("drop-ins", _DROP_INS, *units),
    ]


def parse_units(names: Sequence[str], sections: Mapping[str, Section]) -> dict[str, Unit]:
    """Return each unit by its name, also one that is not there."""
    *blocks, processes = sections["units"].out.split("\n\n") if names else [""]
    pairs = (line.split(" ", 1) for line in processes.splitlines())
    command_lines = {pair[0]: _words(pair[1]) for pair in pairs}
    found = {n: _unit(n, block, command_lines) for n, block in zip(names, blocks, strict=True)}
    there = sections["drop-ins"].out.splitlines() if "drop-ins" in sections else []
    unread = {n for n, unit in found.items() if _has_unread(unit, there)}
    return {n: replace(u, outdated=u.outdated or n in unread) for n, u in found.items()}


def _has_unread(unit: Unit, there: Sequence[str]) -> bool:
    """Whether there are drop-ins that systemd has not read, of a name of which it read none."""
    read = {PurePosixPath(path).name for path in unit.drop_ins}
    own = (PurePosixPath(path) for path in there if f"/{unit.name}.d/" in path)
    return unit.load == "loaded" and any(path.name not in read for path in own)


def _words(encoded: str) -> tuple[str, ...]:
    raw = base64.b64decode(encoded).decode(errors="surrogateescape")
    return tuple(raw.rstrip("\0").split("\0")) if raw else ()


def _unit(name: str, block: str, command_lines: Mapping[str, tuple[str, ...]]) -> Unit:
    lines = [line.split("=", 1) for line in block.splitlines() if "=" in line]
    shown = {key: value for key, value in lines if value}
    pid = shown.get("MainPID", "0")

    def words(*keys: str) -> tuple[str, ...]:
        return tuple(word for key in keys for word in shown.get(key, "").split())

    return Unit(
        name=name,
        load=shown.get("LoadState", "not-found"),
        active=shown.get("ActiveState", "inactive"),
        enabled=shown.get("UnitFileState", ""),
        pid=int(pid),
        command_line=command_lines.get(pid, ()),
        names=words("Names"),
        pulled_in_by=words("RequiredBy", "BoundBy", "WantedBy"),
        triggered_by=words("TriggeredBy"),
        commands=tuple(
            found["command"]
            for key, value in lines
            if key == "ExecStart" and (found := _COMMAND.search(value))
        ),
        fragment=shown.get("FragmentPath", ""),
        drop_ins=words("DropInPaths"),
        environment=words("Environment"),
        environment_files=tuple(
            value.rpartition(" (")[0] for key, value in lines if key == "EnvironmentFiles" and value
        ),
        outdated=shown.get("NeedDaemonReload") == "yes",
    )


def parse_listeners(sections: Mapping[str, Section]) -> tuple[Listener, ...]:
    """Return the listening sockets from `ss -Hlntup`.

    An interface's name is dropped ([fe80::1]%eth0); an IPv4 address in IPv6's clothes is one.
    """
    return tuple(_listener(line) for line in sections["listeners"].out.splitlines() if line.strip())


def _listener(line: str) -> Listener:
    fields = line.split(None, 6)
    address, _, port = fields[4].rpartition(":")
    process = _PROCESS.search(fields[6]) if len(fields) > 6 else None  # noqa: PLR2004
    return Listener(
        protocol=fields[0],
        address="::" if address == "*" else _NOT_OF_ADDRESS.sub("", address),
        port=int(port),
        program=process["program"] if process else "",
        pid=int(process["pid"]) if process else 0,
    )


def plan_stop(unit: str) -> Step:
    """Return the step that stops a unit that Pacemaker does not manage."""
    return step(f"stop {unit}", "systemctl", "stop", unit)


def plan_disable(unit: str) -> Step:
    """Return the step that keeps a unit from starting at boot."""
    return step(f"disable {unit}", "systemctl", "disable", "--quiet", unit)


def plan_unmask(unit: str) -> list[Step]:
    """Return the steps that take masks away, an interrupted install's in /run included."""
    return [
        step(f"unmask {unit}", "systemctl", "unmask", "--quiet", unit),
        step(f"unmask {unit} at run time", "systemctl", "unmask", "--runtime", "--quiet", unit),
    ]


def plan_enable(unit: str) -> Step:
    """Return the step that starts a unit now and at each boot."""
    undo = ("systemctl", "disable", "--quiet", "--now", unit)
    return step(f"enable {unit}", "systemctl", "enable", "--quiet", "--now", unit, undo=undo)


def plan_enable_at_boot(unit: str) -> Step:
    """Return the step after which a unit starts at each boot; now it is left as it is."""
    undo = ("systemctl", "disable", "--quiet", unit)
    return step(f"enable {unit} at boot", "systemctl", "enable", "--quiet", unit, undo=undo)


def plan_remove(unit: str) -> Step:
    """Return the step after which a unit of systemd's own runs no more, nor at the next boot."""
    return step(f"stop and disable {unit}", "systemctl", "disable", "--quiet", "--now", unit)


def plan_restart(unit: str) -> Step:
    """Return the step that restarts a unit of systemd's own, whose definition has changed."""
    return Step(f"restart {unit}", ("systemctl", "restart", unit), again=True)


def plan_reload(unit: str) -> Step:
    """Return the step that reloads a unit where it runs."""
    script = 'if systemctl is-active --quiet "$1"; then systemctl reload "$1"; fi'
    return replace(shell(f"reload {unit}", script, unit), again=True)


def plan_daemon_reload() -> Step:
    """Return the step after which systemd knows changed unit files."""
    return Step("read unit files", ("systemctl", "daemon-reload"), again=True)
