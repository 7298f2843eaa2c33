"""Why a resource did not start: the last lines about it in the journals of the nodes."""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.pacemaker.naming import mask_assigned
from pacefab.pacemaker.readiness import StartFailedError
from pacefab.transport.command import Step, shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out, values

_UNIT = 'journalctl -u "$1" -n 4 --no-pager -o cat'
# What an agent prints Pacemaker writes to its own journal, among much else.
_AGENT = 'journalctl -u pacemaker -n 200 --no-pager -o cat | grep -F "$1" | tail -n 4'


def last_words(hosts: Mapping[str, Host], error: StartFailedError) -> str:
    """Return a line per line that was written on each node, to be added to what was seen."""
    asked = {node: hosts[node] for node in error.nodes if node in hosts}
    read = fan_out(asked, lambda _, host: host.query([_step(error.agent)])["journal"].out)
    said = {node: mask_assigned(out) for node, out in values(read).items()}
    lines = [f"\n{node}: {line}" for node, out in said.items() for line in out.splitlines()]
    return "".join(lines)


def _step(agent: str) -> Step:
    standard, _, name = agent.partition(":")
    if standard == "systemd":
        return shell("journal", _UNIT, name)
    return shell("journal", _AGENT, name.rpartition(":")[2])
