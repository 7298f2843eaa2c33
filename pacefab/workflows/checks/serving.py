"""Started is not serving: ask each node's memcached over the network, as its clients do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pacefab.pacemaker.cib import Cib, agent_of
from pacefab.pacemaker.ownership import Runner, find_runner
from pacefab.services.memcached import memcached, probe
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.probe import Answer, Target
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.observe import NodeView, no_membership
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_cluster

Matrix = dict[str, dict[Target, Answer]]  # asking node -> target -> answer


def observe_memcached(hosts: Mapping[str, Host], reach: Reach, limit: int) -> ClusterView:
    """Ask the named hosts and the rest of their cluster, with what memcached needs to be known.

    Errors of `observe_cluster`, and of `ClusterView.membership`.
    """
    seen = observe_cluster(hosts, memcached.LOOK, limit, reach, [memcached.AGENT])
    if seen.formed is None:
        raise no_membership(next(iter(seen.hosts)))
    return seen


def present(view: NodeView) -> Settings:
    """Return the settings that a node's memcached will start with, its file's as a rule."""
    return memcached.effective_settings(view.facts)


def serving(view: NodeView) -> Settings:
    """Return the settings that a node's memcached runs with, its file's where none runs.

    They differ while a change waits for the next restart.
    """
    return memcached.running_settings(view.facts) or present(view)


def find_targets(seen: ClusterView) -> list[Target]:
    """Return where every node's memcached should answer now, silent nodes included.

    A silent node is taken to listen at its own address, at the port of the others.
    """
    ports = [serving(view).port for view in seen.views.values()]
    found: list[Target] = []
    for member in seen.membership.members:
        view = seen.views.get(member.name)
        settings = serving(view) if view else Settings(port=ports[0])
        own = member.addresses[0] if member.addresses else member.name
        endpoints = memcached.listen_endpoints(settings, own)
        found += [
            Target(member.name, address, settings.port, settings.barred) for address in endpoints
        ]
    return found


def other_runner(cib: Cib) -> Runner | None:
    """Return what runs memcached's unit or its program under another id or by another class."""
    own = cib.element(memcached.RESOURCE)
    if own is not None and agent_of(own) == memcached.AGENT:
        return None
    return find_runner(cib, memcached.UNIT)


def ask(fleet: ClusterView, questions: Mapping[str, Sequence[Target]]) -> Matrix:
    """Let nodes ask targets, all at once.

    Raises:
        PacefabError: a node could not ask; that its targets do not answer is in the matrix.
    """

    def work(node: str, targets: Sequence[Target]) -> dict[Target, Answer]:
        sections = fleet.hosts[node].query(probe.observe(targets))
        return probe.parse(targets, sections)

    asked = fan_out(questions, work)
    for error in errors(asked).values():
        raise error
    return values(asked)


def ask_everyone_from_everyone(fleet: ClusterView) -> Matrix:
    """Return the whole matrix: every node asks every target."""
    targets = find_targets(fleet)
    return ask(fleet, dict.fromkeys(fleet.views, targets))


def ask_from_neighbours(fleet: ClusterView) -> dict[Target, tuple[str, Answer]]:
    """Ask each target once, from another node than its own.

    Returns the asking node and the answer; a target that no other node could ask is left out.
    """
    questions: dict[str, list[Target]] = {}
    nodes = list(fleet.views)
    for place, target in enumerate(find_targets(fleet)):
        others = [node for node in nodes if node != target.node]
        if len(fleet.membership.members) == 1:
            others = nodes
        if others:
            questions.setdefault(others[place % len(others)], []).append(target)
    matrix = ask(fleet, questions)
    return {t: (node, answer) for node, row in matrix.items() for t, answer in row.items()}
