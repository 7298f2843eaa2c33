"""What a service is: a description, from which installing, creating, verifying all follow.

A new service is a module or package beside this one with a `SERVICE` of this class, named in
`offers.py`; another package offers one by an entry point. Everything here is pure: facts and
settings in, desired state out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import HostFacts, Program, SelinuxPort
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Configuration, Membership
from pacefab.pacemaker.ownership import runners
from pacefab.services.activity import ActivityQuestion
from pacefab.services.checks import Check, Inspection
from pacefab.services.figures import Figure
from pacefab.services.load import ClientLoad
from pacefab.services.probes.probe import Probe

S = TypeVar("S")  # a service's section of the inventory, a pydantic model


@dataclass(frozen=True)
class File:
    """A file that a service needs on a node.

    `render` gets the present text (None: there is no such file) and returns the desired one; one
    that owns the whole file ignores what is there. What `check` says against the new text (an
    argv, `{}` stands for its path) keeps the old one in place. `apply` runs after the new text is
    in place (`systemctl daemon-reload`), and again after it was taken back. `reload` names the unit
    that is reloaded, where it runs; to restart one is Pacemaker's.
    """

    path: str
    render: Callable[[str | None], str]
    mode: str = "644"
    owner: str = "root:root"
    check: tuple[str, ...] = ()
    apply: tuple[str, ...] = ()
    reload: str = ""
    secret: bool = False  # its text is never shown, only that it differs
    hidden: str = ""  # a regular expression: what matches is never shown, the rest is


def whole(path: str, text: str, **options: Any) -> File:
    """Return a file that the service owns as a whole."""
    return File(path, lambda _: text, **options)


@dataclass(frozen=True)
class Look:
    """What to look at on every node, of whatever family, in the one round trip."""

    packages: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    kernel: tuple[str, ...] = ()  # settings by sysctl's names
    programs: tuple[Program, ...] = ()
    processes: tuple[str, ...] = ()  # by their names, as ps has them; when they started
    agents: tuple[str, ...] = ()  # whose metadata a plan will need; of the first node alone
    remotes: tuple[str, ...] = ()  # the hosts, if they are asked, that are no members to be
    booleans: tuple[str, ...] = ()  # of SELinux's policy
    labelled: tuple[SelinuxPort, ...] = ()  # ports that are to have a type which no policy gives


@dataclass(frozen=True)
class Port:
    """A port that the firewall has to let other nodes reach; `clients`: of the service, too."""

    number: int
    protocol: str = "tcp"
    clients: bool = False


@dataclass(frozen=True)
class Process:
    """The process that a service's unit runs now.

    One with the desired settings that Pacemaker does not manage is left to it, to be adopted; a
    unit of `DesiredNode.units` without a `Process` is stopped when it runs so. `difference` says
    short how its settings are others than desired ("64 MiB, not 128 MiB").
    """

    unit: str
    settings: str  # as a person reads them: "listen 10.0.0.1, port 11211"
    as_desired: bool
    difference: str = ""


@dataclass(frozen=True)
class AtStart:
    """Files that a service's program reads when it starts, and not again.

    `programs` are names that its process may have (ps's comm), whatever starts it. `reloaded`: each
    change of ours is followed by a reload, which counts as a start.
    """

    service: str
    programs: tuple[str, ...]
    files: tuple[str, ...]
    reloaded: bool = False


@dataclass(frozen=True)
class DesiredNode:
    """What a service needs on one node.

    `units` are those that its packages bring and Pacemaker alone may start: they are kept from
    starting at boot. `helpers` are units that systemd starts, not Pacemaker (a socket for health
    checks): they are enabled and running. `at_boot` are units that are enabled and start along with
    another one. `processes` are those of units that run now. `kernel` are
    settings by sysctl's names, as they are to be now (a file of sysctl.d keeps them over a reboot);
    one that the kernel does not have, as IPv6's without IPv6, makes no difference. `programs` are
    what its agents call. `at_start` says which changes of files are in force after a restart only.
    `remarks` are sentences about the node that change nothing and belong to its plan. `of_cluster`:
    its packages are those of a cluster, in a repository that EL does not enable by itself. Where
    SELinux enforces a policy, `booleans` of it are on and `labelled` ports have their types.
    """

    packages: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    units: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    at_boot: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    processes: tuple[Process, ...] = ()
    remarks: tuple[str, ...] = ()
    kernel: Mapping[str, str] = field(default_factory=dict)
    programs: tuple[Program, ...] = ()
    at_start: tuple[AtStart, ...] = ()
    of_cluster: bool = False
    booleans: tuple[str, ...] = ()
    labelled: tuple[SelinuxPort, ...] = ()


def no_secret(name: str) -> str:
    """Raise a UsageError: where nothing can give secrets, there is none."""
    raise UsageError(f"find the secret {name}", "none was given", "name an inventory")


@dataclass(frozen=True)
class Site:
    """Everything that a description may know: the cluster, its nodes and the other services.

    `secret` returns a secret by its name (lower case: galera, haproxy_stats) and raises a
    `UsageError` that says how to give it when it was not. `placed` says on which nodes Pacemaker
    is to run each primitive; one that it does not name is expected on every node. `recognised`: no
    inventory gave the sections, the cluster itself shows them, and what else it has is not known.
    `promoted` names the promotable clones that VIPs may follow. `places` are the nodes of the
    services that are not on every member; a description gets its site from `of`, where they are the
    members. `askers` are the nodes that may ask besides them.
    """

    membership: Membership  # cluster name; nodes with the addresses they use for each other
    facts: Mapping[str, HostFacts]  # by node
    sections: Mapping[str, Any]  # settings of every service in the inventory, by service
    secret: Callable[[str], str] = no_secret
    placed: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by primitive
    recognised: bool = False
    promoted: Mapping[str, str] = field(default_factory=dict)  # by service of the inventory
    places: Mapping[str, Membership] = field(default_factory=dict)  # by service
    askers: tuple[str, ...] = ()

    def of(self, service: str) -> Site:
        """Return what a service's own description may know: its nodes and their facts alone."""
        place = self.places.get(service)
        if place is None:
            return self
        own = {name: facts for name, facts in self.facts.items() if name in place.names}
        return replace(self, membership=place, facts=own, askers=self.askers or tuple(self.facts))

    def has(self, service: str, node: str) -> bool:
        """Whether a service is to be on a node; one that has no place is on every member."""
        if service in self.places:
            return node in self.places[service].names
        return not any(node in place.names for place in self.places.values()) or (
            node in self.membership.names
        )

    def instances(self, resource: str) -> tuple[str, ...]:
        """Return the nodes on which Pacemaker is to run a primitive, in the cluster's order."""
        expected = self.placed.get(resource, frozenset(self.membership.names))
        return tuple(name for name in self.membership.names if name in expected)

    def neighbour(self, node: str) -> str:
        """Return who asks a node's instance: the next node that was reached, itself if none was."""
        names = self.membership.names
        place = names.index(node)
        others = [name for name in (*names[place + 1 :], *names[:place]) if name in self.facts]
        return next(iter([*others, *(name for name in self.askers if name != node)]), node)

    def own_address(self, node: str) -> str:
        """Return the address that the other nodes use for this one.

        Raises:
            RefusedError: it is not known.
        """
        for member in self.membership.members:
            if member.name == node and member.addresses:
                return member.addresses[0]
        raise RefusedError(
            f"find the address of {node}",
            f"cluster {self.membership.cluster} has none for it",
            "give nodes their address in the inventory",
            host=node,
        )


def nothing_desired(_section: Any, _site: Site, _node: str) -> DesiredNode:
    """Return what a service without packages and files needs on a node."""
    return DesiredNode()


def no_configuration(_section: Any, _site: Site) -> Configuration:
    """Return what a service without resources needs of the cluster."""
    return Configuration()


def nothing_said(_section: Any, _site: Site, _node: str) -> str:
    """Return the outlook of an instance of which nothing is to be said."""
    return ""


def not_found(_cib: Cib) -> None:
    """Return the settings of a service that no cluster shows."""


def no_probes(_section: Any, _site: Site) -> Sequence[Probe]:
    """Return the questions of a service that cannot be asked."""
    return ()


def no_load(_section: Any, _site: Site) -> None:
    """Return the load of a service that no drill breaks."""


Misfit = tuple[tuple[str | int, ...], str]
"""A place below a service's section, and what is wrong there with names of other places."""


@dataclass(frozen=True)
class Service(Generic[S]):
    """A service as the inventory offers it.

    Args:
        name: its key in the inventory's `services`; tasks are named after it.
        section: pydantic model (a `Part`) of its settings.
        look: what to look at on nodes.
        node: settings, site, node's name -> what it needs there.
        configuration: settings, site -> CIB objects. Operations that are not given become those
            of the agent's metadata, as pcs does it.
        probes: settings, site -> questions that a serving cluster answers.
        checks: settings, site, CIB -> what verify-NAME checks besides what holds for every
            service: what its own facts and the CIB show, and questions that it alone puts.
        secrets: names of secrets that these settings need.
        ids: ids that the inventory's own constraints may name; primitives of clones are none.
        promoted: the promotable clone whose promoted instance VIPs may follow, if there is one.
        agents: those of its primitives (ocf:heartbeat:galera): so a CIB shows that it is there.
        units: systemd units; a primitive that runs one is the service's, whatever its agent.
        found: CIB -> settings, as far as the cluster shows them where there is no inventory; None:
            it cannot be known, or is not there.
        figures: what its readings have, in the order of columns: text, JSON and metrics follow.
        misfits: settings, all sections, nodes' names -> what is named here and is nowhere.
        needs: the services of the inventory without which these settings do not serve.
        data: folders that are never removed, nor files in them.
        shared: packages that others than this service use too: they stay when it is purged.
        outlook: settings, site, node's name -> what becomes of what an instance holds when it is
            restarted ("keeps its items"); empty: nothing is to be said.
        obstacle: settings, site, node's name, whether resources are still to be added -> why an
            instance started there would not serve before `install-NAME` has run; empty: it would.
        load: settings, site -> what its clients do while a drill breaks it; None: no drill does.
        activity: settings, site, node's name -> how its instance there is asked whether it is the
            active one; None: every instance may be active.
        before_stop: settings, site, node's name -> questions that have good answers when the others
            can do without its instance; until then it is not stopped to be updated.
        rest_seconds: how long an instance rests between its stop and its start.
    """

    name: str
    section: type[S]
    look: Callable[[S], Look] = field(default=lambda _: Look())
    node: Callable[[S, Site, str], DesiredNode] = nothing_desired
    configuration: Callable[[S, Site], Configuration] = no_configuration
    probes: Callable[[S, Site], Sequence[Probe]] = no_probes
    checks: Callable[[S, Site, Cib], Iterable[Check | Inspection]] = field(default=lambda *_: ())
    secrets: Callable[[S], Sequence[str]] = field(default=lambda _: ())
    ids: Callable[[S], Sequence[str]] = field(default=lambda _: ())
    promoted: str = ""
    agents: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    found: Callable[[Cib], S | None] = not_found
    figures: tuple[Figure, ...] = ()
    misfits: Callable[[S, Mapping[str, Any], Sequence[str]], Iterable[Misfit]] = field(
        default=lambda *_: ()
    )
    needs: Callable[[S], Sequence[str]] = field(default=lambda _: ())
    data: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    outlook: Callable[[S, Site, str], str] = nothing_said
    obstacle: Callable[[S, Site, str, bool], str] = field(default=lambda *_: "")
    load: Callable[[S, Site], ClientLoad | None] = no_load
    activity: Callable[[S, Site, str], ActivityQuestion | None] = field(default=lambda *_: None)
    before_stop: Callable[[S, Site, str], Sequence[Probe]] = field(default=lambda *_: ())
    rest_seconds: float = 0.0

    @property
    def default(self) -> S | None:
        """Its settings where none are given; None where it cannot be without."""
        try:
            return self.section()
        except ValueError:
            return None

    def primitives(self, cib: Cib) -> tuple[str, ...]:
        """Return the ids of its primitives in a CIB, under whatever names they are there.

        One that names neither agents nor units has the primitive of its promotable clone.
        """
        units = frozenset(self.units)
        return tuple(
            runner.id
            for runner in runners(cib)
            if runner.agent in self.agents or runner.units & units or runner.top == self.promoted
        )
