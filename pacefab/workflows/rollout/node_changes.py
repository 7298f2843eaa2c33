"""The nodes of one run: changed side by side, and their files put back when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from pacefab.host.model import Mark, Outcome
from pacefab.interrupts import undoing
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.apply_node import change_node, restore_node
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.progress import Progress, Stopwatch
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.planning import Plans


@dataclass(frozen=True)
class NodeChanges:
    """What one run changes on nodes; `done` says what was, by node, and grows meanwhile."""

    planner: Plans
    seen: ClusterView
    progress: Progress
    watch: Stopwatch
    entry: str  # of the history, under which each node keeps what its files were
    done: dict[str, NodePlan] = field(default_factory=dict)
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
        return change_node(
            self.seen.hosts[name],
            node,
            replan=lambda: self.planner.plan_node(self.seen.again(name), name),
            note=partial(self.progress.note, name),
            entry=self.entry,
        )

    def restore(self, limit: int, *, keep: bool) -> list[str]:
        """Put the old files back, unless they are kept; return what is to be said about it."""
        if keep:
            return ["files stay as they are now (--keep-on-failure)"] if self.done else []

        def work(name: str, node: NodePlan) -> None:
            restore_node(self.seen.hosts[name], node, note=partial(self.progress.note, name))

        known = [name for name in self.seen.answered if name in self.done]
        changed = {name: self.done[name] for name in known if self.done[name].files}
        with undoing():
            back = fan_out(changed, work, limit=limit)
        self.stuck.extend(errors(back))
        restored = [f"previous files restored on {', '.join(values(back))}"] if values(back) else []
        return restored + [
            f"previous files not restored on {name}: {error}"
            for name, error in errors(back).items()
        ]
