"""bootstrap: bare hosts become one cluster; what is formed already is left alone.

Every step may be cut off anywhere: the next run finds what is there and does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pacefab import interrupts
from pacefab.errors import CommandError, PacefabError, RefusedError, UsageError
from pacefab.host.model import Mark, Outcome, Program
from pacefab.pacemaker.corosync.plan import CorosyncSettings
from pacefab.pacemaker.members.membership import Claim, completed
from pacefab.pacemaker.model import Membership
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.services.service import Port
from pacefab.transport.command import Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out
from pacefab.waiting import Pending, wait_until
from pacefab.workflows.formation import steps
from pacefab.workflows.formation.plan import Candidate, Formation, plan_formation
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import change_node, run_steps
from pacefab.workflows.nodes.claims import all_answered
from pacefab.workflows.nodes.node_plan import NodePlan, plan_node
from pacefab.workflows.nodes.observe import MANAGED, observe_node
from pacefab.workflows.nodes.progress import Progress, Stopwatch
from pacefab.workflows.nodes.standing import missing
from pacefab.workflows.transaction.transaction import Hosts, Transaction

STEP = "bootstrap"
_START_SECONDS = 120  # a node whose corosync must wait for others that still boot
_NO_FENCING = """\
the inventory does not say how a node that no longer answers is fenced.
Such a node may still run: hold a virtual IP, write to the database. The others can only start its
services elsewhere once they know that it does not. Without fencing they would have to guess, and
two nodes with one address or one database corrupt data."""
_SAY_FENCING = """\
nothing was contacted; add fence devices to the inventory, for example
  fencing: {devices: {ipmi: {agent: fence_ipmilan, parameters: {username: admin},
    per_node: {c1: {ip: 10.0.0.1}, c2: {ip: 10.0.0.2}}}}}
