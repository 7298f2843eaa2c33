"""Whether the nodes have the word of the cluster's quorum device, where it has one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pacefab.pacemaker.corosync import conf
from pacefab.pacemaker.corosync.commands import host_of
from pacefab.transport.command import Section, step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out
from pacefab.workflows.nodes.view import ClusterView

_STATE = re.compile(r"^State:\s*(.+)$", re.MULTILINE)
_CONNECTED = "Connected"
_ASK = step("device", "corosync-qdevice-tool", "-s")


def reasons(seen: ClusterView) -> Iterator[str]:
    """Yield a sentence for each running node that is not connected; nodes without device say none.

    One round trip to the nodes that are to have one.
    """
    devices = {name: host for name, view in seen.views.items() if (host := _device(view.sections))}
    hosts = {name: seen.hosts[name] for name in devices}
    for name, found in fan_out(hosts, _ask).items():
        wrong = found if isinstance(found, str) else str(found)
        if wrong:
            said = f"{name} is not connected to the quorum device {devices[name]}"
            yield f"{said} ({wrong}): systemctl status corosync-qdevice there says why"


def state(section: Section) -> str:
    """Return what is wrong by the word of corosync-qdevice-tool(8); empty: it is connected."""
    found = _STATE.search(section.out)
    if found is None:
        return section.text.partition("\n")[0] or "corosync-qdevice does not run there"
    return "" if found[1].strip() == _CONNECTED else found[1].strip()


def _ask(_name: str, host: Host) -> str:
    return state(host.query([_ASK])["device"])


def _device(sections: Mapping[str, Section]) -> str:
    """Return the host of the device in a node's corosync.conf; empty where there is none."""
    section = sections["corosync"]
    try:
        return host_of(conf.values(conf.parse(section.out))) if section.ok else ""
    except ValueError:  # which is refused elsewhere
        return ""
