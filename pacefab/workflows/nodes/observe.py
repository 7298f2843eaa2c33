"""The present state of a node: one round trip, everything that a plan needs to know."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pacefab.errors import RefusedError
from pacefab.host import (
    files,
    firewall,
    kernel,
    packages,
    processes,
    programs,
    repositories,
    selinux,
    units,
)
from pacefab.host.model import FileState, HostFacts, Interface
from pacefab.pacemaker import cib_text, live
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.members import live_membership
from pacefab.pacemaker.members.membership import Claim
from pacefab.pacemaker.model import Membership
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.ownership import Runner, runners
from pacefab.services.service import Look
from pacefab.transport.answers import understood
from pacefab.transport.command import Section, Step, step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import Result, fan_out, values
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.transaction.head import Head


@dataclass(frozen=True)
class NodeView:
    """One node as it answered.

    Cluster parts that could not be read raise when they are asked for, not before: installing a
    package needs no running cluster.
    """

    host: str  # as the operator named it
    facts: HostFacts
    sections: Mapping[str, Section]
    alike: NodeView | None = None
    """The node whose CIB is this one's too: a large one is read once."""

    @cached_property
    def membership(self) -> Membership | None:
        """The cluster this node was set up for. Errors of `live_membership.read_membership`."""
        return live_membership.read_membership(self.sections)

    @property
    def claim(self) -> Claim:
        """Which cluster the node says that it is of. Errors of `membership`."""
        own = live_membership.read_node_id(self.sections)
        return Claim(self.membership, self.facts.addresses, self.facts.name, own)

    @property
    def node(self) -> str:
        """The node's name in the cluster; the host's own name where there is none."""
        return self.claim.node_of(self.claim.whole)

    @cached_property
    def cib(self) -> Cib:
        """The live CIB, without its state where the node was asked for `MANAGED` alone.

        Errors of `live.read_cib`.
        """
        return self.alike.cib if self.alike else live.read_cib(self.sections)

    @cached_property
    def head(self) -> Head:
        """What it says of changes: whose it is now, and which were begun."""
        return heads.parse(self.sections)

    @property
    def has_word(self) -> bool:
        """Whether the node was asked for Pacemaker's word too."""
        return "word" in self.sections

    @cached_property
    def status(self) -> ClusterStatus:
        """The cluster as Pacemaker sees it, and its word. Errors of `live.read_word`."""
        return live.read_word(self.cib, self.sections)

    @cached_property
    def runners(self) -> tuple[Runner, ...]:
        """The primitives and the units they run. Errors of `read_cib_even_offline`.

        To be read from `MANAGED`.
        """
        online = self.sections["cib"].ok
        cib = self.cib if online else live.read_cib_even_offline(self.sections)
        return runners(cib) if cib else ()

    @property
    def managed_units(self) -> frozenset[str]:
        """The units that Pacemaker has a resource for. Errors of `runners`."""
        return frozenset(unit for runner in self.runners for unit in runner.units)

    @property
    def opaque(self) -> tuple[str, ...]:
        """The resources of which nothing says what units they run. Errors of `runners`."""
        return tuple(str(runner) for runner in self.runners if runner.opaque)


def observe_node(host: Host, look: Look, also: Sequence[Step] = ()) -> NodeView:
    """Ask one node about itself, and with `also` about its cluster too; about 0.1 s.

    `also` is `MANAGED` (the CIB: which units are Pacemaker's?), `WHOLE`, more, or nothing;
    what was not asked for cannot be read from the view.

    Raises:
        PacefabError: the host could not be reached or asked.
    """
    sections = live.unfold(host.observe([*_node_steps(look), *also]))
    with understood("read what the node says of itself", f"see: ssh {host.name} true", host.name):
        return NodeView(host.name, _facts(look, sections), sections)


def complete(view: NodeView, host: Host, other: NodeView | None) -> NodeView:
    """Return a view that was asked for `HEAD` as one that was asked for `MANAGED`.

    `other` is another node of its cluster that was asked for more. Where that has another CIB, or
    none, the node is asked again.

    Raises:
        PacefabError: it could not be.
    """
    known = cib_text.complete(view.sections["cib"], other.sections["cib"] if other else None)
    found = {"cib": known} if known else host.observe(MANAGED)
    alike = other if other and known is other.sections["cib"] else None
    return replace(view, sections={**view.sections, **found}, alike=alike)