or, for a cluster with data that may be lost:
  fencing: {disabled: true, reason: "a test cluster"}"""


def check_fencing(*, decided: bool) -> None:
    """Raise a UsageError that explains fencing when the inventory has not decided about it."""
    if not decided:
        raise UsageError("form a cluster", _NO_FENCING, _SAY_FENCING)


@dataclass(frozen=True)
class Bootstrap:
    """How hosts become members of a cluster.

    Args:
        desired: the cluster's name, and its nodes with the addresses they use for each other.
        programs: fence agents that every node needs, such as fence_ipmilan, and what they call.
        secret: returns a secret by its name; hacluster is asked for when a host is to be a member.
        firewall: whether ports are opened for the cluster where firewalld is active.
        limit: how many hosts are worked on at a time.
        step: what outcomes are called.
        transaction: of the run that this is a part of; None: that has the lease already.
        corosync: what corosync.conf of a new cluster says; None: what pcs makes of it.
    """

    desired: Membership
    programs: tuple[Program, ...]
    secret: Callable[[str], str]
    firewall: bool = False
    limit: int = 32
    step: str = STEP
    transaction: Transaction | None = None  # of the run that forms it; None: it has the lease
    corosync: CorosyncSettings | None = None  # None: as pcs sets it up

    def sentences(self, hosts: Mapping[str, Host]) -> tuple[str, ...]:
        """Return what would be done, a sentence each; none when the cluster stands.

        Raises:
            PacefabError: hosts cannot be reached, or are of another cluster.
        """
        return self.plan(self._observe(hosts)).sentences()

    def plan(self, found: Mapping[str, Candidate]) -> Formation:
        """Return what makes the hosts members. Errors of `plan_formation`."""
        members = [member for member in self.desired.members if member.name in found]
        return plan_formation(replace(self.desired, members=tuple(members)), found)

    def joining(self, hosts: Mapping[str, Host], newcomer: str) -> dict[str, Host]:
        """Return the cluster's members among the hosts, and the newcomer.

        Raises:
            PacefabError: hosts cannot be reached, or none of them is a member.
        """
        found = self._observe(hosts)
        members = [name for name, host in found.items() if host.membership]
        if not members:
            raise RefusedError(
                f"add {newcomer} to cluster {self.desired.cluster}",
                "none of the hosts is in a cluster",
                "nothing was changed: make one of all of them: fab bootstrap",
            )
        return {name: host for name, host in hosts.items() if name in {*members, newcomer}}

    def form(self, hosts: Mapping[str, Host], progress: Progress) -> list[Outcome]:
        """Make the hosts members of the cluster; return a line for each that was none.

        Raises:
            PacefabError: it is not formed; what was done so far needs no undoing, and the next run
                does the rest.
        """
        return self.prepare(hosts, progress)()

    def prepare(self, hosts: Mapping[str, Host], progress: Progress) -> Callable[[], list[Outcome]]:
        """Return what does the same as `form`, once hosts and secrets have been asked for.

        Raises:
            PacefabError: it cannot be formed; nothing was changed.
        """
        found = self._observe(hosts)
        plan = self.plan(found)
        if plan:
            # What a run that was cut off left at work on a host ends first, and is seen then.
            if self.transaction:
                self.transaction.hold(Hosts(hosts), progress)
            found = self._observe(hosts)
            plan = self.plan(found)
        if plan.setup or plan.join:
            self.secret(steps.USER)

        def form() -> list[Outcome]:
            watch = Stopwatch(self.step, progress)
            watch.begin(*plan.changed)
            for sentence in plan.sentences():
                progress.note(self.desired.cluster, sentence)
            try:
                _Forming(self, plan, hosts, found, progress).execute()
            except KeyboardInterrupt as stop:
                if interrupts.changed():
                    stop.add_note("what is formed of the cluster stays")
                    stop.add_note("run this again: it does the rest")
                raise
            return [watch.finish(name, Mark.CHANGED) for name in plan.changed]

        return form

    def _observe(self, hosts: Mapping[str, Host]) -> dict[str, Candidate]:
        found = all_answered(fan_out(hosts, self.observe, limit=self.limit))
        claims = [Claim(c.membership, c.facts.addresses, c.facts.name) for c in found.values()]
        return {
            name: replace(c, membership=completed(c.membership, claims)) if c.membership else c
            for name, c in found.items()
        }

    def observe(self, name: str, host: Host) -> Candidate:
        """Return one host as it is. Errors of `observe_node` and `bootstrap_steps.candidate`."""
        packages = self.corosync.packages if self.corosync else ()
        view = observe_node(host, steps.look(self.programs, packages), MANAGED)
        ports = tuple(Port(n, "udp") for n in (self.corosync.ports if self.corosync else ()))
        return replace(steps.candidate(name, view, self.programs), packages=packages, ports=ports)


@dataclass(frozen=True)
class _Forming:
    """One formation under way."""

    bootstrap: Bootstrap
    plan: Formation
    hosts: Mapping[str, Host]
    found: Mapping[str, Candidate]
    progress: Progress

    def execute(self) -> None:
        plan = self.plan
        self._on_all(plan.prepare, self._prepare)
        if plan.setup:
            self._set_up()
        self._on_all(plan.start, self._start)
        self._wait([member.name for member in plan.members if member.name not in plan.join])
        for name in plan.join:
            self._join(name)
        if plan.join:
            self._wait([member.name for member in plan.members])
        if plan.start or plan.finish:
            self._run(self._doorway, [steps.plan_finish()])

    @property
    def _doorway(self) -> str:
        """The member through which the cluster is asked and changed; a running one, if any."""
        members = [name for name in self.found if name not in self.plan.join]
        return next((name for name in members if self.found[name].running), members[0])

    def _on_all(self, names: Sequence[str] | Mapping[str, object], work: _Work) -> None:
        chosen = {name: host for name, host in self.hosts.items() if name in names}
        all_answered(fan_out(chosen, work, limit=self.bootstrap.limit))

    def _prepare(self, name: str, host: Host) -> None:
        self.progress.note(name, "preparing the host")
        newcomer = name in (*self.plan.setup, *self.plan.join)
        note = partial(self.progress.note, name)
        change_node(
            host,
            self._planned(self.found[name], newcomer=newcomer),
            replan=lambda: self._planned(self.bootstrap.observe(name, host), newcomer=newcomer),
            note=note,
        )
        if newcomer:
            run_steps(host, steps.plan_newcomer(self._password), note=note)

    def _planned(self, host: Candidate, *, newcomer: bool) -> NodePlan:
        desired = replace(host, membership=None).desired if newcomer else host.desired
        own = [address for member in self.plan.members for address in member.addresses]
        peers = own if self.bootstrap.firewall else None
        return plan_node(host.facts, desired, managed=(), firewall=peers)

    @property
    def _password(self) -> str:
        return self.bootstrap.secret(steps.USER)

    def _set_up(self) -> None:
        self.progress.note(self._doorway, f"setting up cluster {self.plan.cluster}")
        authentication = steps.plan_authentication(self.plan.members, self._password)
        settings = self.bootstrap.corosync
        setup = steps.plan_setup(self.plan.cluster, self.plan.members, settings)
        self._run(self._doorway, [authentication, setup])

    def _join(self, name: str) -> None:
        self.progress.note(name, f"joining cluster {self.plan.cluster}")
        (member,) = (member for member in self.plan.members if member.name == name)
        authentication = steps.plan_authentication([member], self._password)
        add = steps.plan_join(member, forget=name in self.plan.forget)
        self._run(self._doorway, [authentication, *add])
        self._start(name, self.hosts[name])

    def _start(self, name: str, host: Host) -> None:
        self.progress.note(name, "starting the cluster services")
        first = name in self.plan.setup
        run_steps(host, steps.plan_start(first=first), note=partial(self.progress.note, name))

    def _run(self, name: str, commands: Sequence[Step]) -> None:
        """Run commands that concern the whole cluster through one of its nodes."""
        try:
            run_steps(self.hosts[name], commands, note=partial(self.progress.note, name))
        except PacefabError as error:
            error.host = error.host or name
            error.next_step = f"fix that, then run this again: it does the rest ({error.next_step})"
            raise

    def _wait(self, names: Sequence[str]) -> None:
        """Wait until all these nodes are online.

        Raises:
            CommandError: they are not in time.
        """
        waits = partial(self.progress.waiting, self.plan.cluster)
        found = wait_until(partial(self._look, names), _START_SECONDS, waits=waits)
        if isinstance(found, Pending):
            raise CommandError(
                "wait for the cluster to form",
                f"after {_START_SECONDS} s {found.seen}",
                "see why: journalctl -u corosync -u pacemaker there; do firewalls let corosync "
                "through (UDP 5405)? Then run this again",
                host=self._doorway,
            )

    def _look(self, names: Sequence[str]) -> ClusterStatus | Pending:
        try:
            status = apply_cib.query_status(self.hosts[self._doorway])
        except RefusedError as error:  # Pacemaker does not answer yet
            return Pending(error.seen)
        still = missing(status, names)
        return Pending(still) if still else status


_Work = Callable[[str, Host], None]
