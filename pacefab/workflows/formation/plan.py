"""Hosts as they were found -> what makes one cluster of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pacefab.errors import RefusedError
from pacefab.host.model import HostFacts, Program
from pacefab.pacemaker.corosync.plan import USUAL_PORTS
from pacefab.pacemaker.model import Member, Membership
from pacefab.pacemaker.placement.remote import Beside
from pacefab.services.service import DesiredNode, Port
from pacefab.workflows.nodes.called import Misnamed
from pacefab.workflows.nodes.node_plan import missing_packages, missing_repository

COROSYNC, PACEMAKER, PCSD = "corosync.service", "pacemaker.service", "pcsd.service"
ENGINES = (COROSYNC, PACEMAKER)
# pcsd, corosync.
PORTS = (Port(2224), *(Port(number, "udp") for number in USUAL_PORTS))
_PACKAGES = {
    # Debian's pcs only recommends the last one, without which it finds no crm_mon.
    "debian": ("pacemaker", "corosync", "pcs", "resource-agents", "pacemaker-cli-utils"),
    "rhel": ("pacemaker", "corosync", "pcs", "resource-agents"),
}
PACKAGES = _PACKAGES["debian"]  # every name there is in either family


@dataclass(frozen=True)
class Candidate:
    """A host that is to be a member, as it was found."""

    name: str  # as the inventory calls it
    facts: HostFacts
    membership: Membership | None  # None: it was set up for no cluster
    resources: tuple[str, ...] = ()  # ids in the CIB that lies there, running or not
    programs: tuple[Program, ...] = ()  # fence agents, and what they call
    forming: bool = False  # its CIB still has the settings of a first start
    starting: bool = False  # Pacemaker runs there, and gives no answers yet
    packages: tuple[str, ...] = ()  # beside those that every cluster needs
    ports: tuple[Port, ...] = ()  # likewise
    reached: tuple[Beside, ...] = ()  # the remote and guest nodes of the CIB that lies there

    @property
    def stands(self) -> bool:
        """Whether its part of the cluster runs and answers, and will run after a reboot."""
        units = [self.facts.unit(name) for name in ENGINES]
        return not self.starting and all(unit.running and unit.starts_at_boot for unit in units)

    @property
    def running(self) -> bool:
        """Whether Pacemaker runs there now."""
        return self.facts.unit(PACEMAKER).running

    @property
    def desired(self) -> DesiredNode:
        """What it needs before it can be a member; on one that is none, no cluster may run."""
        self.facts.supported_manager()
        engines = () if self.membership else ENGINES
        return DesiredNode(
            (*_PACKAGES[self.facts.family or ""], *self.packages),
            units=engines,
            helpers=(PCSD,),
            ports=(*PORTS, *self.ports),
            programs=self.programs,
            of_cluster=True,
        )


@dataclass(frozen=True)
class Formation:
    """What makes the cluster, in this order; nothing when it stands.

    Attributes:
        members: those that are desired, with the addresses that they use for each other.
        prepare: packages that are missing, by host; the hosts that need anything at all.
        setup: of these a new cluster is made.
        start: members whose cluster services are to be started and enabled.
        forget: members by the cluster's file that know nothing of it (reinstalled hosts).
        join: these are added to the cluster, then started.
        finish: the settings of a first start are still in the CIB.
        repositories: those that are enabled first, by host.
    """

    cluster: str
    members: tuple[Member, ...]
    prepare: Mapping[str, tuple[str, ...]]
    setup: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()
    join: tuple[str, ...] = ()
    finish: bool = False
    repositories: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is something to do."""
        return bool(self.prepare or self.setup or self.start or self.join or self.finish)

    @property
    def changed(self) -> tuple[str, ...]:
        """The hosts on which something is to be done."""
        touched = {*self.prepare, *self.start, *self.join}
        return tuple(member.name for member in self.members if member.name in touched)

    def sentences(self) -> tuple[str, ...]:
        """Return the plan as an operator reads it."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        for name, repository in self.repositories.items():
            yield f"{name}: repository {repository} enabled"
        for name, packages in self.prepare.items():
            yield f"{name}: {', '.join((*packages, 'pcsd'))} ready"
        if self.setup:
            yield f"cluster {self.cluster} set up of {', '.join(self.setup)}"
        for name in self.start:
            yield f"{name}: cluster services enabled and started"
        for name in self.join:
            again = " again (it was reinstalled)" if name in self.forget else ""
            yield f"{name}: added to cluster {self.cluster}{again}, enabled and started"
        if self.finish:
            yield f"settings of the first start taken out of the CIB of {self.cluster}"


def plan_formation(desired: Membership, found: Mapping[str, Candidate]) -> Formation:
    """Return what makes the hosts members of the desired cluster; names are those of `desired`.

    Members that are not desired, or not among the hosts, are left alone.

    Raises:
        RefusedError: a host is of another cluster, or cannot be a member.
    """
    attempt = f"form cluster {desired.cluster}"
    hosts = list(found.values())
    _check_roles(attempt, hosts)
    _check_clusters(attempt, desired, hosts)
    members = tuple(_addressed(attempt, member, found[member.name]) for member in desired.members)
    set_up = [host for host in hosts if host.membership]
    bare = tuple(host.name for host in hosts if not host.membership)
    repositories = {h.name: id_ for h in hosts if (id_ := missing_repository(h.facts, h.desired))}
    forming = any(host.forming for host in hosts)
    plan = Formation(desired.cluster, members, {}, finish=forming, repositories=repositories)
    if not set_up or (bare and _cut_off(hosts)):
        return _set_up_all(plan, hosts)
    _check_agreement(attempt, set_up)
    return _complete(replace(plan, join=bare), hosts)


def _set_up_all(plan: Formation, hosts: Sequence[Candidate]) -> Formation:
    """Return the plan of a new cluster of all hosts."""
    names = tuple(host.name for host in hosts)
    bare = [replace(host, membership=None) for host in hosts]
    return replace(plan, prepare=_needs(bare), setup=names, start=names)


def _complete(plan: Formation, hosts: Sequence[Candidate]) -> Formation:
    """Return the plan that starts the cluster's members and lets the others join."""
    listed = next(host.membership.names for host in hosts if host.membership)
    return replace(
        plan,
        prepare=_needs(hosts),
        start=tuple(host.name for host in hosts if host.membership and not host.stands),
        forget=tuple(name for name in plan.join if name in listed),
    )


