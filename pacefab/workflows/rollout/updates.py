"""What deploy --update restarts once the rest is done, and in which order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pacefab.services import registry
from pacefab.services.service import Site
from pacefab.workflows.nodes.in_force import share
from pacefab.workflows.nodes.node_plan import NodePlan


@dataclass(frozen=True)
class NodeByNode:
    """A service that is restarted on `nodes`, one after the other, for its settings to be in force.

    `said` is what is not in force where, and what becomes of what its instances hold, a line each.
    """

    service: str
    nodes: tuple[str, ...]
    said: tuple[str, ...]

    def __str__(self) -> str:
        return f"update {self.service}: {self.said[0]}"


def find_updates(
    nodes: Mapping[str, NodePlan],
    site: Site,
    sections: Mapping[str, Any],
    is_kept: Callable[[str, str], bool] = lambda _service, _node: True,
) -> tuple[NodeByNode, ...]:
    """Return the services that update-NAME has to restart; those that others need come first.

    So none is restarted on top of one that is still to be.

    Args:
        nodes: the plans, with what is not in force, by node.
        site: as descriptions know it.
        sections: the settings of the services, in the inventory's order.
        is_kept: whether Pacemaker starts and stops a service on a node; elsewhere it stays pending.
    """
    found = []
    for name in _in_order(sections):
        pending = {
            node: [s for s in plan.pending if s.service == name and not s.way]
            for node, plan in nodes.items()
            if is_kept(name, node)
        }
        own = share(pending)
        if own:
            restarted = tuple(node for node in pending if pending[node])
            said = (f"{', '.join(item.nodes)}: {item.what}" for item in own)
            outlook = _outlook(name, sections[name], site, restarted)
            found.append(NodeByNode(name, restarted, (*said, *outlook)))
    return tuple(found)


def _in_order(sections: Mapping[str, Any]) -> list[str]:
    found: list[str] = []

    def visit(name: str) -> None:
        if name in sections and name not in found:
            for needed in registry.service(name).needs(sections[name]):
                visit(needed)
            found.append(name)

    for name in sections:
        visit(name)
    return found


def _outlook(name: str, section: Any, site: Site, nodes: Iterable[str]) -> Iterator[str]:
    where: dict[str, list[str]] = {}
    own = site.of(name)
    for node in nodes:
        where.setdefault(registry.service(name).outlook(section, own, node), []).append(node)
    yield from (f"{', '.join(alike)}: {said}" for said, alike in where.items() if said)


def how_far(due: Sequence[NodeByNode], place: int) -> str:
    """Return what of these is done and what is not, where the one in that place has failed."""
    names = [update.service for update in due]
    done, left = ", ".join(names[:place]), ", ".join(names[place + 1 :])
    restarted, kept = f"restarted: {done}" if done else "", f"not restarted: {left}" if left else ""
    return "; ".join(filter(None, ["deploy is done", restarted, kept]))
