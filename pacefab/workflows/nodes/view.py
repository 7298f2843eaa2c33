"""The cluster as its nodes answered: the one view that every flow plans, applies and asks by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from pacefab.errors import PacefabError, RefusedError
from pacefab.host.model import HostFacts
from pacefab.pacemaker import live, readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.members.membership import completed, find_members
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.model import Membership
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.word import Placement
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.claims import Standing, none_answered, read_claims, standing_beside
from pacefab.workflows.nodes.doorway import Doorway
from pacefab.workflows.nodes.observe import (
    HEAD,
    MANAGED,
    WHOLE,
    NodeView,
    as_remote,
    complete_all,
    no_membership,
    observe_node,
)
from pacefab.workflows.transaction.head import Head

Reach = Callable[[str], Host | None]
"""The way to a node by its name; None: the operator leaves it out."""
LEFT_OUT = "left out: a run with it brings it up to date"


@dataclass(frozen=True)
class ClusterView:
    """The hosts that were asked, and the cluster that they are of, if they are of one.

    Args:
        hosts: every host that answered; a member by its node's name, another one as it was named.
        views: the members that answered, by node, in the cluster's order.
        strangers: the hosts that answered and are members of no cluster, or not of this one.
        remotes: the hosts that answered and are, or are to be, remote nodes.
        silent: hosts and nodes that gave no answer, or none that says which cluster they are of.
        formed: the cluster that they are of; None when none of them is of one.
        look: what was looked at on every one.
    """

    hosts: Mapping[str, Host]
    views: Mapping[str, NodeView]
    strangers: Mapping[str, NodeView]
    silent: Mapping[str, PacefabError]
    formed: Membership | None
    look: Look
    remotes: Mapping[str, NodeView] = field(default_factory=dict)

    @property
    def membership(self) -> Membership:
        """The cluster that they are of.

        Raises:
            RefusedError: none of them is of one.
        """
        if self.formed is None:
            raise no_membership(next(iter(self.hosts)))
        return self.formed

    @property
    def answered(self) -> dict[str, NodeView]:
        """Every host that answered, members or not, in the order in which they were named."""
        every = {**self.views, **self.strangers, **self.remotes}
        return {name: every[name] for name in self.hosts}

    @property
    def voters(self) -> dict[str, Host]:
        """The hosts that have a word in what is changed: all that answered but remote nodes."""
        return {name: host for name, host in self.hosts.items() if name not in self.remotes}

    @property
    def facts(self) -> dict[str, HostFacts]:
        """What each host that answered is."""
        return {name: view.facts for name, view in self.answered.items()}

    @property
    def member_facts(self) -> dict[str, HostFacts]:
        """What each member that answered is, by node."""
        return {name: view.facts for name, view in self.views.items()}

    @property
    def heads(self) -> dict[str, Head]:
        """What each host that answered says of changes; remote nodes note none."""
        return {name: self.answered[name].head for name in self.voters}

    @property
    def left_out(self) -> tuple[str, ...]:
        """The members that were not asked, because the operator named only others."""
        known, names = {*self.hosts, *self.silent}, self.formed.names if self.formed else ()
        return tuple(name for name in names if name not in known)

    @property
    def needed(self) -> int:
        """How many hosts have to agree to a change.

        As many as have quorum, of two nodes one; all of them, while there is no cluster.
        """
        nodes = len(self.formed.names) if self.formed else 0
        return nodes // 2 + (nodes > 2) if nodes else len(self.voters)  # noqa: PLR2004

    @property
    def running(self) -> bool:
        """Whether Pacemaker runs on one of the nodes at least."""
        return any(view.sections["cib"].ok for view in self.views.values())

    def stands(self, cluster: str) -> bool:
        """Whether all that answered are members of the cluster, and its services run on them."""
        return (
            self.formed is not None
            and self.formed.cluster == cluster
            and not self.strangers
            and all(view.sections["cib"].ok for view in self.views.values())
        )

    @cached_property
    def doorway(self) -> str:
        """The node through which the cluster is asked and changed: one that has quorum.

        The first host that was named, if it is one: that was asked for all. Where none has, one
        whose answer says why. Errors of `membership`.
        """
        running = [name for name, view in self.views.items() if view.sections["cib"].ok]
        running.sort(key=lambda name: not self.views[name].has_word)
        found = next(chain(filter(self._can_serve, running), running, self.views), None)
        if found is None:
            raise no_membership(next(iter(self.hosts)))
        return found

    def _can_serve(self, node: str) -> bool:
        """Whether a node has quorum, and Pacemaker's word there makes sense."""
        try:
            whole = self._whole(node)
            return whole.cib.quorum and bool(whole.status)
        except PacefabError as error:
            self.unheard[node] = error
            return False

    @cached_property
    def unheard(self) -> dict[str, PacefabError]:
        """The nodes that could not be the doorway, as what Pacemaker says there makes no sense."""
        return {}

    @cached_property
    def host(self) -> Doorway:
        """The doorway's host; when that is lost, the next one on which Pacemaker runs."""
        first = self.doorway
        running = [n for n, v in self.views.items() if v.sections["cib"].ok]
        able = {n: self.hosts[n] for n in running if n not in self.unheard}
        return Doorway(able or self.voters, first)

    @cached_property
    def _asked(self) -> dict[str, NodeView]:
        return {}

    def _whole(self, node: str) -> NodeView:
        """Return a node's view with Pacemaker's word, which the first host was asked for.

        Another one is asked now.
        """
        view = self._asked.get(node, self.views[node])
        if not view.has_word:
            word = live.unfold(self.hosts[node].query(live.observe_word()))
            view = self._asked[node] = replace(view, sections={**view.sections, **word})
        return view

    @property
    def cib(self) -> Cib:
        """The CIB as it was when the doorway was asked. Errors of `live.read_cib`."""
        return self._whole(self.doorway).cib

    @property
    def status(self) -> ClusterStatus:
        """The cluster's state and Pacemaker's word, of the CIB's moment.

        Errors of `live.read_word`.
        """
        return self._whole(self.doorway).status

    @property
    def placement(self) -> Placement:
        """Pacemaker's word for what is to run where. Errors of `status`."""
        return self.status.placement or Placement()

    def check_quorum(self, attempted: str) -> None:
        """Raise a RefusedError when no node has quorum, or Pacemaker runs on none of them."""
        if not self.cib.quorum:
            readiness.check_ready(self.status, attempted)  # says why
            raise RefusedError(attempted, "no node has quorum", "see: pcs status")

    def standing(self, stranger: str) -> Standing:
        """Return what a host is that is no member."""
        view = self.strangers[stranger]
        add, own = f"fab add-node --node {stranger}", view.membership
        if self.formed and self.formed.member_with(view.facts.addresses, view.facts.name):
            what = f"a node of {self.formed.cluster} without /etc/corosync/corosync.conf"
            return Standing(what, "if it was reinstalled: fab bootstrap", listed=True)
        if own is None:
            names = (*view.facts.addresses, view.facts.name, stranger)
            found = standing_beside(self, names) if self.running else None
            return found or Standing("in no cluster", add)
        where = f"set up for cluster {own.cluster} ({', '.join(own.names)})"
        return Standing(f"{where}, whose nodes do not list it", f"pcs cluster destroy there, {add}")

    @property
    def outside(self) -> dict[str, PacefabError]:
        """An error for each host that is no member; for flows that are for members alone."""
        return {name: self._outside(name, self.standing(name)) for name in self.strangers}

    def _outside(self, name: str, standing: Standing) -> PacefabError:
        attempted = f"find it among the nodes of {self.membership.cluster}"
        advice = f"{standing.way}; or name the other hosts alone with -H"
        return RefusedError(attempted, f"it is {standing.what}", advice, host=name)

    def again(self, node: str) -> ClusterView:
        """Return the view with one host asked again."""
        view = observe_node(self.hosts[node], self.look, MANAGED)
        if node in self.strangers:
            return replace(self, strangers={**self.strangers, node: view})
        if node in self.remotes:
            view = as_remote(view, self.views.get(self.doorway) if self.formed else None)
            return replace(self, remotes={**self.remotes, node: view})
        return replace(self, views={**self.views, node: view})

    def metadata(self, agents: Sequence[str]) -> dict[str, Metadata]:
        """Return the metadata of the agents that the doorway has.

        One round trip, unless they were asked with the nodes.
        """
        known = self.views[self.doorway].sections
        steps = [step for step in live.observe_metadata(agents) if step.name not in known]
        sections = {**known, **(self.host.query(steps) if steps else {})}
        found = {agent: live.find_metadata(agent, sections) for agent in agents}
        return {agent: metadata for agent, metadata in found.items() if metadata is not None}


