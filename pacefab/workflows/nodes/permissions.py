"""What has a node's firewall and SELinux's policy let services do what they do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pacefab.host import firewall, selinux
from pacefab.host.model import Firewall, HostFacts
from pacefab.services.service import DesiredNode, Port
from pacefab.transport.command import Step


@dataclass(frozen=True)
class Allowance:
    """Steps that allow something, the sentences that describe them, and remarks."""

    steps: tuple[Step, ...] = ()
    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def allow_by_selinux(facts: HostFacts, desired: DesiredNode) -> Allowance:
    """Return what has SELinux allow what the services do, where it enforces a policy."""
    found = facts.selinux
    if found is None:
        return Allowance()
    booleans = selinux.missing_booleans(found, desired.booleans)
    ports = selinux.missing_ports(found, desired.labelled)
    labels = [file.path for file in desired.files if file.path in found.mislabelled]
    return Allowance(
        steps=(
            *map(selinux.plan_boolean, booleans),
            *map(selinux.plan_port, ports),
            *([selinux.plan_labels(labels)] if labels else []),
        ),
        changes=(
            *(f"SELinux: boolean {name} set to on" for name in booleans),
            *(f"SELinux: port {port} gets the type {port.type}" for port in ports),
            *(f"SELinux: {path} gets its label {found.mislabelled[path]}" for path in labels),
        ),
    )


def open_ports(
    facts: HostFacts,
    ports: Sequence[Port],
    addresses: Sequence[str] | None,
    clients: Sequence[str] = (),
) -> Allowance:
    """Return what lets addresses reach ports, and client networks those that are for clients.

    Args:
        facts: the node as it is.
        ports: those that its services have.
        addresses: of the cluster's hosts; None: firewalls are the operator's, and that is said.
        clients: networks; they come by any interface.

    Raises:
        RefusedError: nothing says in which zone the addresses are.
    """
    if facts.firewall is None or not ports:
        return Allowance()
    if addresses is None:
        named = _named(ports)
        remark = f"firewalld is active and not managed (firewall: managed): it must let in {named}"
        return Allowance(remarks=(remark,))
    own = firewall.zones(facts.firewall, facts.interfaces, addresses)
    opened = _open(facts.firewall, own, ports, addresses)
    theirs = [port for port in ports if port.clients]
    if not (theirs and clients):
        return opened
    every = firewall.every_zone(facts.firewall, facts.interfaces)
    more = _open(facts.firewall, every, theirs, clients)
    return Allowance((*opened.steps, *more.steps), (*opened.changes, *more.changes))


def _open(
    found: Firewall, zones: Sequence[str], ports: Sequence[Port], sources: Sequence[str]
) -> Allowance:
    rules = [firewall.rule(s, port.number, port.protocol) for s in sources for port in ports]
    steps: list[Step] = []
    changes = []
    for zone in zones:
        if missing := firewall.missing(found, zone, rules):
            steps += firewall.plan_open(zone, missing)
            where = f"opened in zone {zone} for {', '.join(sources)}"
            changes.append(f"firewall: {_named(ports)} {where}")
    return Allowance(tuple(steps), tuple(changes))


def _named(ports: Sequence[Port]) -> str:
    return ", ".join(f"{port.number}/{port.protocol}" for port in ports)
