"""The hosts that take no part in a run, or no longer: lost on its way, no members, unreachable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pacefab.errors import PacefabError
from pacefab.host.model import Mark, Outcome
from pacefab.transport.connection import Host
from pacefab.waiting import Waits
from pacefab.workflows.checks import probing
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.nodes import one_cib
from pacefab.workflows.nodes.claims import none_answered
from pacefab.workflows.nodes.progress import Progress, Stopwatch
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.planning import Plan


@dataclass(frozen=True)
class Losses:
    """Which of the `hosts` of a run could not be reached again, and why, by the hosts' names.

    They are no reason to go back when the rest is as desired.
    """

    hosts: Mapping[str, Host]
    progress: Progress
    errors: dict[str, PacefabError] = field(default_factory=dict)

    def add(self, lost: Mapping[str, PacefabError], hosts: Mapping[str, Host]) -> None:
        """Take in hosts by the names that they have among `hosts`; the operator hears of them."""
        for name, error in lost.items():
            if hosts[name].name not in self.errors:
                self.errors[hosts[name].name] = error
                said = error.seen.partition("\n")[0]
                self.progress.note(name, f"it was lost ({said}); the rest goes on without it")

    @property
    def left(self) -> dict[str, Host]:
        """The hosts that are still asked.

        Raises:
            PacefabError: all of them are lost.
        """
        lost = self.errors
        left = {n: host for n, host in self.hosts.items() if not (lost and host.name in lost)}
        if lost and not left:
            raise none_answered(lost)
        return left

    def compare(
        self, look: Callable[[Mapping[str, Host]], ClusterView], seen: ClusterView, *, stale: bool
    ) -> ClusterView:
        """Take in members that keep another CIB than the rest; return the view as it is then.

        One that is `stale` was taken before the last change of the CIB.
        """
        seen, apart = one_cib.bring_together(lambda: look(self.left), seen, stale=stale)
        self.errors.update({seen.hosts[name].name: error for name, error in apart.items()})
        return seen

    def report(self, reported: Sequence[Outcome], watch: Stopwatch) -> list[Outcome]:
        """Report those that have no line yet."""
        known = [outcome.error for outcome in reported]
        return watch.fail_all({n: error for n, error in self.errors.items() if error not in known})


Look = Callable[[], tuple[ClusterView, Plan]]


def serve(
    losses: Losses, look: Look, now: tuple[ClusterView, Plan], deadline: float, waits: Waits
) -> tuple[ClusterView, Plan, list[ProbeResult]]:
    """Return the services' answers, and the cluster as it is then. Errors of `probing.serve`.

    A node that is lost meanwhile no longer asks: `look` shows the cluster without it.
    """
    seen, plan = now
    while True:
        try:
            return seen, plan, probing.serve(seen.hosts, plan.probes, deadline, waits)
        except probing.AskerLostError as error:
            losses.add(error.lost, seen.hosts)
            seen, plan = look()


def left_alone(seen: ClusterView, watch: Stopwatch) -> list[Outcome]:
    """Return a line for each host that is no member and is not made one by this run."""
    return [
        watch.fail(name, error)
        if seen.standing(name).listed
        else watch.finish(name, Mark.SKIPPED, str(seen.standing(name)))
        for name, error in (seen.outside.items() if seen.formed else ())
    ]


def incomplete(silent: Mapping[str, PacefabError]) -> PacefabError:
    """Return the error of a run that named hosts which do not answer: how to go on without them."""
    error = none_answered(silent)
    error.next_step = f"nothing was changed; {error.next_step}; or {go_on(silent)}"
    return error


def go_on(silent: Mapping[str, PacefabError]) -> str:
    """Return how to go on without hosts that do not answer."""
    return f"go on without {', '.join(silent)}: --without {','.join(silent)}"


def or_go_on(unchanged: str, silent: Mapping[str, PacefabError]) -> str:
    """Return what was left as it was, and how to go on without hosts that do not answer."""
    return f"{unchanged}; to {go_on(silent)}" if silent else unchanged
