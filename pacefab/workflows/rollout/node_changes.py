"""The nodes of one run: changed side by side, and their files put back when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from pacefab.errors import LostError, PacefabError, UnreachableError
from pacefab.host.model import Mark, Outcome
from pacefab.interrupts import undoing
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.apply_node import (
    NotUndoneError,
    await_end,
    change_node,
    restore_node,
)
from pacefab.workflows.nodes.in_force import share
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.persistence import persist
from pacefab.workflows.nodes.progress import Progress, Stopwatch
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.corosync_change import CorosyncChange
from pacefab.workflows.rollout.planning import Plans

_MAY_BE_DONE = (
    "it may still do what was sent to it: the next run finishes that, fab rollback undoes it"
)


@dataclass(frozen=True)
class NodeChanges:
    """What one run changes on nodes; `done` says what was, by node, and grows meanwhile.

    `lost` are those that broke off and could not be reached again; what was sent to them they may
    still do.
    """

    planner: Plans
    seen: ClusterView
    progress: Progress
    watch: Stopwatch
    entry: str  # of the history, under which each node keeps what its files were
    corosync: CorosyncChange
    done: dict[str, NodePlan] = field(default_factory=dict)
    lost: dict[str, NodePlan] = field(default_factory=dict)
    broken: dict[str, PacefabError] = field(default_factory=dict)  # why, of those that are lost
    stuck: list[str] = field(default_factory=list)  # nodes whose files did not go back

    def change(self, plans: Mapping[str, NodePlan], limit: int) -> list[Outcome]:
        """Change all nodes, at most `limit` at a time; return a line for each."""

        def work(name: str, node: NodePlan) -> None:
            if node:
                self.watch.begin(name)
                node = self._change(name, node)
            self.done[name] = node
            mark = Mark.CHANGED if node else Mark.UNCHANGED
            outcomes[name] = self.watch.finish(name, mark, *node.remarks)

        outcomes: dict[str, Outcome] = {}
        failed = errors(fan_out(plans, work, limit=limit, patient=True))
        outcomes |= {outcome.host: outcome for outcome in self.watch.fail_all(failed)}
        return [outcomes[name] for name in plans]

    def _change(self, name: str, node: NodePlan) -> NodePlan:
        try:
            return change_node(
                self.seen.hosts[name],
                node,
                replan=lambda: self.planner.plan_node(self.seen.again(name), name),
                note=partial(self.progress.note, name),
                entry=self.entry,
            )
        except NotUndoneError:
            self.stuck.append(name)
            raise
        except (LostError, UnreachableError) as error:
            self.lost[name], self.broken[name] = node, error
            error.next_step = f"{_MAY_BE_DONE}; {error.next_step}"
            raise

    def restore(self, limit: int, *, keep: bool) -> list[str]:
        """Put the old files back, unless they are kept; return what is to be said about it."""
        if keep:
            return ["files stay as they are now (--keep-on-failure)"] if self.done else []

        known = [name for name in self.seen.answered if name in self.done]
        changed = {name: self.done[name] for name in known if self.done[name].files}
        with undoing():
            # Those that were lost come first: they are no longer to do what the others undo.
            back = fan_out(self.lost, self._restore_lost, limit=limit)
            back |= fan_out(changed, self._restore, limit=limit)
            again = self.corosync.restore()
        self.stuck.extend(errors(back))
        for name in self.broken.keys() & values(back).keys():
            error = self.broken[name]
            error.next_step = error.next_step.removeprefix(f"{_MAY_BE_DONE}; ")
        restored = [f"previous files restored on {', '.join(values(back))}"] if values(back) else []
        return (
            restored
            + again
            + [
                f"previous files not restored on {name}: {error}"
                + (f"; {_MAY_BE_DONE}" if name in self.lost else "")
                for name, error in errors(back).items()
            ]
        )

    def _restore(self, name: str, node: NodePlan) -> None:
        restore_node(self.seen.hosts[name], node, note=partial(self.progress.note, name))

    def _restore_lost(self, name: str, node: NodePlan) -> None:
        """Put back what a node that was lost has done by now, and does no more."""
        persist(partial(await_end, self.seen.hosts[name]))
        left = self.planner.plan_node(self.seen.again(name), name)
        undone = {step.name for step in left.steps}
        done = tuple(step for step in node.steps if step.name not in undone)
        self._restore(name, replace(node, steps=done))


def still_pending(
    planner: Plans, seen: ClusterView, done: Mapping[str, NodePlan]
) -> tuple[str, ...]:
    """Return in words what is not in force on nodes that were changed, now that they are seen."""
    known = [name for name in seen.answered if name in done]
    return tuple(map(str, share({n: planner.plan_node(seen, n).pending for n in known})))
