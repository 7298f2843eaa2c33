"""Settings of the kernel (sysctl): what they are now, and the steps that change them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from pacefab.host.model import BootSetting
from pacefab.transport.command import Section, Step, shell

# A line for each setting that this kernel has; sysctl(8) writes / as a dot and a dot as /.
_READ = r"""
for name; do
  path=/proc/sys/$(printf %s "$name" | tr ./ /.)
  [ ! -r "$path" ] || echo "$name=$(cat "$path")"
done
"""

# The files of sysctl.d in the order in which they are read at boot, each after a line with its path
# (systemd-sysctl.service(8)).
_AT_BOOT = r"""
for program in /usr/lib/systemd/systemd-sysctl /lib/systemd/systemd-sysctl; do
  [ ! -x "$program" ] || { "$program" --cat-config | grep -E '^(# /|[^#;[:space:]])'; break; }
done
"""
_FILE = re.compile(r"# (/\S+/sysctl\.d/\S+)")
_SET = r"""
sysctl -q -w "$1" || exit
[ -e "$2" ] || { mkdir -p "${2%/*}" && echo "$3" >"$2"; }
"""
_RESTORE = 'sysctl -q -w "$1" && rm -f "$2" && { rmdir "${2%/*}" 2>/dev/null || :; }'
_FOLDER = "/var/lib/pacefab/kernel"


def observe(names: Sequence[str]) -> list[Step]:
    """Return the steps that `parse` and `parse_boot` understand."""
    return [shell("kernel", _READ, *names), shell("kernel at boot", _AT_BOOT)] if names else []


def parse(sections: Mapping[str, Section]) -> dict[str, str]:
    """Return the settings by name; one that the kernel does not have is left out."""
    section = sections.get("kernel")
    lines = section.out.splitlines() if section else []
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: " ".join(value.split()) for name, _, value in pairs}


def parse_boot(names: Sequence[str], sections: Mapping[str, Section]) -> dict[str, BootSetting]:
    """Return what files of sysctl.d set at boot, as far as they name a setting; the last one wins.

    A name wins over a pattern, wherever that stands (sysctl.d(5)).
    """
    section, path = sections.get("kernel at boot"), ""
    exact: dict[str, BootSetting] = {}
    patterns: dict[str, BootSetting] = {}
    for line in section.out.splitlines() if section else []:
        if header := _FILE.fullmatch(line.strip()):
            path = header[1]
            continue
        key, equals, value = line.partition("=")
        if equals and path:
            name, setting = _dotted(key.strip().lstrip("-")), BootSetting(value.strip(), path)
            (patterns if any(c in name for c in "*?[") else exact)[name] = setting
    found = {name: _of(name, exact, patterns) for name in names}
    return {name: setting for name, setting in found.items() if setting}


def _of(
    name: str, exact: Mapping[str, BootSetting], patterns: Mapping[str, BootSetting]
) -> BootSetting | None:
    matching = (setting for pattern, setting in patterns.items() if fnmatchcase(name, pattern))
    return exact.get(name) or next(reversed(list(matching)), None)


def _dotted(key: str) -> str:
    """Return a name with dots; where its first separator is a slash, all are."""
    first = next((c for c in key if c in "./"), ".")
    return key if first == "." else key.translate(str.maketrans("./", "/."))


def plan_set(name: str, value: str, old: str) -> Step:
    """Return the step that changes a setting now; undone, it is the old one.

    What it was before the first change is recorded.
    """
    undo = ("sysctl", "-q", "-w", f"{name}={old}")
    words = (f"{name}={value}", record(name), old)
    return replace(shell(f"set {name}", _SET, *words), undo=undo)


def plan_restore(name: str, old: str) -> Step:
    """Return the step that gives a setting back what it was before ours."""
    return shell(f"set {name} back to {old}", _RESTORE, f"{name}={old}", record(name))


def record(name: str) -> str:
    """Return the path of the file with what a setting was before ours."""
    return f"{_FOLDER}/{name}"
