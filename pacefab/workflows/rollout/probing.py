"""Started is not serving: put every service's questions, all nodes at once, until they are met."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pacefab.errors import CommandError, PacefabError
from pacefab.services.service import Probe
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out, values
from pacefab.workflows.nodes.progress import Waits, unheard

_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Finding:
    """What a probe found; `wrong` is empty when the service answered as it should."""

    probe: Probe
    wrong: str

    def __str__(self) -> str:
        return f"{self.probe.name} (asked from {self.probe.node}): {self.wrong}"


def put(hosts: Mapping[str, Host], probes: Sequence[Probe]) -> list[Finding]:
    """Put every probe once; those of a node in one round trip."""
    by_node: dict[str, list[Probe]] = {}
    for probe in probes:
        by_node.setdefault(probe.node, []).append(probe)

    def work(node: str, mine: Sequence[Probe]) -> list[Finding]:
        if node not in hosts:
            return [Finding(probe, f"{node} was not reached") for probe in mine]
        try:
            return _ask(hosts[node], mine)
        except PacefabError as error:
            return [Finding(probe, f"{node} could not ask: {error.seen}") for probe in mine]

    asked = values(fan_out(by_node, work))
    return [finding for found in asked.values() for finding in found]


def _ask(host: Host, probes: Sequence[Probe]) -> list[Finding]:
    steps = [_numbered(i, step) for i, probe in enumerate(probes) for step in probe.steps]
    sections = host.query(steps)
    return [Finding(p, p.judge(_own(i, p, sections))) for i, p in enumerate(probes)]


def _numbered(number: int, step: Step) -> Step:
    return replace(step, name=f"{number} {step.name}")


def _own(number: int, probe: Probe, sections: Mapping[str, Section]) -> dict[str, Section]:
    names = {step.name: f"{number} {step.name}" for step in probe.steps}
    return {name: sections[long] for name, long in names.items() if long in sections}


def serve(
    hosts: Mapping[str, Host],
    probes: Sequence[Probe],
    deadline: float,
    waits: Waits = unheard,
) -> int:
    """Wait until every probe is met; return how many there are.

    Each is put once at least, and those that failed again until `deadline` (of the monotonic
    clock, seconds): a service that just started needs a moment. `waits` hears of one of them.

    Raises:
        CommandError: some were not met in time.
    """
    left = [finding for finding in put(hosts, probes) if finding.wrong]
    while left and time.monotonic() < deadline:
        waits(str(left[0]))
        time.sleep(_POLL_SECONDS)
        left = [finding for finding in put(hosts, [one.probe for one in left]) if finding.wrong]
    waits("")
    if left:
        raise CommandError(
            "ask the services themselves, as their clients do",
            "\n".join(map(str, left)),
            "see: fab status, pcs status; the service's own journal on that node",
        )
    return len(probes)
