"""Stop a service on one node by Pacemaker's own means: a ban, which is also what remembers it.

The ban is a location constraint with an id of ours. While it is there that node is being changed;
one that a run left behind, killed in the middle, is found by its id and lifted by the next run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import ClusterStatus, Configuration, primitive_ids
from pacefab.pacemaker.placement.constraints import UPDATE_BAN
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
        found = {c.get("id", ""): c.get("node", "") for c in named}
        return {name: node for name, node in found.items() if name.startswith(UPDATE_BAN)}

    def stop(self, host: Asked, node: str, seconds: float, waits: Waits = unheard) -> None:
        """Ban the service from a node; return when it has stopped there.

        Raises:
            PacefabError: it could not be banned, or did not stop in time.
        """
        apply_cib.patch(host, apply_cib.query_cib(host), lambda cib: self._banned(cib, node))
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

    def _banned(self, cib: Cib, node: str) -> Cib | None:
        if node in self.found(cib).values():
            return None
        after = cib.next()
        for number, resource in enumerate(self.desired.resources):
            etree.SubElement(
                after.constraints,
                "rsc_location",
                id=f"{UPDATE_BAN}{node}" + (f"-{number}" if number else ""),
                rsc=resource.id,
                node=node,
                score="-INFINITY",
            )
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
