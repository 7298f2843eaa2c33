"""Settings of the kernel (sysctl): what they are now, and the steps that change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pacefab.transport.command import Section, Step, shell, step

# A line for each setting that this kernel has; sysctl(8) writes / as a dot and a dot as /.
_READ = r"""
for name; do
  path=/proc/sys/$(printf %s "$name" | tr ./ /.)
  [ ! -r "$path" ] || echo "$name=$(cat "$path")"
done
"""


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
    """Return the step that changes a setting now; undone, it is the old one."""
    undo = ("sysctl", "-q", "-w", f"{name}={old}")
    return step(f"set {name}", "sysctl", "-q", "-w", f"{name}={value}", undo=undo)