def _needs(hosts: Sequence[Candidate]) -> dict[str, tuple[str, ...]]:
    """Return the missing packages of each host that is not ready; a newcomer never is."""
    needs = {}
    for host in hosts:
        desired, pcsd = host.desired, host.facts.unit(PCSD)
        missing = missing_packages(host.facts, desired)
        if missing or host.membership is None or not (pcsd.running and pcsd.starts_at_boot):
            needs[host.name] = missing
    return needs


def _cut_off(hosts: Sequence[Candidate]) -> bool:
    """Whether a setup ended before all hosts knew of it: nothing ever ran there."""
    return not any(host.running or host.resources for host in hosts)


def _check_clusters(attempt: str, desired: Membership, hosts: Sequence[Candidate]) -> None:
    _check_names(attempt, desired, hosts)
    problems = [problem for host in hosts if (problem := _other_cluster(desired, host))]
    if problems:
        raise RefusedError(attempt, "\n".join(problems), _way_out(desired, hosts))


def _way_out(desired: Membership, hosts: Sequence[Candidate]) -> str:
    """Return what to do with hosts of another cluster; one of just these may be the desired one."""
    leave = (
        "take these hosts out of the inventory, or, if nothing there is needed any more, out of "
        "what they belong to (on the host: pcs cluster destroy)"
    )
    formed = [host.membership for host in hosts if host.membership]
    if not formed or not all(_is_it(known, hosts) for known in formed):
        return f"nothing was changed: {leave}"
    old = formed[0].cluster
    return (
        f"nothing was changed; if {old} is the cluster that you mean, write cluster: {old}, or "
        f"rename it where pcs can (0.12.1 and newer), while it is stopped: pcs cluster stop --all; "
        f"pcs cluster rename {desired.cluster}; pcs cluster start --all; if it is not, {leave}"
    )