def observe_cluster(
    hosts: Mapping[str, Host],
    look: Look,
    limit: int,
    reach: Reach | None = None,
) -> ClusterView:
    """Ask all hosts at once, one round trip each: what they are, and how their cluster is.

    Args:
        hosts: by the names that the operator or the inventory gives them.
        look: what to look at on every one.
        limit: how many are asked at a time.
        reach: given, the nodes of their cluster that were not named are asked too.

    Raises:
        PacefabError: no host answered, or they are of different clusters.
    """
    first = next((name for name in hosts if name not in look.remotes), next(iter(hosts)))
    whole = (*WHOLE, *live.observe_metadata(look.agents))
    asked = fan_out(
        hosts,
        lambda name, host: observe_node(host, look, whole if name == first else HEAD),
        limit=limit,
    )
    if not values(asked).keys() - set(look.remotes):
        silent = errors(asked)
        raise none_answered({n: silent[n] for n in silent if n not in look.remotes} or silent)
    asked = complete_all(hosts, asked, first, look.remotes)
    seen = _arrange(hosts, values(asked), errors(asked), look)
    if reach is None or seen.formed is None:
        return seen
    known = {*seen.views, *seen.strangers, *seen.silent}
    ways = {name: reach(name) for name in seen.formed.names if name not in known}
    rest = {name: host for name, host in ways.items() if host is not None}
    if not rest:
        return seen
    others = fan_out(rest, lambda _, host: observe_node(host, look, MANAGED), limit=limit)
    return _arrange(
        {**seen.hosts, **rest},
        {**seen.answered, **values(others)},
        {**seen.silent, **errors(others)},
        look,
    )


