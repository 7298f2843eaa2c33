"""Members of a cluster that an inventory calls otherwise than their cluster does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pacefab.errors import RefusedError
from pacefab.pacemaker.model import Member, Membership
from pacefab.workflows.nodes.observe import NodeView


@dataclass(frozen=True)
class Misnamed:
    """A node of a cluster, and what an inventory calls it."""

    node: str
    cluster: str
    called: str

    def __str__(self) -> str:
        return (
            f"it is the node {self.node} of cluster {self.cluster}, and the inventory calls it "
            f"{self.called}"
        )

    @property
    def way_out(self) -> str:
        """What an operator can do: another name in the inventory, or another node."""
        return (
            f"write name: {self.node}. Nodes cannot be renamed; to have it by another name take it "
            f"out and in again: fab remove-node --node {self.node} with the old inventory, then "
            f"fab add-node --node {self.called}"
        )

    def refused(self, attempted: str) -> RefusedError:
        """Return the error of a task that does not go on so."""
        advice = f"nothing was changed: {self.way_out}"
        return RefusedError(attempted, str(self), advice, host=self.called)


class _Seen(Protocol):
    """A cluster that nodes answered for, if they did."""

    @property
    def formed(self) -> Membership | None: ...
    @property
    def views(self) -> Mapping[str, NodeView]: ...


def find_misnamed(seen: _Seen, listed: Membership) -> tuple[Misnamed, ...]:
    """Return the members that are listed by other names than the cluster has for them."""
    if seen.formed is None:
        return ()
    cluster = seen.formed.cluster
    found = ((_node(seen, seen.formed, one), one.name) for one in listed.members)
    return tuple(Misnamed(node, cluster, name) for node, name in found if node not in {"", name})


def check_names(attempted: str, seen: _Seen, listed: Membership) -> None:
    """Raise a RefusedError for the first member that is listed by another name."""
    for found in find_misnamed(seen, listed):
        raise found.refused(attempted)


def _node(seen: _Seen, formed: Membership, listed: Member) -> str:
    """Return which node of the cluster is meant: by its address, else by the host that answered.

    Empty: none, as far as that is known.
    """
    own = [m.name for m in formed.members if set(m.addresses) & set(listed.addresses)]
    if listed.name in own or (not own and listed.name in formed.names):
        return listed.name
    answered = (node for node, view in seen.views.items() if view.host == listed.name)
    return next(iter([*own, *answered]), "")
