"""What is there now: one round trip to a node, everything a plan needs to know about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from fabfile.errors import PacefabError, RefusedError
from fabfile.host import files, packages, units
from fabfile.host.model import HostFacts
from fabfile.pacemaker import live
from fabfile.pacemaker.cib import Cib
from fabfile.pacemaker.model import ClusterStatus, Member, Membership, Operation
from fabfile.services import memcached
from fabfile.services.memcached_config import DEBIAN_PATH, REDHAT_PATH
from fabfile.transport.command import Section, Step, shell, step
from fabfile.transport.connection import Host


@dataclass(frozen=True)
class NodeView:
    """One node as it answered.

    Cluster parts that could not be read raise when they are asked for, not before: installing a
    package needs no running cluster.
    """

    host: str  # as the operator named it
    facts: HostFacts
    sections: Mapping[str, Section]

    @cached_property
    def membership(self) -> Membership | None:
        """The cluster this node was set up for. Errors of `live.read_membership`."""
        return live.read_membership(self.sections)

    @property
    def node(self) -> str:
        """The node's name in the cluster; the host's own name where there is none."""
        membership = self.membership
        member = membership and membership.member_with(self.facts.addresses, self.facts.name)
        return member.name if member else self.facts.name

    @property
    def address(self) -> str:
        """The address other nodes use. Errors of `memcached.cluster_address`."""
        return memcached.cluster_address(self.facts, self.membership)

    @cached_property
    def cib(self) -> Cib:
        """The live CIB. Errors of `live.read_cib`."""
        return live.read_cib(self.sections)

    @cached_property
    def status(self) -> ClusterStatus:
        """The cluster as Pacemaker sees it. Errors of `live.read_status`."""
        return live.read_status(self.sections)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Memcached's operations by the agent's metadata. Errors of `live.read_operations`."""
        return live.read_operations(memcached.AGENT, self.sections)

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Configuration files of memcached's that are there, previous ones included."""
        return tuple(self.sections["leftovers"].out.splitlines())

    @property
    def manages_memcached(self) -> bool:
        """Whether Pacemaker has a resource for the unit. Errors of `read_cib_even_offline`."""
        cib = live.read_cib_even_offline(self.sections)
        return cib is not None and bool(cib.primitives_of(memcached.AGENT))


def observe_node(host: Host, also: Sequence[Step] = ()) -> NodeView:
    """Ask one node about itself, and with `also` about its cluster too; about 0.1 s.

    `also` is `MANAGED` (is memcached Pacemaker's?), `CLUSTER` (everything about the cluster) or
    nothing; what was not asked for cannot be read from the view.

    Raises:
        PacefabError: the host could not be reached or asked.
    """
    sections = host.query([*_node_steps(), *also])
    return NodeView(host.name, _facts(sections), sections)


def observe_again(host: Host, view: NodeView, also: Sequence[Step]) -> NodeView:
    """Return the view with parts of the cluster asked anew. Same errors."""
    return replace(view, sections={**view.sections, **host.query(also)})


MANAGED = (*live.observe_cib(), *live.observe_offline_cib())
CLUSTER = (
    *live.observe_cib(),
    *live.observe_status(),
    *live.observe_metadata(memcached.AGENT),
)


def _node_steps() -> list[Step]:
    return [
        step("name", "uname", "-n"),
        step("memory", "grep", "MemTotal", "/proc/meminfo"),
        step("addresses", "ip", "-o", "addr", "show"),
        *packages.observe(memcached.PACKAGE),
        *units.observe(memcached.UNIT),
        files.observe(DEBIAN_PATH, DEBIAN_PATH),
        files.observe(REDHAT_PATH, REDHAT_PATH),
        shell("leftovers", _PRESENT, *leftover_paths()),
        *live.observe_membership(),
    ]


def leftover_paths() -> list[str]:
    """Return the files that an install of ours may have made, in either family."""
    return [path + suffix for path in (DEBIAN_PATH, REDHAT_PATH) for suffix in _SUFFIXES]


_SUFFIXES = ("", files.PREVIOUS, ".rpmsave")  # rpm keeps a changed configuration under the last
_PRESENT = 'for path; do [ -e "$path" ] && printf "%s\\n" "$path"; done; true'


def _facts(sections: Mapping[str, Section]) -> HostFacts:
    distribution, _ = packages.parse_distribution(sections)
    package = packages.parse(memcached.PACKAGE, sections)
    path = DEBIAN_PATH if package is None or package.manager == "apt-get" else REDHAT_PATH
    try:
        config = files.parse(path, sections)
    except ValueError as error:
        raise RefusedError(f"read {path}", str(error), "see who owns it: ls -l") from error
    return HostFacts(
        name=sections["name"].out.strip(),
        distribution=distribution,
        memory_mib=int(sections["memory"].out.split()[1]) // 1024,
        addresses=_addresses(sections["addresses"].out),
        package=package,
        unit=units.parse_unit(memcached.UNIT, sections),
        config=config,
        command_line=units.parse_command_line(sections),
        listeners=units.parse_listeners(sections),
    )


def _addresses(text: str) -> tuple[str, ...]:
    """Return the node's addresses from `ip -o addr show`, loopback and link-local left out."""
    found = []
    for line in text.splitlines():
        fields = line.split()
        if fields[2] in {"inet", "inet6"} and "scope" in fields:
            scope = fields[fields.index("scope") + 1]
            if scope == "global":
                found.append(fields[3].partition("/")[0])
    return tuple(found)


def settle_membership(view: NodeView, views: Iterable[NodeView]) -> Membership | None:
    """Return the view's membership, addresses it cannot resolve filled in from other nodes.

    A node whose hosts file maps its own name to 127.0.1.1 does not know its address; others do.
    """
    membership = view.membership
    if membership is None or all(member.addresses for member in membership.members):
        return membership
    known: dict[str, Member] = {}
    for other in views:
        if other.membership and other.membership.names == membership.names:
            known |= {m.name: m for m in other.membership.members if m.addresses}
    return replace(membership, members=tuple(known.get(m.name, m) for m in membership.members))


def one_cluster(views: Mapping[str, NodeView]) -> Membership:
    """Return the cluster that all the hosts belong to.

    Raises:
        RefusedError: a host has none, or they belong to different ones.
    """
    found: dict[str, Membership] = {}
    for name, view in views.items():
        membership = view.membership
        if membership is None:
            raise _no_membership(name)
        found[name] = membership
    different = {(m.cluster, m.names) for m in found.values()}
    if len(different) > 1:
        seen = "; ".join(f"{n}: {m.cluster} ({', '.join(m.names)})" for n, m in found.items())
        raise RefusedError(
            "find the cluster",
            f"the hosts are not of one cluster: {seen}",
            "name the hosts of one cluster with -H",
        )
    return next(iter(found.values()))


def _no_membership(name: str) -> PacefabError:
    return RefusedError(
        "find the cluster",
        "there is no /etc/corosync/corosync.conf",
        "install pcs, pacemaker and corosync and form the cluster (pcs cluster setup), or name "
        "the right hosts with -H",
        host=name,
    )
