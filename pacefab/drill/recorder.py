"""The recorders on the nodes: started before a failure, read after it, removed.

Each is a process of the node's own that notes ten times a second, on disk, what is active there. It
asks nobody else, and so goes on when the node is cut off or hangs, up to when its power is cut.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pacefab.drill.recording import NodeClock, Recording, parse
from pacefab.errors import CommandError
from pacefab.host import boots
from pacefab.services.activity import ActivityQuestion
from pacefab.transport.command import Section, Step, shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out, values
from pacefab.waiting import Pending, wait_until

FOLDER = "/var/lib/pacefab/drill-record"
_FILE = f"{FOLDER}/record"
_PROGRAM = Path(__file__).with_name("recorder_node.py")
_COMPARISONS = 5  # of clocks; the quickest one counts
_RESOLUTION = 0.01  # of /proc/uptime
_START_SECONDS = 20.0
_ASK_SECONDS = 20.0
_CHANGE_SECONDS = 90.0  # of which the node's lock is waited for 60

_START = r"""
folder=$1 request=$2
python=$(command -v python3 || command -v /usr/libexec/platform-python) || exit 127
umask 077
mkdir -p "$folder"
cat >"$folder/program.py"
systemctl stop pacefab-drill-recorder.service 2>/dev/null || :
exec systemd-run --quiet --collect --unit=pacefab-drill-recorder --property=Nice=-10 \
  "$python" -I -S "$folder/program.py" "$request"
"""
_FETCH = 'cat "$1" 2>/dev/null || true'
_REMOVE = r"""
systemctl stop pacefab-drill-recorder.service 2>/dev/null
rm -rf "$1"
"""


@dataclass
class Recorder:
    """What is recorded on all nodes while a failure goes on.

    Args:
        hosts: by node.
        vips: address of each VIP by its resource.
        activities: by node: what else is asked there.
        seconds: after which it ends by itself.
    """

    hosts: Mapping[str, Host]
    vips: Mapping[str, str]
    activities: Mapping[str, Sequence[ActivityQuestion]]
    seconds: float
    _clocks: dict[str, dict[str, NodeClock]] = field(default_factory=dict)

    def start(self, nodes: Sequence[str]) -> None:
        """Start it on nodes, or again on one that was started again; one that fails has none.

        Returns once each has recorded something.
        """
        fan_out({node: self.hosts[node] for node in nodes}, self._start)

    def read(self) -> dict[str, Recording]:
        """Return what each node recorded; a node that does not answer is left out."""
        asked = fan_out(self.hosts, lambda _, host: _fetch(host))
        return {
            node: parse(node, text, self._clocks.get(node, {}))
            for node, text in values(asked).items()
        }

    def remove(self) -> None:
        """End it on every node that answers, and remove what it left; what fails is passed over."""
        fan_out(self.hosts, lambda _, host: remove(host))

    def _start(self, node: str, host: Host) -> None:
        asked = [activity.request for activity in self.activities.get(node, ())]
        request = {
            "file": _FILE, "seconds": self.seconds, "vips": dict(self.vips), "activities": asked,
        }  # fmt: skip
        program = _PROGRAM.read_text(encoding="utf-8")
        step = shell("recorder", _START, FOLDER, json.dumps(request), stdin=program)
        sections = host.change([step], seconds=_CHANGE_SECONDS, idle=True)
        if step.name not in sections or not sections[step.name].ok:
            return
        boot, clock = compare(host)
        self._clocks.setdefault(node, {})[boot] = clock
        own = json.dumps({"boot": boot})
        wait_until(lambda: own in _fetch(host) or Pending(), _START_SECONDS, poll=0.1)


def _fetch(host: Host) -> str:
    step = shell("record", _FETCH, _FILE)
    return host.query([step], seconds=_ASK_SECONDS)["record"].out


def remove(host: Host) -> None:
    """End the recorder of a node and remove what it left; harmless where there is none.

    Raises:
        PacefabError: the node could not be asked.
    """
    host.query([shell("remove", _REMOVE, FOLDER)], seconds=_ASK_SECONDS)


def compare(host: Host) -> tuple[str, NodeClock]:
    """Return the line of a node's start, and its clock on ours.

    Raises:
        PacefabError: the node could not be asked.
    """
    found: list[tuple[NodeClock, str]] = []
    for _ in range(_COMPARISONS):
        begun = time.monotonic()
        sections = host.query([_clock(), boots.observe()], seconds=_ASK_SECONDS)
        taken = time.monotonic() - begun
        clock = NodeClock(begun + taken / 2 - _uptime(sections["clock"]), taken / 2 + _RESOLUTION)
        found.append((clock, boots.read(sections)))
    clock, boot = min(found, key=lambda each: each[0].within)
    return boot, clock


def _clock() -> Step:
    return shell("clock", "read -r now rest </proc/uptime; echo $now")


def _uptime(section: Section) -> float:
    try:
        return float(section.out)
    except ValueError:
        raise CommandError("compare clocks", section.text, "look at /proc/uptime there") from None
