"""What the agent ocf:heartbeat:galera waits for before it starts the first database. Pure.

The rules are the agent's own (resource-agents 4.12 and 4.16, heartbeat/galera: detect_last_commit,
detect_safe_to_bootstrap, detect_first_master). A start reads the number of the node's last
transaction, or recovers it, and leaves it in a transient attribute; the database itself is started
by the promotion. Only when each node that `wsrep_cluster_address` names has reported is the one
with the highest number marked and promoted, and the others join it. One that Galera calls safe to
bootstrap, as it was the last to stop, is promoted without waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from lxml import etree

from pacefab.pacemaker.cib import Cib, pairs
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.placement.settings import ancestors
from pacefab.pacemaker.word import Cause

AGENT = "ocf:heartbeat:galera"
_NO_TRANSACTION = 2**64 - 1  # how an older Galera writes -1
_TRUE = {"1", "true", "yes", "on", "y"}


@dataclass(frozen=True)
class GaleraReport:
    """What the agent on a node has reported of its data; nothing before it was started there.

    Args:
        committed: number of the last transaction, 0 where there was none; None: not reported.
        safe: whether Galera calls it safe to bootstrap.
        without_state: whether it was recovered without a grastate.dat.
        first: whether it is chosen to be started first.
    """

    committed: int | None = None
    safe: bool = False
    without_state: bool = False
    first: bool = False


@dataclass(frozen=True)
class GaleraResource:
    """A primitive of the agent, with the reports of the nodes that its parameters name, in order.

    A member that `cluster_host_map` should name and does not is there by its address.
    """

    id: str
    clone: str  # the outermost resource that it is in
    parameters: Mapping[str, str]
    reports: Mapping[str, GaleraReport]

    @property
    def silent(self) -> tuple[str, ...]:
        """The nodes that have not reported."""
        return tuple(name for name, report in self.reports.items() if report.committed is None)

    @property
    def reported(self) -> bool:
        """Whether one node at least has reported; whatever is being done to it right now."""
        return any(report.committed is not None for report in self.reports.values())

    def promoted(self, status: ClusterStatus) -> tuple[str, ...]:
        """Return the nodes whose database runs as a part of the cluster, or is being started."""
        instances = status.instances(self.id)
        busy = (i for i in instances if i.role == "Promoted" or i.doing == "Promoting")
        return tuple(node for instance in busy for node in instance.nodes)

    def awaited(self, status: ClusterStatus) -> tuple[str, ...]:
        """Return the nodes without whose report the agent starts no database; empty: no wait.

        `two_node_mode` has the agent of two nodes rely on quorum instead.
        """
        every = self.reports.values()
        by_quorum = self.parameters.get("two_node_mode", "").lower() in _TRUE
        if self.promoted(status) or by_quorum or not self.reported:
            return ()
        return () if any(report.safe or report.first for report in every) else self.silent


def find(cib: Cib) -> list[GaleraResource]:
    """Return the primitives of the agent in a live CIB, those made from a template too."""
    return [_read(cib, element) for element in cib.primitives_of(AGENT)]


def _read(cib: Cib, element: etree._Element) -> GaleraResource:
    name, parameters = str(element.get("id")), cib.parameters(element)
    reports = {node: _report(cib, name, node) for node in _members(parameters)}
    *_, top = ancestors(cib, name)
    return GaleraResource(name, str(top.get("id")), parameters, reports)


def _members(parameters: Mapping[str, str]) -> list[str]:
    """Return Pacemaker's names of the members, as the agent finds them (galera_to_pcmk_name)."""
    address = parameters.get("wsrep_cluster_address", "").replace("gcomm://", "").replace(" ", "")
    entries = parameters.get("cluster_host_map", "").replace(" ", "").split(";")
    nodes = {member: node for node, _, member in (entry.partition(":") for entry in entries)}
    return [nodes.get(member, member) for member in address.split(",") if member]


def _report(cib: Cib, resource: str, node: str) -> GaleraReport:
    states = cib.root.iterfind("status/node_state")
    state = next((s for s in states if s.get("uname") == node), None)
    sets = state.iterfind("transient_attributes/instance_attributes") if state is not None else ()
    said = {name: value for each in sets for name, value in pairs(each).items()}
    committed = said.get(f"{resource}-last-committed", "").strip()
    return GaleraReport(
        _number(committed) if committed else None,
        said.get(f"{resource}-safe-to-bootstrap") == "1",
        said.get(f"{resource}-no-grastate") == "true",
        said.get(f"{resource}-bootstrap") == "true",
    )


def _number(committed: str) -> int:
    number = int(committed) if committed.removeprefix("-").isdigit() else 0
    return 0 if number in {-1, _NO_TRANSACTION} else number


def waits(
    cib: Cib, status: ClusterStatus, against: Callable[[str, str], Cause | None]
) -> dict[str, Cause]:
    """Return why no database is started, by primitive: the agent waits for nodes that do not come.

    A node on which Pacemaker is about to start the agent will report.

    Args:
        cib: the live CIB.
        status: of the same moment.
        against: a primitive and a node -> why it is not to run there; None: it is, or will be.
    """
    found = {}
    for resource in find(cib):
        awaited = resource.awaited(status)
        if lost := coming_not(status, awaited, partial(against, resource.id)):
            found[resource.id] = _wait(resource, status, lost)
    return found


def coming_not(
    status: ClusterStatus, nodes: Iterable[str], against: Callable[[str], Cause | None]
) -> dict[str, Cause]:
    """Return which of the nodes will not report by themselves, and why."""
    known = {node.name for node in status.nodes}
    why = {node: against(node) if node in known else _unknown(node) for node in nodes}
    return {node: cause for node, cause in why.items() if cause}


def _unknown(node: str) -> Cause:
    return Cause(
        f"{node} is no node of this cluster",
        "take it out of wsrep_cluster_address (fab deploy)",
        deliberate=False,
    )


def ways_out(
    status: ClusterStatus, lost: Mapping[str, Cause], without: Collection[str] = ()
) -> str:
    """Return the ways out of a wait for nodes: to end what keeps each away, or to do without it.

    `without` are nodes that are left out besides. A node that is there is not to be left out.
    """
    ways = list(dict.fromkeys(cause.way_out for cause in lost.values()))
    online = {node.name for node in status.nodes if node.online}
    if not online & set(lost):
        names = ",".join(dict.fromkeys([*without, *lost]))
        ways.append(f"where that is lost: fab start-galera --without {names} --data-loss-accepted")
    return "; ".join(ways)


def _wait(resource: GaleraResource, status: ClusterStatus, lost: Mapping[str, Cause]) -> Cause:
    """Return the wait for these nodes, each with the cause that keeps the agent from it."""
    reasons = "; ".join(dict.fromkeys(cause.said for cause in lost.values()))
    return Cause(
        f"{resource.id} is started nowhere before {', '.join(lost)} has reported its last "
        f"transaction: {reasons}",
        ways_out(status, lost),
        deliberate=False,
        resource=resource.id,
    )
