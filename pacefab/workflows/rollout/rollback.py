"""Back to the state before an apply: planned, shown and applied like any other change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pacefab.errors import PacefabError, RefusedError, UsageError
from pacefab.host import kept_files
from pacefab.host.model import FileState
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.members.connections import check_connections
from pacefab.pacemaker.restore import plan_restore, render_restored
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.node_plan import NodePlan, plan_rollback
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout import corosync_files, history
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.history import History
from pacefab.workflows.rollout.planning import Plan
from pacefab.workflows.transaction.entry import Entry

Kept = Mapping[str, FileState | None]  # by path; None: there was no such file
Written = Mapping[str, frozenset[str]]  # the digests of what was written, by path


@dataclass(frozen=True)
class Restoring:
    """Plans back to what stood before one apply, and so before all that came after it.

    `cluster` is the one in which it was; empty: not known.
    """

    intent: Intent  # how files of services take effect, and which are secret
    before: Cib
    kept: Mapping[str, Kept]  # by host, as it is named
    written: Mapping[str, Written] = field(default_factory=dict)
    cluster: str = ""
    conf: str = ""  # corosync.conf as it was; empty: it was not kept
    restart_cluster: bool = False  # whether corosync may be given what needs that

    def look(self) -> Look:
        """Return what to look at on every node: what services look at, and the kept files."""
        look = self.intent.look()
        paths = (path for files in self.kept.values() for path in files)
        return replace(look, files=tuple(dict.fromkeys((*look.files, *paths))))

    def plan(self, seen: ClusterView, forming: tuple[str, ...] = ()) -> Plan:
        """Return what would change on nodes and in their cluster."""
        nodes = {name: self.plan_node(seen, name) for name in (*seen.views, *seen.remotes)}
        conf = corosync_files.plan_back(seen, self.conf, restart=self.restart_cluster)
        if forming and not seen.running:
            # What the CIB of a stopped cluster says is known when it runs; then it is planned.
            return Plan(seen.membership.cluster, forming, nodes, conf, silent=seen.silent)
        planned = self.plan_cluster(seen)
        return replace(planned, nodes=nodes, forming=forming, corosync=conf)

    def plan_node(self, seen: ClusterView, name: str) -> NodePlan:
        """Return what brings a node's files back."""
        intent = self.intent.among(seen.formed, seen.facts)
        desired, view = intent.node(intent.site(seen.facts), name), seen.answered[name]
        kept, written = self.kept.get(view.host, {}), self.written.get(view.host, {})
        return plan_rollback(view.facts, kept, desired, written)

    def plan_cluster(self, seen: ClusterView) -> Plan:
        """Return what brings the cluster's configuration back.

        Raises:
            RefusedError: it is another cluster's: a node brought that along from there; or a remote
                node would go.
        """
        own = seen.membership.cluster
        if self.cluster not in {"", own}:
            said = f"that change was in the cluster {self.cluster}, and this is {own}"
            advice = "nothing was changed; choose another one: fab history, then --number N"
            raise RefusedError("plan the rollback", said, advice)
        seen.check_quorum("plan the rollback")
        change = plan_restore(seen.cib, self.before)
        check_connections(change)
        transitions, placement = (
            apply_cib.foresee(seen.host, render_restored(seen.cib, self.before))
            if change
            else ((), seen.placement)
        )
        return Plan(
            own,
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


@dataclass(frozen=True)
class Back:
    """The way back: to what stood before `first`, and so before all that came after it.

    `entry` is what was chosen: by its number, or because it was not finished.
    """

    entry: Entry
    first: Entry
    planner: Restoring

    def __str__(self) -> str:
        begun = "" if self.first == self.entry else f", begun by the {self.first.name}"
        return f"back to before {self.entry.id} ({self.entry.by}: {self.entry.sentence}{begun})"


def find(hosts: Mapping[str, Host], intent: Intent, number: int) -> Back:
    """Return the way back before the apply that is `number` applies back (1: the last).

    Where changes were begun and not finished, 1 is all of those; a rollback that was not finished
    goes on to where it was going.

    Raises:
        UsageError: there were not so many.
        RefusedError: what stood before it cannot be read any more.
        PacefabError: a node did not answer: what it knows of decides which apply is meant.
    """
    members = {name: host for name, host in hosts.items() if name not in intent.look().remotes}
    applied = history.gather(members)
    _raise_first(applied.silent)
    entry, first = _choose(applied, number)
    undone = [later.id for later in applied.entries if later.id >= first.id]
    kept = fan_out(hosts, lambda _, host: _kept(host, undone))
    _raise_first(errors(kept))
    found = values(kept)
    return Back(
        entry,
        first,
        Restoring(
            intent,
            history.read_before(members, first),
            {name: files for name, (files, _) in found.items()},
            {name: written for name, (_, written) in found.items()},
            first.cluster,
            history.read_conf(members, first),
        ),
    )


def _choose(applied: History, number: int) -> tuple[Entry, Entry]:
    """Return the entry that is meant, and the first of those that are a part of it."""
    left, counted = applied.unfinished, applied.counted
    if number == 1 and left:
        known = {entry.id: entry for entry in applied.entries}
        if left[-1].undoes and left[-1].target in known:
            entry = known[left[-1].target]
            return entry, applied.first_of(entry)
        return left[-1], min(map(applied.first_of, left), key=lambda entry: entry.id)
    if not 1 <= number <= len(counted):
        raise UsageError(
            "roll back",
            f"there is no apply {number}; the nodes know of {len(counted)}",
            "see them with: fab history",
        )
    return counted[number - 1], applied.first_of(counted[number - 1])


def _raise_first(failed: Mapping[str, PacefabError]) -> None:
    for error in failed.values():
        error.next_step = f"nothing was changed; {error.next_step}"
        raise error


def _kept(host: Host, changes: Sequence[str]) -> tuple[Kept, Written]:
    """Return the files of a node as they stood before the first of the changes, newest first.

    And every text that each of them had meanwhile by these changes. One that was changed by a
    pacefab which did not note that is left out: any text may be ours.
    """
    steps = [replace(s, name=f"{s.name} {e}") for e in changes for s in kept_files.observe(e)]
    sections = host.query(steps)
    found: dict[str, FileState | None] = {}
    texts: dict[str, set[str]] = {}
    unknown: set[str] = set()
    try:
        for entry in changes:
            own = {s.name: sections[f"{s.name} {entry}"] for s in kept_files.observe(entry)}
            before, written = kept_files.parse(own), kept_files.parse_written(own)
            for path, state in before.items():
                old = kept_files.digest(state.text) if state else ""
                texts.setdefault(path, set()).update({old}, written.get(path, ()))
            unknown |= before.keys() - written.keys()
            found |= before
    except ValueError as error:
        raise RefusedError(
            "read the previous files", str(error), f"look into {kept_files.FOLDER}", host=host.name
        ) from error
    return found, {p: frozenset(known) for p, known in texts.items() if p not in unknown}
