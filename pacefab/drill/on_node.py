"""What a drill leaves on a node: the note of what is to be undone, and a timer that undoes it.

The note is on disk, so that it outlives the node's being fenced: a failure ends with the node's
power, and whether the cluster runs there again is what remains to be seen to. Pure.
"""

from __future__ import annotations

import shlex

from pacefab.drill.faults import Fault, Victim, about
from pacefab.host.boots import BOOT
from pacefab.transport.command import Section, Step, shell

FOLDER = "/var/lib/pacefab/drill"
_BUSY = 3  # exit status: a drill is on already

# The note is there before the failure is, so that whatever is cut off in between can be undone.
# What the timer starts is started again until it succeeds; a oneshot cannot be before systemd 244.
_CAUSE = (
    BOOT
    + r"""
folder=$1 kind=$2 seconds=$3 undo=$4 cause=$5; shift 5
[ ! -e "$folder" ] || { cat "$folder/kind"; exit 3; }
set -e
umask 077
mkdir -p "${folder%/*}"
mkdir "$folder"
boot >"$folder/boot"
printf '%s\n' "$undo" >"$folder/undo"
printf '%s\n' "$kind" >"$folder/kind"
sync "$folder/boot" "$folder/undo" "$folder/kind" "$folder"
systemctl reset-failed pacefab-drill-undo.service 2>/dev/null || :
systemd-run --quiet --collect --unit=pacefab-drill-undo --on-active="$seconds" \
  --property=Restart=on-failure --property=RestartSec=10 \
  /bin/sh -c "[ ! -e $folder/undo ] || exec sh $folder/undo"
sh -c "$cause" pacefab "$@"
"""
)

# Run by the timer or by us, by both at once too: the second one finds nothing left to do. Nothing
# that a drill does outlives a start of the node; a cluster that does not start with it stays away.
_UNDO = r"""
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec 8>/run/pacefab-drill.lock; flock -w 120 8 || exit 1
folder=%(folder)s
[ -e "$folder/undo" ] || exit 0
%(boot)s
%(about)s
undo() {
%(undo)s
}
if [ "$(boot)" = "$(cat "$folder/boot")" ]; then
  undo %(words)s || exit
else
  systemctl is-active --quiet pacemaker || systemctl is-enabled --quiet pacemaker ||
    pcs cluster start || exit
fi
rm -rf "$folder"
systemctl --no-block stop pacefab-drill-undo.timer 2>/dev/null || :
"""

_UNDO_NOW = r"""
[ -e "$1/undo" ] || { rm -rf "$1"; exit 0; }
cat "$1/kind"
sh "$1/undo" >&2
"""


def plan_failure(fault: Fault, victim: Victim, seconds: float) -> list[Step]:
    """Return the step that causes the failure; the node undoes it by itself after `seconds`."""
    words = (victim.node, str(victim.port), *victim.peers)
    parts = {
        "folder": FOLDER, "boot": BOOT, "about": about(victim.load), "undo": fault.undo,
        "words": shlex.join(words),
    }  # fmt: skip
    cause = f"{about(victim.load)}{fault.cause}"
    first = (FOLDER, fault.name, f"{seconds:.0f}s", _UNDO % parts, cause)
    return [shell("failure", _CAUSE, *first, *words)]


def is_busy(section: Section) -> bool:
    """Whether the failure was not caused because the node has a drill that is not undone."""
    return section.status == _BUSY


def plan_undo() -> list[Step]:
    """Return the step that undoes whatever a drill did to the node; harmless when it did nothing.

    It prints the name of the drill that was undone.
    """
    return [shell("undo", _UNDO_NOW, FOLDER)]


def observe() -> list[Step]:
    """Return the step whose output is the name of a drill that is not undone yet, or nothing."""
    return [shell("drill", 'cat "$1/kind" 2>/dev/null; true', FOLDER)]
