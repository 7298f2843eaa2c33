"""What verify-memcached checks besides what holds for every service. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from pacefab.addresses import is_loopback
from pacefab.host.model import HostFacts
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.configuration import read_resource
from pacefab.pacemaker.model import Clone
from pacefab.services.checks import Check, Contact, Inspection
from pacefab.services.memcached import memcached, probe
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.probe import Answer, Target
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.memcached.targets import find_targets
from pacefab.services.service import Site
from pacefab.transport.command import Section

_Read = Callable[[Target, Answer], Check]


def checks(_section: MemcachedSection, site: Site, cib: Cib) -> Iterator[Check | Inspection]:
    """Yield the network between the nodes, the clone, and each node's file and process.

    Raises:
        RefusedError: a node's file cannot be understood.
    """
    expected = site.instances(memcached.RESOURCE)
    known = find_targets(site.membership, site.facts)
    targets = [target for target in known if target.node in expected]
    for asker in site.facts or site.askers:  # of a place that nobody looked at, by members
        yield _inspection(asker, targets, partial(_served, site, asker))
    yield from _interleave(cib)
    for node, facts in site.facts.items():
        yield from _node(node, facts)
    yield _equal(site)
    for asker, closed in _forbidden(site).items():
        yield _inspection(asker, closed, partial(_closed, asker))


def _inspection(asker: str, targets: Sequence[Target], read: _Read) -> Inspection:
    """Return the question of one node to targets, all at once."""

    def judge(sections: Mapping[str, Section]) -> list[Check]:
        answers = probe.parse(targets, sections)
        return [read(target, answer) for target, answer in answers.items()]

    return Inspection(asker, tuple(probe.observe(targets)), judge)


def _served(site: Site, asker: str, target: Target, answer: Answer) -> Check:
    seen = f"{target} in {answer.seconds * 1000:.0f} ms"
    if answer.barred:
        seen = f"{target} accepts connections; no key was set: {answer.barred}"
    contact = Contact(
        asker, target.node, target.address, target.port,
        answer.served, answer.seconds, answer.error,
    )  # fmt: skip
    return Check(
        "set and get", f"{asker} -> {target.node}", answer.served,
        seen if answer.served else f"{target}: {answer.error}",
        "" if answer.served else _cause(site, target), of=target.node, contact=contact,
    )  # fmt: skip


def _cause(site: Site, target: Target) -> str:
    """Return why a node's memcached does not answer, as far as the node itself shows it."""
    facts = site.facts.get(target.node)
    if facts is None:
        return ""
    if not facts.unit(memcached.UNIT).running:
        return f"memcached does not run on {target.node}: pcs status, journalctl -u memcached"
    return _elsewhere(facts, target)


def _elsewhere(facts: HostFacts, target: Target) -> str:
    """Return where memcached listens when that is not the target; empty: it listens there."""
    addresses = _addresses(facts, target.port)
    if addresses and all(map(is_loopback, addresses)):
        return f"it listens on {', '.join(addresses)} only: fab install-memcached, then restart it"
    if not addresses & {target.address, "0.0.0.0", "::"}:  # noqa: S104
        found = ", ".join(sorted(addresses)) or "no address"
        return f"nothing listens at {target}; on port {target.port} there is {found}"
    return ""


def _addresses(facts: HostFacts, port: int, protocol: str = "tcp") -> set[str]:
    """Return the node's own addresses at which something listens on the port."""
    return {
        listener.address
        for listener in facts.listeners
        if (listener.port, listener.protocol) == (port, protocol)
    }


def _interleave(cib: Cib) -> Iterator[Check]:
    """Yield where interleave stands; what another resource runs is as its operator made it."""
    element = cib.element(memcached.CLONE)
    clone = None if element is None else read_resource(element)
    if not isinstance(clone, Clone) or clone.primitive.agent != memcached.AGENT:
        return
    interleave = clone.meta.get("interleave")
    misplaced = "interleave" in clone.primitive.meta
    yield Check(
        "interleave on the clone", memcached.CLONE, interleave == "true",
        f"interleave={interleave or 'absent'}",
        "it stands on the primitive, where it does nothing: fab create-memcached --update"
        if misplaced else "fab create-memcached --update",
    )  # fmt: skip


def _node(node: str, facts: HostFacts) -> Iterator[Check]:
    unread = memcached.unread(facts)
    yield Check("file is read", node, not unread, unread or memcached.config_path(facts), unread)
    running, desired = memcached.running_settings(facts), memcached.effective_settings(facts)
    if running is not None:
        yield _as_configured(node, running, desired)
    listening = _addresses(facts, desired.port)
    yield Check(
        "listens only there", node, desired.everywhere or listening <= set(desired.listen),
        ", ".join(sorted(listening)) or "nowhere", f"the file says {desired.describe()}",
    )  # fmt: skip
    ports = [settings.udp_port for settings in (running, desired) if settings]
    off = not any(ports) and not _addresses(facts, desired.port, "udp")
    seen = "off" if off else "on"
    yield Check("UDP off", node, off, seen, "fab install-memcached sets -U 0")


def _as_configured(node: str, running: Settings, desired: Settings) -> Check:
    """Sizes may wait for the next restart; another address or port would strand clients then."""
    moved = not memcached.same(replace(running, port=desired.port, listen=desired.listen), running)
    pending = f"the file says {desired.describe()}: in force after: fab update-memcached"
    seen = running.describe()
    if not moved and not memcached.same(running, desired):
        seen = f"{seen}; {pending}"
    return Check("listens as configured", node, not moved, seen, pending)


def _equal(site: Site) -> Check:
    settings = {
        node: replace(memcached.effective_settings(facts), listen=())
        for node, facts in site.facts.items()
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


def _forbidden(site: Site) -> dict[str, list[Target]]:
    """Return what each node should not reach: the others' addresses that are not listened on."""
    questions: dict[str, list[Target]] = {node: [] for node in site.facts}
    for node, facts in site.facts.items():
        settings = memcached.effective_settings(facts)
        if settings.everywhere:
            continue
        closed = [a for a in facts.addresses if a not in settings.listen]
        for asker in questions:
            if asker != node:
                questions[asker] += [Target(node, a, settings.port) for a in closed]
    return {asker: targets for asker, targets in questions.items() if targets}


def _closed(asker: str, target: Target, answer: Answer) -> Check:
    return Check(
        "closed elsewhere", f"{asker} -> {target.node}", not answer.connected,
        f"{target}: {'open' if answer.connected else 'closed'}",
        f"something on {target.node} listens there besides the configured address",
    )  # fmt: skip
