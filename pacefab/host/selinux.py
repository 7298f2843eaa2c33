"""SELinux of a node that enforces it: what its policy allows, and the steps that allow more.

Programs and their output: getsebool(8), setsebool(8), semanage-port(8), restorecon(8). Only what
is missing is changed, and nothing where SELinux does not enforce: there nothing is denied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pacefab.host.model import Selinux, SelinuxPort
from pacefab.transport.command import Section, Step, shell, step

PACKAGE = "policycoreutils-python-utils"
"""What has semanage, in both families."""
_ENFORCING = '[ "$(getenforce 2>/dev/null)" = Enforcing ] || exit 3\n'
_BOOLEANS = _ENFORCING + 'for name; do getsebool "$name" 2>/dev/null; done; true'
# It takes a second (it is Python), and is run only where another port than the policy's is desired.
_PORTS = _ENFORCING + "command -v semanage >/dev/null || exit 127\nsemanage port -l"
_LABELS = _ENFORCING + 'restorecon -i -n -v "$@"'
_NO_SEMANAGE = 127
_BOOLEAN = re.compile(r"(\w+) --> (on|off)")
_PORT = re.compile(r"(\w+)\s+(tcp|udp|sctp|dccp)\s+([\d, -]+)")
# The second form is that of policycoreutils before 2.6.
_LABEL = re.compile(
    r"Would relabel (?P<path>.+) from \S+ to (?P<to>\S+)"
    r"|(?:.* )?reset (?P<other>.+) context \S+->(?P<context>\S+)"
)
# Another type's port, defined in the policy or by an operator, can only be modified.
_ADD_PORT = r"""
semanage port -a -t "$1" -p "$2" "$3" 2>/dev/null || semanage port -m -t "$1" -p "$2" "$3"
"""


def observe(
    booleans: Sequence[str], ports: Sequence[SelinuxPort], files: Sequence[str]
) -> list[Step]:
    """Return the steps that `parse` understands; each is harmless, and ends where none enforces."""
    return [
        shell("selinux", _ENFORCING),
        *([shell("selinux booleans", _BOOLEANS, *booleans)] if booleans else []),
        *([shell("selinux ports", _PORTS)] if ports else []),
        *([shell("selinux labels", _LABELS, *files)] if files else []),
    ]


def parse(sections: Mapping[str, Section]) -> Selinux | None:
    """Return what the policy allows; None where SELinux does not enforce one."""
    first = sections.get("selinux")
    if first is None or not first.ok:
        return None
    ports = sections.get("selinux ports")
    return Selinux(
        booleans={name: value == "on" for name, value in _rows(sections, "booleans", _BOOLEAN)},
        ports=_ports(ports.out) if ports and ports.ok else None,
        semanage=ports is None or ports.status != _NO_SEMANAGE,
        mislabelled=dict(_labels(sections.get("selinux labels"))),
    )


def missing_booleans(found: Selinux, desired: Iterable[str]) -> list[str]:
    """Return the desired booleans that the policy has and that are off."""
    return [name for name in desired if found.booleans.get(name) is False]


def missing_ports(found: Selinux, desired: Iterable[SelinuxPort]) -> list[SelinuxPort]:
    """Return the ports that are not of the desired type; none where it is not known."""
    if found.ports is None:
        return []
    return [port for port in desired if not _has(found.ports, port)]


def plan_boolean(name: str) -> Step:
    """Return the step that sets a boolean, now and for good; undone, it is off."""
    on = step(f"set SELinux boolean {name}", "setsebool", "-P", name, "on")
    return replace(on, undo=("setsebool", "-P", name, "off"))


def plan_port(port: SelinuxPort) -> Step:
    """Return the step that gives a port its type; undone, it is the policy's again."""
    words = (port.type, port.protocol, str(port.number))
    add = shell(f"give port {port} its SELinux type", _ADD_PORT, *words)
    undo = ("semanage", "port", "-d", "-t", port.type, "-p", port.protocol, str(port.number))
    return replace(add, undo=undo)


def plan_labels(paths: Sequence[str]) -> Step:
    """Return the step that gives files the labels that the policy has for them."""
    return step("restore SELinux labels", "restorecon", "-v", *paths)


def _rows(
    sections: Mapping[str, Section], what: str, pattern: re.Pattern[str]
) -> list[tuple[str, str]]:
    section = sections.get(f"selinux {what}")
    lines = section.out.splitlines() if section else []
    return [(found[1], found[2]) for line in lines if (found := pattern.fullmatch(line.strip()))]


def _ports(text: str) -> dict[tuple[str, str], tuple[tuple[int, int], ...]]:
    """Return ranges of numbers by type and protocol; a number alone is a range of one."""
    found: dict[tuple[str, str], tuple[tuple[int, int], ...]] = {}
    for line in text.splitlines():
        row = _PORT.fullmatch(line.strip())
        if row:
            ends = (part.strip().partition("-") for part in row[3].split(","))
            ranges = tuple((int(low), int(high or low)) for low, _, high in ends)
            found[row[1], row[2]] = found.get((row[1], row[2]), ()) + ranges
    return found


def _has(ports: Mapping[tuple[str, str], Sequence[tuple[int, int]]], port: SelinuxPort) -> bool:
    ranges = ports.get((port.type, port.protocol), ())
    return any(low <= port.number <= high for low, high in ranges)


def _labels(section: Section | None) -> Iterable[tuple[str, str]]:
    """Yield each file whose label is not the policy's, with that."""
    for line in section.out.splitlines() if section else ():
        if found := _LABEL.fullmatch(line.strip()):
            yield found["path"] or found["other"], found["to"] or found["context"]