def complete_all(
    hosts: Mapping[str, Host],
    asked: Mapping[str, Result[NodeView]],
    first: str,
    remotes: Collection[str],
) -> dict[str, Result[NodeView]]:
    """Return the answers with the CIB of each host: the first one's, or its own, asked for now.

    A remote node is given a member's.
    """
    views = values(asked)
    whole = views.get(first)
    others = {name: view for name, view in views.items() if name != first and name not in remotes}
    done = fan_out(others, lambda name, view: complete(view, hosts[name], whole))
    members = [whole, *values(done).values()]
    running = next((view for view in members if view and view.sections["cib"].ok), whole)
    beside = {name: view for name, view in views.items() if name in remotes}
    done |= fan_out(beside, lambda _, view: as_remote(view, running))
    return {name: done.get(name, answer) for name, answer in asked.items()}


def as_remote(view: NodeView, member: NodeView | None) -> NodeView:
    """Return the view of a remote node, with the CIB of a member: what runs there is said in it."""
    if member is None:
        return view
    sections = {**view.sections, "cib": member.sections["cib"]}
    return replace(view, sections=sections, alike=member)


MANAGED = tuple(cib_text.observe_configuration())
HEAD = tuple(cib_text.observe_head())
"""Which CIB it is: enough where another node is asked for the whole; see `complete`."""
WHOLE = tuple(live.observe_word())
"""What `MANAGED` has, the cluster's state, and Pacemaker's word of the same moment."""


def _node_steps(look: Look) -> list[Step]:
    return [
        step("name", "uname", "-n"),
        step("memory", "grep", "MemTotal", "/proc/meminfo"),
        step("addresses", "ip", "-o", "addr", "show"),
        *packages.observe(look.packages),
        *units.observe(look.units),
        *files.observe(look.files),
        *kernel.observe(look.kernel),
        *processes.observe(look.processes, look.files),
        *programs.observe(look.programs),
        *firewall.observe(),
        *repositories.observe(),
        *selinux.observe(look.booleans, look.labelled, look.files),
        *live_membership.observe_membership(),
        heads.observe(),
    ]


def _facts(look: Look, sections: Mapping[str, Section]) -> HostFacts:
    name = sections["name"].out.strip()
    if not name or not name.isprintable():
        raise ValueError(f"it is called {name[:40]!r}")
    distribution, family = packages.parse_distribution(sections)
    started, written = processes.parse(sections)
    return HostFacts(
        name=name,
        distribution=distribution,
        memory_mib=int(sections["memory"].out.split()[1]) // 1024,
        family=family,
        manager=packages.parse_manager(sections),
        interfaces=_interfaces(sections["addresses"].out),
        listeners=units.parse_listeners(sections),
        packages=packages.parse_packages(look.packages, sections),
        units=units.parse_units(look.units, sections),
        files=_files(look, sections),
        kernel=kernel.parse(sections),
        at_boot=kernel.parse_boot(look.kernel, sections),
        started=started,
        written=written,
        absent=programs.parse(sections),
        firewall=firewall.parse(sections),
        repositories=repositories.parse(sections),
        selinux=selinux.parse(sections),
    )


def _files(look: Look, sections: Mapping[str, Section]) -> dict[str, FileState | None]:
    try:
        return files.parse(look.files, sections)
    except ValueError as error:
        raise RefusedError("read the files", str(error), "see who owns it: ls -l") from error


def _interfaces(text: str) -> tuple[Interface, ...]:
    """Return the node's addresses from `ip -o addr show`, loopback and link-local left out."""
    found = []
    for line in text.splitlines():
        fields = line.split()
        if fields[2] in {"inet", "inet6"} and "scope" in fields:
            scope = fields[fields.index("scope") + 1]
            if scope == "global":
                address, _, prefix = fields[3].partition("/")
                found.append(Interface(fields[1], address, int(prefix)))
    return tuple(found)


def no_membership(name: str) -> RefusedError:
    """Return the error for a host that is in no cluster."""
    return RefusedError(
        "find the cluster",
        "there is no /etc/corosync/corosync.conf",
        "install pcs, pacemaker and corosync and form the cluster (pcs cluster setup), or name "
        "the right hosts with -H",
        host=name,
    )
