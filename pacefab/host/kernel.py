"""Settings of the kernel (sysctl): what they are now, and the steps that change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pacefab.transport.command import Section, Step, shell

# A line for each setting that this kernel has; sysctl(8) writes / as a dot and a dot as /.
_READ = r"""
for name; do
  path=/proc/sys/$(printf %s "$name" | tr ./ /.)
  [ ! -r "$path" ] || echo "$name=$(cat "$path")"
done
"""

_SET = r"""
sysctl -q -w "$1" || exit
[ -e "$2" ] || { mkdir -p "${2%/*}" && echo "$3" >"$2"; }
"""
_RESTORE = 'sysctl -q -w "$1" && rm -f "$2"'
_FOLDER = "/var/lib/pacefab/kernel"


def observe(names: Sequence[str]) -> list[Step]:
    """Return the step that `parse` understands."""
    return [shell("kernel", _READ, *names)] if names else []


def parse(sections: Mapping[str, Section]) -> dict[str, str]:
    """Return the settings by name; one that the kernel does not have is left out."""
    section = sections.get("kernel")
    lines = section.out.splitlines() if section else []
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: " ".join(value.split()) for name, _, value in pairs}


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
