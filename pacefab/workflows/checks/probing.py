"""Started is not serving: put every service's questions, all nodes at once, until they are met."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pacefab.errors import CommandError, LostError, PacefabError, UnreachableError
from pacefab.services.checks import Check, Inspection
from pacefab.services.probes import tcp
from pacefab.services.probes.probe import Probe, Reading
from pacefab.transport.answers import MISUNDERSTOOD, stumble, understood
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out, values
from pacefab.waiting import Pending, Waits, unheard, wait_until
from pacefab.workflows.nodes.persistence import AGAIN_SECONDS

SECONDS = 3  # that a step has on its node: more than the limits of what it asks with
_POLL_SECONDS = 1.0
_LIMIT = ("timeout", "-k", "1", str(SECONDS))
_OVER = {124, 137}  # what timeout(1) ends with: it sent TERM, or KILL


@dataclass(frozen=True)
class ProbeResult:
    """What a probe read."""

    probe: Probe
    reading: Reading
    lost: PacefabError | None = None  # the node that was to ask could not be reached

    @property
    def wrong(self) -> str:
        """What is wrong; empty when the service answered as it should."""
        return self.reading.wrong

    def __str__(self) -> str:
        return f"{self.probe.name} (asked from {self.probe.node}): {self.wrong}"


def put(hosts: Mapping[str, Host], probes: Sequence[Probe]) -> list[ProbeResult]:
    """Put every probe once; those of a node in one round trip, side by side there.

    A service that hangs costs no more than `SECONDS`, and hides none of the others.
    """
    by_node: dict[str, list[Probe]] = {}
    for probe in probes:
        by_node.setdefault(probe.node, []).append(probe)

    def work(node: str, mine: Sequence[Probe]) -> list[ProbeResult]:
        if node not in hosts:
            return _all(mine, f"{node} was not reached")
        try:
            return _ask(hosts[node], mine)
        except PacefabError as error:
            lost = error if isinstance(error, LostError | UnreachableError) else None
            return _all(mine, f"{node} could not ask: {error.seen}", lost)

    asked = values(fan_out(by_node, work))
    return [result for results in asked.values() for result in results]


def inspect(hosts: Mapping[str, Host], inspections: Sequence[Inspection]) -> list[Sequence[Check]]:
    """Put questions once, as `put` does; return the checks that their answers are, in their order.

    Of one that could not be put, why.
    """
    by_node: dict[str, list[Inspection]] = {}
    for inspection in inspections:
        by_node.setdefault(inspection.node, []).append(inspection)

    def work(node: str, mine: Sequence[Inspection]) -> list[Sequence[Check]]:
        try:
            steps = [_bounded(i, step) for i, one in enumerate(mine) for step in one.steps]
            sections = hosts[node].ask(steps, side_by_side=True)
            with understood("read what the services said", "see: fab status", node):
                return [one.judge(_own(i, one.steps, sections)) for i, one in enumerate(mine)]
        except PacefabError as error:
            failed = Check("node can ask", node, ok=False, seen=error.seen, cause=error.next_step)
            return [(failed,), *([()] * (len(mine) - 1))]

    asked = {node: iter(found) for node, found in values(fan_out(by_node, work)).items()}
    return [next(asked[inspection.node]) for inspection in inspections]


def _all(
    probes: Sequence[Probe], wrong: str, lost: PacefabError | None = None
) -> list[ProbeResult]:
    return [ProbeResult(probe, Reading(wrong), lost) for probe in probes]


def _ask(host: Host, probes: Sequence[Probe]) -> list[ProbeResult]:
    """Ask on one node; the endpoints of all probes are one step: starting Python takes a while."""
    steps = [_bounded(i, step) for i, probe in enumerate(probes) for step in probe.steps]
    endpoints = [endpoint for probe in probes for endpoint in probe.endpoints]
    if endpoints:
        steps.append(tcp.observe(endpoints))
    sections = host.ask(steps, side_by_side=True)
    place, results = 0, []
    for number, probe in enumerate(probes):
        own = _own(number, probe.steps, sections)
        if probe.endpoints and tcp.SECTION in sections:
            own[tcp.SECTION] = sections[tcp.SECTION]
        results.append(ProbeResult(probe, _read(probe, own, place)))
        place += len(probe.endpoints)
    return results


def _read(probe: Probe, sections: dict[str, Section], place: int) -> Reading:
    """Return what a probe reads; the answers of its endpoints begin at `place` of the node's."""
    if any(section.status in _OVER for section in sections.values()):
        return Reading(f"timed out after {SECONDS} s")
    try:
        if probe.endpoints and tcp.SECTION in sections:
            every = sections[tcp.SECTION]
            sections[tcp.SECTION] = tcp.part(every, place, len(probe.endpoints))
        return probe.read(sections)
    except MISUNDERSTOOD as error:
        return Reading(f"its answer makes no sense: {stumble(error)}")


def _bounded(number: int, step: Step) -> Step:
    return replace(step, name=f"{number} {step.name}", argv=(*_LIMIT, *step.argv))


def _own(number: int, steps: Sequence[Step], sections: Mapping[str, Section]) -> dict[str, Section]:
    names = {step.name: f"{number} {step.name}" for step in steps}
    return {name: sections[long] for name, long in names.items() if long in sections}


class AskerLostError(CommandError):
    """Nodes were lost that were to ask; `lost` says of each why."""

    def __init__(self, lost: Mapping[str, PacefabError]) -> None:
        said = "\n".join(map(str, lost.values()))
        super().__init__("ask the services", said, next(iter(lost.values())).next_step)
        self.lost = lost


def _check_askers(results: Sequence[ProbeResult], since: dict[str, float]) -> None:
    """Raise an AskerLostError for nodes that cannot be reached again; `since` says when they were.

    A connection that broke is made again by the next question.
    """
    now = time.monotonic()
    lost = {result.probe.node: result.lost for result in results if result.lost}
    for node in [node for node in since if node not in lost]:
        del since[node]
    for node in lost:
        since.setdefault(node, now)
    gone = {
        node: error
        for node, error in lost.items()
        if isinstance(error, UnreachableError) and now - since[node] > AGAIN_SECONDS
    }
    if gone:
        raise AskerLostError(gone)


def serve(
    hosts: Mapping[str, Host],
    probes: Sequence[Probe],
    deadline: float,
    waits: Waits = unheard,
) -> list[ProbeResult]:
    """Wait until every probe is met; return what they read, those of a node together.

    Each is put once at least, and those that failed again until `deadline` (of the monotonic
    clock, seconds): a service that just started needs a moment. `waits` hears of one of them.

    Raises:
        AskerLostError: a node that was to ask could not be reached again.
        CommandError: some were not met in time.
    """
    unmet, met, since = list(probes), list[ProbeResult](), dict[str, float]()

    def look() -> list[ProbeResult] | Pending:
        results = put(hosts, unmet)
        _check_askers(results, since)
        met.extend(result for result in results if not result.wrong)
        wrong = [result for result in results if result.wrong]
        unmet[:] = [result.probe for result in wrong]
        return Pending("\n".join(map(str, wrong))) if wrong else met

    found = wait_until(look, deadline - time.monotonic(), poll=_POLL_SECONDS, waits=waits)
    if isinstance(found, Pending):
        raise CommandError(
            "ask the services themselves, as their clients do",
            found.seen,
            "see: fab status, pcs status; the service's own journal on that node",
        )
    return found