def _check_names(attempt: str, desired: Membership, hosts: Sequence[Candidate]) -> None:
    """Refuse nodes of the cluster that are given by other names than it has for them."""
    for host in hosts:
        old = _former_name(desired, host)
        if old:
            raise Misnamed(old, desired.cluster, host.name).refused(attempt)


def _is_it(known: Membership, hosts: Sequence[Candidate]) -> bool:
    """Whether a cluster has just these hosts for its nodes."""
    return {host.name for host in hosts} == set(known.names) and len(
        {host.membership.cluster for host in hosts if host.membership}
    ) == 1


def _former_name(desired: Membership, host: Candidate) -> str:
    """Return how a host is called in the cluster that it is a member of, if not as desired."""
    mine = host.membership
    if mine is None or mine.cluster != desired.cluster or host.name in mine.names:
        return ""
    addresses = set(host.facts.addresses)
    return next((m.name for m in mine.members if addresses & set(m.addresses)), "")


def _check_roles(attempt: str, hosts: Sequence[Candidate]) -> None:
    """Refuse a host that the cluster reaches as a remote or guest node: it cannot be a member.

    Such a host shows the cluster's CIB, too: Pacemaker Remote passes questions on.
    """
    known = {node.name: node for host in hosts for node in host.reached}
    for host in (each for each in hosts if not each.membership):
        own = {host.name, host.facts.name, *host.facts.addresses}
        for node in known.values():
            if own & {node.name, node.address}:
                raise RefusedError(
                    attempt,
                    f"it is the {node.role} node {node.name} of the cluster",
                    "nothing was changed: name it so in the inventory, under nodes: "
                    f"{{name: {node.name}, role: {node.role}}}",
                    host=host.name,
                )


def _other_cluster(desired: Membership, host: Candidate) -> str:
    """Return what the host is part of instead; empty when it is free, or a member already."""
    mine = host.membership
    if mine is None:
        ids = ", ".join(host.resources)
        return f"{host.name} has a cluster configuration of its own: {ids}" if ids else ""
    where = f"{host.name} {'runs in' if host.running else 'is set up for'} cluster {mine.cluster}"
    if mine.cluster != desired.cluster:
        return f"{where} ({', '.join(mine.names)})"
    if host.name not in mine.names:
        return f"{where}, another one of that name, of {', '.join(mine.names)}"
    return ""


def _check_agreement(attempt: str, set_up: Sequence[Candidate]) -> None:
    """Refuse nodes of which one was removed, or missed a change, while it was unreachable."""
    lists = {host.name: host.membership.names for host in set_up if host.membership}
    if len({frozenset(names) for names in lists.values()}) == 1:
        return
    out = [name for name in lists if _is_outcast(name, lists)]
    said = (f"{name} knows {', '.join(names)}" for name, names in lists.items())
    raise RefusedError(
        attempt,
        "the nodes do not agree on who the members are:\n" + "\n".join(said),
        f"{', '.join(out)} was taken out: run `pcs cluster destroy` there, then this again"
        if out
        else "on a node that is right: pcs cluster sync corosync; then run this again",
    )


def _is_outcast(name: str, lists: Mapping[str, Sequence[str]]) -> bool:
    """Whether none of the others lists this node."""
    return all(name not in names for other, names in lists.items() if other != name)


def _addressed(attempt: str, member: Member, host: Candidate) -> Member:
    """Return the member with the address that others use: the inventory's, or its only one."""
    own = host.facts.addresses
    if member.addresses and member.addresses[0] not in own:
        seen = f"it has no address {member.addresses[0]}, but {', '.join(own) or 'none'}"
        advice = "nothing was changed: correct the address in the inventory"
        raise RefusedError(attempt, seen, advice, host=host.name)
    if member.addresses or host.membership:
        return member
    if len(own) != 1:
        seen = f"it has {len(own)} addresses ({', '.join(own)}), and the inventory names none"
        advice = "nothing was changed: say in the inventory by which one the others reach it"
        raise RefusedError(attempt, seen, advice, host=host.name)
    return replace(member, addresses=own)
