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
from pacefab.waiting import Pending, Waits, unheard, wait_until

_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class ProbeResult:
    """What a probe found; `wrong` is empty when the service answered as it should."""

    probe: Probe
    wrong: str

    def __str__(self) -> str:
        return f"{self.probe.name} (asked from {self.probe.node}): {self.wrong}"


def put(hosts: Mapping[str, Host], probes: Sequence[Probe]) -> list[ProbeResult]:
    """Put every probe once; those of a node in one round trip."""
    by_node: dict[str, list[Probe]] = {}
    for probe in probes:
        by_node.setdefault(probe.node, []).append(probe)

    def work(node: str, mine: Sequence[Probe]) -> list[ProbeResult]:
        if node not in hosts:
            return [ProbeResult(probe, f"{node} was not reached") for probe in mine]
        try:
            return _ask(hosts[node], mine)
        except PacefabError as error:
            return [ProbeResult(probe, f"{node} could not ask: {error.seen}") for probe in mine]

    asked = values(fan_out(by_node, work))
    return [result for results in asked.values() for result in results]


def _ask(host: Host, probes: Sequence[Probe]) -> list[ProbeResult]:
    steps = [_numbered(i, step) for i, probe in enumerate(probes) for step in probe.steps]
    sections = host.query(steps)
    return [ProbeResult(p, p.read(_own(i, p, sections)).wrong) for i, p in enumerate(probes)]


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
    unmet = list(probes)

    def look() -> int | Pending:
        wrong = [result for result in put(hosts, unmet) if result.wrong]
        unmet[:] = [result.probe for result in wrong]
        return Pending("\n".join(map(str, wrong))) if wrong else len(probes)

    found = wait_until(look, deadline - time.monotonic(), poll=_POLL_SECONDS, waits=waits)
    if isinstance(found, Pending):
        raise CommandError(
            "ask the services themselves, as their clients do",
            found.seen,
            "see: fab status, pcs status; the service's own journal on that node",
        )
    return found
