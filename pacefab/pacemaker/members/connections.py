"""Changes of connections to remote nodes that a change of the CIB alone does not make. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pacefab.errors import RefusedError
from pacefab.pacemaker.model import Primitive
from pacefab.pacemaker.placement.remote import CONNECTION, PORT
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.sections.change import Noun


def check_connections(change: ConfigurationPlan) -> None:
    """Raise a RefusedError where a remote node would go, or be connected to by another port.

    More than the connection goes with a node. At another port its daemon does not listen yet: the
    cluster would lose the node, and may fence it.
    """
    gone = [one.id for one in change.changes if one.desired is None and _connects(one.present)]
    if gone:
        raise RefusedError(
            f"take away {', '.join(gone)}",
            "it is a remote node, which has to leave first",
            f"nothing was changed: {'; '.join(f'fab remove-node --node {name}' for name in gone)}",
        )
    for name, present, desired in _moved(change):
        raise RefusedError(
            f"connect to {name} by port {desired}",
            f"its daemon listens on port {present}, by which the cluster is connected to it",
            "nothing was changed: take it out and in again, what runs there moves: "
            f"fab remove-node --node {name}; fab add-node --node {name}",
        )


def _moved(change: ConfigurationPlan) -> Iterator[tuple[str, str, str]]:
    """Yield the remote nodes whose port would change, with both ports."""
    for one in change.changes:
        present, desired = one.present, one.desired
        if not (isinstance(present, Primitive) and isinstance(desired, Primitive)):
            continue
        ports = [noun.parameters.get("port", str(PORT)) for noun in (present, desired)]
        if _connects(present) and ports[0] != ports[1]:
            yield one.id, ports[0], ports[1]


def _connects(noun: Noun | None) -> bool:
    return isinstance(noun, Primitive) and noun.agent == CONNECTION
