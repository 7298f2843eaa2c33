"""verify-memcached: everything that must hold for the cache to be of use; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pacefab.addresses import is_loopback
from pacefab.pacemaker.configuration import read_resource
from pacefab.pacemaker.model import Clone
from pacefab.pacemaker.ownership import find_rival
from pacefab.services.memcached import memcached, probe
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.probe import Answer, Target
from pacefab.services.memcached.targets import find_targets
from pacefab.services.service import Site
from pacefab.transport.command import shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.checks import node_state
from pacefab.workflows.checks.verification import Check, Matrix, Verification
from pacefab.workflows.nodes.observe import NodeView
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_members


def verify(hosts: Mapping[str, Host], reach: Reach, limit: int) -> Verification:
    """Check the resource, every node's unit and configuration, and the network between them.

    Raises:
        PacefabError: no host could report the cluster's state.
    """
    fleet = observe_members(hosts, memcached.LOOK, limit, reach)
    targets = find_targets(fleet.membership, fleet.member_facts)
    matrix = _ask(fleet, dict.fromkeys(fleet.views, targets))
    forbidden = _ask(fleet, _forbidden(fleet))
    checks = [
        *_reached(fleet),
        *_serving(fleet, matrix),
        *_resource(fleet),
        *(check for view in fleet.views.values() for check in _node(view)),
        _equal(fleet),
        *_closed(forbidden),
    ]
    waiting = node_state.notices(Site(fleet.membership, fleet.facts, {memcached.RESOURCE: None}))
    return Verification(fleet.membership.cluster, matrix, tuple(checks), tuple(waiting))


def _ask(fleet: ClusterView, questions: Mapping[str, Sequence[Target]]) -> Matrix:
    """Let nodes ask targets, all at once.

    Raises:
        PacefabError: a node could not ask; that its targets do not answer is in the matrix.
    """

    def work(node: str, targets: Sequence[Target]) -> dict[Target, Answer]:
        return probe.parse(targets, fleet.hosts[node].query(probe.observe(targets)))

    asked = fan_out(questions, work)
    for error in errors(asked).values():
        raise error
    return values(asked)


def _reached(fleet: ClusterView) -> Iterator[Check]:
    for name, error in (*fleet.silent.items(), *fleet.outside.items()):
        yield Check("node can be asked", name, ok=False, seen=error.seen, cause=error.next_step)


def _serving(fleet: ClusterView, matrix: Matrix) -> Iterator[Check]:
    for asker, row in matrix.items():
        for target, answer in row.items():
            seen = f"{target} in {answer.seconds * 1000:.0f} ms"
            if answer.barred:
                seen = f"{target} accepts connections; no key was set: {answer.barred}"
            yield Check(
                "set and get", f"{asker} -> {target.node}", answer.served,
                seen if answer.served else f"{target}: {answer.error}",
                "" if answer.served else _cause(fleet, target),
            )  # fmt: skip


def _cause(fleet: ClusterView, target: Target) -> str:
    """Return why a node's memcached probably does not answer, the likeliest first."""
    view = fleet.views.get(target.node)
    if view is None:
        return f"{target.node} gave no answer over SSH either: is it up?"
    if not view.facts.unit(memcached.UNIT).running:
        return f"memcached does not run on {target.node}: pcs status, journalctl -u memcached"
    if elsewhere := _elsewhere(view, target):
        return elsewhere
    if firewalls := drops(fleet.hosts[target.node]):
        return f"a firewall on {target.node} ({', '.join(firewalls)}) drops it"
    return "memcached hangs, or a firewall in between drops it: journalctl -u memcached there"


def _elsewhere(view: NodeView, target: Target) -> str:
    """Return where memcached listens when that is not the target; empty: it listens there."""
    addresses = _addresses(view, target.port)
    if addresses and all(map(is_loopback, addresses)):
        return f"it listens on {', '.join(addresses)} only: fab install-memcached, then restart it"
    if not addresses & {target.address, "0.0.0.0", "::"}:  # noqa: S104
        found = ", ".join(sorted(addresses)) or "no address"
        return f"nothing listens at {target}; on port {target.port} there is {found}"
    return ""


def _addresses(view: NodeView, port: int, protocol: str = "tcp") -> set[str]:
    """Return the node's own addresses at which something listens on the port."""
    return {
        listener.address
        for listener in view.facts.listeners
        if (listener.port, listener.protocol) == (port, protocol)
    }


# firewalld keeps its rules in nftables or iptables; each of the three may be absent.
_FIREWALL = r"""
systemctl is-active --quiet firewalld && echo firewalld
nft list ruleset 2>/dev/null | grep -Eq ' (drop|reject)' && echo nftables
iptables-save 2>/dev/null | grep -Eq -- '-j (DROP|REJECT)' && echo iptables
true
"""


