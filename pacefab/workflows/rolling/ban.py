"""Stop a service on one node by Pacemaker's own means: a ban, which is also what remembers it.

The ban is a location constraint with an id of ours. While it is there that node is being changed.
One that a run left behind, killed in the middle, ends by itself: it is a rule with a date, as
`crm_resource --ban --lifetime` makes it. The next run finds it by its id and lifts it before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lxml import etree

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Configuration, primitive_ids
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.placement.constraints import UPDATE_BAN
from pacefab.transport.answers import understood
from pacefab.transport.command import step
from pacefab.waiting import Waits, unheard
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.doorway import Asked


@dataclass(frozen=True)
class Bans:
    """The bans of one service, whose resources `desired` has."""

    service: str
    desired: Configuration

    def found(self, cib: Cib) -> Mapping[str, str]:
        """Return the banned nodes, by the ids of their constraints."""
        own = {resource.id for resource in self.desired.resources}
        named = (c for c in cib.all_constraints if c.get("rsc") in own)
        found = {c.get("id", ""): c.get("node") or _node(c) for c in named}
        return {name: node for name, node in found.items() if name.startswith(UPDATE_BAN)}

    def stop(
        self, host: Asked, node: str, seconds: float, lasting: float, waits: Waits = unheard
    ) -> None:
        """Ban the service from a node; return when it has stopped there, after `seconds` at most.

        The ban ends `lasting` seconds after that, by the clock of the cluster.

        Raises:
            PacefabError: it could not be banned, or did not stop in time.
        """
        end = _clock(host) + timedelta(seconds=seconds + lasting)
        apply_cib.patch(host, apply_cib.query_cib(host), lambda cib: self._banned(cib, node, end))
        apply_cib.settle(host, lambda status: self._running(status, node), seconds, waits=waits)

    def lift(self, host: Asked, *nodes: str) -> bool:
        """Lift the nodes' bans; return whether there were any.

        Raises:
            PacefabError: the CIB could not be changed.
        """
        cib = apply_cib.query_cib(host)
        if not set(self.found(cib).values()) & set(nodes):
            return False
        apply_cib.patch(host, cib, lambda cib: self._lifted(cib, nodes))
        return True

    def _banned(self, cib: Cib, node: str, end: datetime) -> Cib | None:
        if node in self.found(cib).values():
            return None
        after = cib.next()
        for number, resource in enumerate(self.desired.resources):
            name = f"{UPDATE_BAN}{node}" + (f"-{number}" if number else "")
            after.constraints.append(_ban(name, resource.id, node, end))
        return after

    def _lifted(self, cib: Cib, nodes: tuple[str, ...]) -> Cib | None:
        names = {name for name, node in self.found(cib).items() if node in nodes}
        if not names:
            return None
        after = cib.next()
        for constraint in [c for c in after.all_constraints if c.get("id") in names]:
            after.constraints.remove(constraint)
        return after

    def _running(self, status: ClusterStatus, node: str) -> str:
        every = primitive_ids(self.desired.resources)
        here = [name for name in every for i in status.instances(name) if node in i.nodes]
        return f"{self.service} still runs on {node}" if here else ""


def _clock(host: Asked) -> datetime:
    """Return the time on a node: this machine's clock may be wrong."""
    clock = host.query([step("clock", "date", "-u", "+%s")])["clock"]
    with understood("read the clock", f"see: ssh {host.name} date", host.name):
        return datetime.fromtimestamp(int(clock.out), UTC)


def _ban(name: str, resource: str, node: str, end: datetime) -> etree._Element:
    """Return the constraint (Pacemaker Explained, rules; times with their zone)."""
    ban = etree.Element("rsc_location", id=name, rsc=resource)
    rule = etree.SubElement(ban, "rule", id=f"{name}-rule", score="-INFINITY")
    rule.set("boolean-op", "and")
    etree.SubElement(
        rule, "expression", id=f"{name}-expr", attribute="#uname", operation="eq", value=node
    )
    etree.SubElement(
        rule, "date_expression", id=f"{name}-end", operation="lt", end=f"{end:%Y-%m-%d %H:%M:%SZ}"
    )
    return ban


def _node(constraint: etree._Element) -> str:
    """Return the node that a rule is about."""
    found = constraint.find(".//expression[@attribute='#uname']")
    return "" if found is None else found.get("value", "")
