"""systemd units of a node, and the sockets that programs listen on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fabfile.host.model import Listener, Unit
from fabfile.transport.command import Section, Step, shell, step

_PROPERTIES = ("LoadState", "ActiveState", "UnitFileState", "MainPID")
_COMMAND_LINE = r"""
pid=$(systemctl show -p MainPID --value "$1"); [ "${pid:-0}" -gt 0 ] || exit 0
tr '\0' '\n' < "/proc/$pid/cmdline"
"""
_PROCESS = re.compile(r'"(?P<program>[^"]*)",pid=(?P<pid>\d+)')


def observe(unit: str) -> list[Step]:
    """Return the steps that `parse_unit`, `parse_command_line` and `parse_listeners` understand."""
    return [
        step("unit", "systemctl", "show", "-p", ",".join(_PROPERTIES), unit),
        shell("command line", _COMMAND_LINE, unit),
        step("listeners", "ss", "-Hlntup"),
    ]


def parse_unit(name: str, sections: Mapping[str, Section]) -> Unit:
    """Return the unit's state from `systemctl show`."""
    shown = dict(line.split("=", 1) for line in sections["unit"].out.splitlines() if "=" in line)
    return Unit(
        name=name,
        load=shown.get("LoadState", "not-found"),
        active=shown.get("ActiveState", "inactive"),
        enabled=shown.get("UnitFileState", ""),
        pid=int(shown.get("MainPID") or 0),
    )


def parse_command_line(sections: Mapping[str, Section]) -> tuple[str, ...]:
    """Return program and arguments of the unit's process; empty when it does not run."""
    return tuple(sections["command line"].out.splitlines())


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
