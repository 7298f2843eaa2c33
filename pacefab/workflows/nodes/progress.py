"""What a flow reports while it runs; `tasks` passes in who listens. No workflow prints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from pacefab import interrupts
from pacefab.errors import PacefabError, UnreachableError
from pacefab.host.model import Mark, Outcome
from pacefab.transport.fanout import errors, fan_out, values

V = TypeVar("V")


class Progress(Protocol):
    """Somebody who watches a task."""

    def note(self, host: str, text: str) -> None:
        """Hear of something that is going on right now."""

    def waiting(self, host: str, text: str) -> None:
        """Hear what a host, or the cluster, waits for right now; empty: for nothing any more."""

    def finished(self, outcome: Outcome) -> None:
        """Hear that a host is done."""


class Audience(Progress, Protocol):
    """Somebody who watches, and is asked before something that runs is stopped or rewritten."""

    def preview(self, lines: Sequence[str]) -> None:
        """See what is about to be done."""

    def ask(self, step: str, question: str) -> None:
        """Agree to it.

        Raises:
            UsageError: there is nobody to ask.
            RefusedError: not agreed to.
        """


class Stopwatch:
    """Times each line of a task: since that host's work began, which the task's beginning is.

    Where hosts take turns, or the operator was asked, `begin` says when.
    """

    def __init__(self, step: str, progress: Progress) -> None:
        self.step = step
        self.progress = progress
        self._started = time.monotonic()
        self._begun: dict[str, float] = {}

    def begin(self, *hosts: str) -> None:
        """Note that work on these hosts begins now; on all of them, when none is named."""
        now = time.monotonic()
        self._begun |= dict.fromkeys(hosts, now)
        if not hosts:
            self._started = now

    def finish(self, host: str, mark: Mark, *notes: str) -> Outcome:
        """Report a host as done."""
        return self._report(Outcome(host, self.step, mark, self._seconds(host), notes))

    def fail(self, host: str, error: PacefabError) -> Outcome:
        """Report a host as failed, or as unreachable when the error says so."""
        error.host = error.host or host
        mark = Mark.UNREACHABLE if isinstance(error, UnreachableError) else Mark.FAILED
        return self._report(Outcome(host, self.step, mark, self._seconds(host), (), error))

    def fail_all(self, failed: Mapping[str, PacefabError]) -> list[Outcome]:
        """Report several hosts as failed."""
        return [self.fail(host, error) for host, error in failed.items()]

    def each(
        self, inputs: Mapping[str, V], call: Callable[[str, V], Outcome], limit: int
    ) -> list[Outcome]:
        """Work on hosts side by side, each reported as it is done; return lines in their order.

        One that fails stops no other. An interruption says how far each one is.
        """
        reported: dict[str, Outcome] = {}

        def work(name: str, value: V) -> Outcome:
            try:
                reported[name] = call(name, value)
            except PacefabError as error:
                reported[name] = self.fail(name, error)
            return reported[name]

        try:
            done = fan_out(inputs, work, limit=limit)
        except KeyboardInterrupt as stop:
            _say_how_far(stop, list(inputs), dict(reported))
            raise
        outcomes = values(done) | {line.host: line for line in self.fail_all(errors(done))}
        return [outcomes[name] for name in inputs]

    def _seconds(self, host: str) -> float:
        return time.monotonic() - self._begun.get(host, self._started)

    def _report(self, outcome: Outcome) -> Outcome:
        self.progress.finished(outcome)
        return outcome


def _say_how_far(
    stop: KeyboardInterrupt, hosts: Sequence[str], reported: Mapping[str, Outcome]
) -> None:
    """Note which hosts are done, which end by themselves what they do, which were not begun."""
    changed, busy = interrupts.changed(), interrupts.under_way()
    if not set(changed) & set(hosts):
        return  # nothing was changed, or elsewhere

    def state(name: str) -> str:
        if name in reported:
            return "done" if reported[name].mark.ok else "failed"
        if name in busy:
            return "still at work and ends that by itself"
        return "begun, not done" if name in changed else "not begun"

    states = {name: state(name) for name in hosts}
    for said in dict.fromkeys(states.values()):
        stop.add_note(f"{', '.join(name for name in hosts if states[name] == said)}: {said}")
    if set(hosts) - set(reported):
        stop.add_note("run this again: it does the rest")


def say_how_far(stop: KeyboardInterrupt, outcomes: Sequence[Outcome]) -> None:
    """Note which nodes are done; a repeated run goes on behind them."""
    if not interrupts.changed():
        return
    done = ", ".join(line.host for line in outcomes if line.mark is Mark.CHANGED)
    if done:
        stop.add_note(f"{done}: done")
    stop.add_note("run this again to go on")