def drops(host: Host) -> list[str]:
    """Return the programs that have rules on a node which drop or reject something."""
    return host.query([shell("firewall", _FIREWALL)])["firewall"].out.split()


def _resource(fleet: ClusterView) -> Iterator[Check]:
    if other := find_rival(fleet.cib, memcached.desired_clone().primitive):
        yield Check("resource", other.top, ok=True, seen=f"{other} runs memcached")
        return
    element = fleet.cib.element(memcached.CLONE)
    clone = None if element is None else read_resource(element)
    if not isinstance(clone, Clone):
        cause = "fab create-memcached makes it"
        yield Check(
            "resource", memcached.CLONE, ok=False, seen="there is no such clone", cause=cause
        )
        return
    interleave = clone.meta.get("interleave")
    misplaced = "interleave" in clone.primitive.meta
    yield Check(
        "interleave on the clone", memcached.CLONE, interleave == "true",
        f"interleave={interleave or 'absent'}",
        "it stands on the primitive, where it does nothing: fab create-memcached --update"
        if misplaced else "fab create-memcached --update",
    )  # fmt: skip


def _node(view: NodeView) -> Iterator[Check]:
    facts, node = view.facts, view.node
    unit = facts.unit(memcached.UNIT)
    yield Check(
        "unit not enabled", node, not unit.starts_at_boot and unit.load != "masked",
        unit.enabled or unit.load,
        "only Pacemaker may start it: fab install-memcached",
    )  # fmt: skip
    unread = memcached.unread(facts)
    yield Check("file is read", node, not unread, unread or memcached.config_path(facts), unread)
    running, desired = memcached.running_settings(facts), memcached.effective_settings(view.facts)
    if running is not None:
        yield _as_configured(node, running, desired)
    listening = _addresses(view, desired.port)
    yield Check(
        "listens only there", node, desired.everywhere or listening <= set(desired.listen),
        ", ".join(sorted(listening)) or "nowhere", f"the file says {desired.describe()}",
    )  # fmt: skip
    yield _udp_off(view, running, desired)


def _udp_off(view: NodeView, running: Settings | None, desired: Settings) -> Check:
    ports = [settings.udp_port for settings in (running, desired) if settings]
    off = not any(ports) and not _addresses(view, desired.port, "udp")
    seen = "off" if off else "on"
    return Check("UDP off", view.node, off, seen, "fab install-memcached sets -U 0")


def _as_configured(node: str, running: Settings, desired: Settings) -> Check:
    """Sizes may wait for the next restart; another address or port would strand clients then."""
    moved = not memcached.same(replace(running, port=desired.port, listen=desired.listen), running)
    pending = f"the file says {desired.describe()}: in force after: fab update-memcached"
    seen = running.describe()
    if not moved and not memcached.same(running, desired):
        seen = f"{seen}; {pending}"
    return Check("listens as configured", node, not moved, seen, pending)


def _equal(fleet: ClusterView) -> Check:
    settings = {
        node: replace(memcached.effective_settings(view.facts), listen=())
        for node, view in fleet.views.items()
    }
    different = len(set(settings.values())) > 1
    seen = "; ".join(
        f"{node}: {own.memory} MiB, port {own.port}, {own.max_connections} connections"
        for node, own in settings.items()
    )
    return Check(
        "configuration equal", "all nodes", not different, seen if different else "equal",
        "give the options to all nodes at once: fab -H … install-memcached --memory …",
    )  # fmt: skip


def _forbidden(fleet: ClusterView) -> dict[str, list[Target]]:
    """Return what each node should not reach: the others' addresses that are not listened on."""
    questions: dict[str, list[Target]] = {node: [] for node in fleet.views}
    for node, view in fleet.views.items():
        settings = memcached.effective_settings(view.facts)
        if settings.everywhere:
            continue
        closed = [a for a in view.facts.addresses if a not in settings.listen]
        for asker in questions:
            if asker != node:
                questions[asker] += [Target(node, a, settings.port) for a in closed]
    return {asker: targets for asker, targets in questions.items() if targets}


def _closed(forbidden: Matrix) -> Iterator[Check]:
    for asker, row in forbidden.items():
        for target, answer in row.items():
            yield Check(
                "closed elsewhere", f"{asker} -> {target.node}", not answer.connected,
                f"{target}: {'open' if answer.connected else 'closed'}",
                f"something on {target.node} listens there besides the configured address",
            )  # fmt: skip