def observe_members(hosts: Mapping[str, Host], look: Look, limit: int, reach: Reach) -> ClusterView:
    """Ask the named hosts and the rest of their cluster.

    Raises:
        RefusedError: they are of none. Errors of `observe_cluster`.
    """
    seen = observe_cluster(hosts, look, limit, reach)
    if seen.formed is None:
        raise no_membership(next(iter(seen.hosts)))
    return seen


def _arrange(
    hosts: Mapping[str, Host],
    answers: Mapping[str, NodeView],
    silent: Mapping[str, PacefabError],
    look: Look,
) -> ClusterView:
    """Return the answers with each member under its node's name.

    A host whose own files cannot be understood has given none: the others know the cluster.
    """
    claims, unclear = read_claims(answers)
    if not claims:
        raise none_answered(unclear)
    remotes = {name: answers[name] for name in claims if name in look.remotes}
    try:
        members = find_members({n: claim for n, claim in claims.items() if n not in remotes})
    except ValueError as error:
        raise RefusedError(
            "find the cluster",
            f"the hosts are not of one cluster: {error}",
            "name the hosts of one cluster with -H; where one node's file is wrong, on a node "
            "where it is right: pcs cluster sync corosync",
        ) from None
    own = {name: claims[name] for name in members}
    formed = completed(own[members[0]].whole, own.values()) if members else None
    names = {name: own[name].node_of(formed) if formed and name in own else name for name in claims}
    found = {names[name]: answers[name] for name in claims}
    nodes = {names[name] for name in members}
    views = {node: found[node] for node in (formed.names if formed else ()) if node in nodes}
    return ClusterView(
        {names[name]: hosts[name] for name in claims},
        views,
        {name: view for name, view in found.items() if name not in {*views, *remotes}},
        {**silent, **unclear},
        formed,
        look,
        remotes,
    )
