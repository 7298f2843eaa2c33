"""Back to the state before an apply: planned, shown and applied like any other change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pacefab.errors import PacefabError, RefusedError, UsageError
from pacefab.host import kept_files
from pacefab.host.model import FileState
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.restore import plan_restore, render_restored
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.node_plan import NodePlan, plan_rollback
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout import history
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.history import Entry
from pacefab.workflows.rollout.planning import Plan

Kept = Mapping[str, FileState | None]  # by path; None: there was no such file


@dataclass(frozen=True)
class Restoring:
    """Plans back to what stood before one apply, and so before all that came after it."""

    intent: Intent  # how files of services take effect, and which are secret
    before: Cib
    kept: Mapping[str, Kept]  # by host, as it is named

    def look(self) -> Look:
        """Return what to look at on every node: what services look at, and the kept files."""
        look = self.intent.look()
        paths = (path for files in self.kept.values() for path in files)
        return replace(look, files=tuple(dict.fromkeys((*look.files, *paths))))

    def plan(self, seen: ClusterView, forming: tuple[str, ...] = ()) -> Plan:
        """Return what would change on nodes and in their cluster."""
        nodes = {name: self.plan_node(seen, name) for name in seen.views}
        return replace(self.plan_cluster(seen), nodes=nodes, forming=forming)

    def plan_node(self, seen: ClusterView, name: str) -> NodePlan:
        """Return what brings a node's files back."""
        intent = self.intent.among(seen.formed, seen.facts)
        desired, view = intent.node(intent.site(seen.facts), name), seen.answered[name]
        return plan_rollback(view.facts, self.kept.get(view.host, {}), desired)

    def plan_cluster(self, seen: ClusterView) -> Plan:
        """Return what brings the cluster's configuration back."""
        seen.check_quorum("plan the rollback")
        change = plan_restore(seen.cib, self.before)
        transitions, placement = (
            apply_cib.foresee(seen.host, render_restored(seen.cib, self.before))
            if change
            else ((), seen.placement)
        )
        return Plan(
            self.intent.membership.cluster,
            configuration=change,
            transitions=transitions,
            silent=seen.silent,
            desired=read_configuration(self.before),
            placement=placement,
        )

    def render(self, cib: Cib, plan: Plan) -> Cib | None:
        """Return the CIB that the plan leads to; None: from this one it would be another plan."""
        same = plan_restore(cib, self.before).changes == plan.configuration.changes
        return render_restored(cib, self.before) if same else None


def find(hosts: Mapping[str, Host], intent: Intent, number: int) -> tuple[Entry, Restoring]:
    """Return the apply that is `number` applies back (1: the last), and the way to before it.

    Raises:
        UsageError: there were not so many.
        RefusedError: what stood before it cannot be read any more.
        PacefabError: a node did not answer: what it knows of decides which apply is meant.
    """
    applied = history.gather(hosts)
    _raise_first(applied.silent)
    entries = applied.entries
    if not 1 <= number <= len(entries):
        raise UsageError(
            "roll back",
            f"there is no apply {number}; the nodes know of {len(entries)}",
            "see them with: fab history",
        )
    entry, node = list(entries.items())[number - 1]
    undone = [later.id for later in entries if later.id >= entry.id]
    kept = fan_out(hosts, lambda _, host: _kept(host, undone))
    _raise_first(errors(kept))
    return entry, Restoring(intent, history.read_before(hosts[node], entry), values(kept))


def _raise_first(failed: Mapping[str, PacefabError]) -> None:
    for error in failed.values():
        error.next_step = f"nothing was changed; {error.next_step}"
        raise error


def _kept(host: Host, entries: Sequence[str]) -> Kept:
    """Return the files of a node as they stood before the first of the entries, newest first."""
    steps = [replace(s, name=f"{s.name} {e}") for e in entries for s in kept_files.observe(e)]
    sections = host.query(steps)
    found: dict[str, FileState | None] = {}
    try:
        for entry in entries:
            own = {s.name: sections[f"{s.name} {entry}"] for s in kept_files.observe(entry)}
            found |= kept_files.parse(own)
    except ValueError as error:
        raise RefusedError(
            "read the previous files", str(error), f"look into {kept_files.FOLDER}", host=host.name
        ) from error
    return found
