"""Cause a failure on a node and undo it: the note of what is to be undone lies on the node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pacefab.drill import on_node, recorder
from pacefab.drill.faults import Fault, Victim
from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.host.model import Mark, Outcome
from pacefab.services.service import Look
from pacefab.transport.command import shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.apply_node import check_lock
from pacefab.workflows.nodes.persistence import persist
from pacefab.workflows.nodes.progress import Progress, Stopwatch
from pacefab.workflows.nodes.view import Reach, observe_members
from pacefab.workflows.transaction.transaction import Transaction

_CAUSE_SECONDS = 180.0  # stopping a node stops everything that runs on it; 60 for the lock
_UNDO_SECONDS = 300.0  # as long for the lock, for a timer's undo under way, and for starting
_UNDO_HINT = "fab drill --undo brings it back"


class BusyError(RefusedError):
    """The node has a drill that is not undone."""


def cause(host: Host, kind: Fault, victim: Victim, seconds: float) -> None:
    """Cause the failure; whoever else fails, the node undoes it by itself after `seconds`.

    Raises:
        BusyError: a drill is on there already; nothing was done.
        PacefabError: the failure could not be caused, or not wholly: undo it.
    """
    sections = host.change(on_node.plan_failure(kind, victim, seconds), seconds=_CAUSE_SECONDS)
    check_lock(sections)
    section = sections["failure"]
    if on_node.is_busy(section):
        raise _busy({victim.node: section.out.strip()})
    if not section.ok:
        raise CommandError(
            f"cause the failure {kind.name}", section.text, _next(section.text), host=victim.node
        )


def order(host: Host, kind: Fault, node: str) -> None:
    """Have another node do what the failure is to the victim; it goes on there by itself.

    Raises:
        PacefabError: it could not be begun.
    """
    sections = host.change([shell("order", kind.order, node)], seconds=_CAUSE_SECONDS)
    check_lock(sections)
    section = sections["order"]
    if not section.ok:
        raise CommandError(
            f"cause the failure {kind.name} on {node}", section.text, _next(section.text),
            host=host.name,
        )  # fmt: skip


def _next(text: str) -> str:
    if "nft" in text:
        return "it was undone; install nftables on the node, or leave partition out"
    return "it was undone; fix that on the node, or leave this drill out"


def undo(host: Host) -> str:
    """Undo whatever a drill did to the node; return the drill's name, empty when it did nothing.

    Raises:
        PacefabError: it could not be undone now.
    """
    try:
        sections = persist(lambda: host.change(on_node.plan_undo(), seconds=_UNDO_SECONDS))
        check_lock(sections)
    except PacefabError as error:
        error.next_step = f"{_UNDO_HINT}, or the node's own timer (systemctl list-timers)"
        raise
    section = sections["undo"]
    if not section.ok:
        raise CommandError(
            "undo the drill", section.text, f"fix that on the node, then: {_UNDO_HINT}",
            host=host.name,
        )  # fmt: skip
    return section.out.strip()


def _clear(host: Host) -> str:
    """Undo as `undo` does, and remove what recorded meanwhile."""
    name = undo(host)
    recorder.remove(host)
    return name


def check_undone(hosts: Mapping[str, Host], limit: int) -> None:
    """Raise a BusyError when a node has a drill that is not undone."""
    asked = fan_out(
        hosts, lambda _, host: host.query(on_node.observe())["drill"].out.strip(), limit=limit
    )
    if left := {node: name for node, name in values(asked).items() if name}:
        raise _busy(left)


def _busy(left: Mapping[str, str]) -> BusyError:
    seen = "; ".join(f"{node}: {name}" for node, name in left.items())
    return BusyError(
        "drill",
        f"an earlier drill is not undone, or another one is on ({seen})",
        f"wait for the other one, else: {_UNDO_HINT}",
    )


@dataclass(frozen=True)
class Undo:
    """How a run undoes what earlier drills left behind, `limit` hosts at a time."""

    limit: int = 32
    transaction: Transaction | None = None  # None: one of this run's own

    def run(self, hosts: Mapping[str, Host], reach: Reach, progress: Progress) -> Sequence[Outcome]:
        """Undo on every node of the cluster; return a line for each.

        Raises:
            PacefabError: no host answered.
        """
        own = self.transaction or Transaction("drill-undo")
        return own.run(lambda: self._run(hosts, reach, progress, own), progress)

    def _run(
        self,
        hosts: Mapping[str, Host],
        reach: Reach,
        progress: Progress,
        transaction: Transaction,
    ) -> Sequence[Outcome]:
        watch = Stopwatch("drill-undo", progress)
        seen = observe_members(hosts, Look(), self.limit, reach)
        transaction.hold(seen, progress)
        for node in seen.hosts:
            progress.waiting(node, "what a drill did is undone, if one did anything")
        undone = fan_out(seen.hosts, lambda _, host: _clear(host), limit=self.limit)
        outcomes = []
        for node, name in values(undone).items():
            mark = Mark.CHANGED if name else Mark.UNCHANGED
            outcomes.append(
                watch.finish(node, mark, f"{name} undone" if name else "nothing to undo")
            )
        return [*outcomes, *watch.fail_all({**errors(undone), **seen.silent})]
