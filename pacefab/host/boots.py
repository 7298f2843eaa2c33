"""When a node was started: a line that is another one after each start, and how to start it again.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.transport.command import Section, Step, shell

SECTION = "boot"

# A container has the boot id of its machine, so when its process 1 began is a part of the line:
# word 22 of its own line in /proc, 20 behind the name.
BOOT = r"""
boot() {
  read -r id </proc/sys/kernel/random/boot_id
  read -r line </proc/1/stat
  set -- ${line##*) }
  echo "$id ${20}"
}
"""
# By a unit of its own, a moment later: the answer to this comes first.
_RESTART = "systemd-run --quiet --collect --on-active=1 systemctl reboot"


def observe() -> Step:
    """Return the step of `read`."""
    return shell(SECTION, BOOT + "boot")


def read(sections: Mapping[str, Section]) -> str:
    """Return a line that is another one after each start of the node; empty: it gave none."""
    section = sections[SECTION]
    return section.out.strip() if section.ok else ""


def plan_restart() -> Step:
    """Return the step after which the machine restarts, a second later."""
    return shell("restart the machine", _RESTART)
