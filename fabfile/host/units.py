"""systemd units of a node, and the sockets that programs listen on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fabfile.host.model import Listener, Unit
from fabfile.transport.command import Section, Step, shell, step

_PROPERTIES = ("LoadState", "ActiveState", "UnitFileState", "MainPID")
_SHOW = r"""
shown=$(systemctl show -p "$2" "$1") || exit
printf '%s\n' "$shown"
pid=$(printf '%s\n' "$shown" | sed -n 's/^MainPID=//p')
[ "${pid:-0}" -gt 0 ] || exit 0
printf 'CommandLine\n'; tr '\0' '\n' < "/proc/$pid/cmdline"
"""
_COMMAND_LINE = "CommandLine\n"
_PROCESS = re.compile(r'"(?P<program>[^"]*)",pid=(?P<pid>\d+)')


def observe(unit: str) -> list[Step]:
    """Return the steps that `parse_unit`, `parse_command_line` and `parse_listeners` understand."""
    return [
        shell("unit", _SHOW, unit, ",".join(_PROPERTIES)),
        step("listeners", "ss", "-Hlntup"),
    ]


def parse_unit(name: str, sections: Mapping[str, Section]) -> Unit:
    """Return the unit's state from `systemctl show`."""
    told, _, _ = sections["unit"].out.partition(_COMMAND_LINE)
    shown = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    return Unit(
        name=name,
        load=shown.get("LoadState", "not-found"),
        active=shown.get("ActiveState", "inactive"),
        enabled=shown.get("UnitFileState", ""),
        pid=int(shown.get("MainPID") or 0),
    )


def parse_command_line(sections: Mapping[str, Section]) -> tuple[str, ...]:
    """Return program and arguments of the unit's process; empty when it does not run."""
    return tuple(sections["unit"].out.partition(_COMMAND_LINE)[2].splitlines())


def parse_listeners(sections: Mapping[str, Section]) -> tuple[Listener, ...]:
    """Return the listening sockets from `ss -Hlntup`; an interface's name (%eth0) is dropped."""
    return tuple(_listener(line) for line in sections["listeners"].out.splitlines() if line.strip())


def _listener(line: str) -> Listener:
    fields = line.split(None, 6)
    address, _, port = fields[4].rpartition(":")
    process = _PROCESS.search(fields[6]) if len(fields) > 6 else None  # noqa: PLR2004
    return Listener(
        protocol=fields[0],
        address={"*": "::"}.get(address, address.strip("[]").partition("%")[0]),
        port=int(port),
        program=process["program"] if process else "",
        pid=int(process["pid"]) if process else 0,
    )


def plan_stop(unit: str) -> Step:
    """Return the step that stops a unit that nobody manages."""
    return step("stop", "systemctl", "stop", unit)


def plan_disable(unit: str) -> Step:
    """Return the step that keeps a unit from starting at boot."""
    return step("disable", "systemctl", "disable", "--quiet", unit)


def plan_unmask(unit: str) -> list[Step]:
    """Return the steps that take masks away, an interrupted install's in /run included."""
    return [
        step("unmask", "systemctl", "unmask", "--quiet", unit),
        step("unmask at run time", "systemctl", "unmask", "--runtime", "--quiet", unit),
    ]
