"""The scheduler's transition graph -> what is to be done, and what runs where after it. Pure.

crm_simulate could carry the graph out itself (--simulate); it changes the CIB for each operation
then, and takes minutes where hundreds of resources are added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from pacefab.pacemaker.nouns.status import ClusterStatus, Transition
from pacefab.transport import xml_answers

_ARRIVES = {"start": 1, "migrate_from": 1, "stop": -1}
_UNFENCE = "on"


@dataclass(frozen=True)
class Graph:
    """What Pacemaker would do next, to the end.

    Args:
        operations: those on resources, without monitors that recur.
        moves: by primitive and node, how many instances come or go (-1).
        lost: the nodes that are fenced or shut down.
    """

    operations: tuple[Transition, ...]
    moves: tuple[tuple[str, str, int], ...]
    lost: frozenset[str]

    def running(self, status: ClusterStatus) -> dict[str, frozenset[str]]:
        """Return by primitive the nodes where it runs once all is done; `status` is before it.

        What is to be gone then is left out.
        """
        counts: dict[str, Counter[str]] = {}
        configured = set()
        for instance in status.all_instances:
            primitive = instance.id.partition(":")[0]
            nodes = () if instance.role == "Stopped" else instance.nodes
            counts.setdefault(primitive, Counter()).update(set(nodes) - self.lost)
            configured |= set() if instance.orphaned else {primitive}
        for primitive, node, number in self.moves:
            if primitive in counts:
                counts[primitive][node] += number
        found = {p: frozenset(n for n, c in nodes.items() if c > 0) for p, nodes in counts.items()}
        return {p: nodes for p, nodes in found.items() if nodes or p in configured}


def parse(text: str) -> Graph:
    """Return the graph that `crm_simulate --save-graph` writes.

    Raises:
        ValueError: this is none.
    """
    root = xml_answers.parse(text)
    if root.tag != "transition_graph":
        raise ValueError(f"not a transition graph: <{root.tag}>")
    actions = root.findall("synapse/action_set/*")
    return Graph(
        operations=tuple(_operation(action) for action in actions if _is_once(action)),
        moves=tuple(move for action in actions for move in _moves(action)),
        lost=frozenset(action.get("on_node", "") for action in actions if _loses_node(action)),
    )


def _attribute(action: etree._Element, name: str) -> str:
    attributes = action.find("attributes")
    return str(attributes.get(f"CRM_meta_{name}", "")) if attributes is not None else ""


def _is_once(action: etree._Element) -> bool:
    return action.tag == "rsc_op" and _attribute(action, "interval") in {"", "0"}


def _operation(action: etree._Element) -> Transition:
    resource = action.find("primitive")
    name = resource.get("id", "") if resource is not None else ""
    return Transition(action.get("operation", ""), name, target=action.get("on_node", ""))


def _moves(action: etree._Element) -> Iterator[tuple[str, str, int]]:
    """Yield what comes or goes by an action; one that others imply has only a key, no resource."""
    operation = action.get("operation", "")
    node = action.get("on_node") or _attribute(action, "on_node")
    if operation in _ARRIVES and node:
        resource = action.get("operation_key", "").removesuffix(f"_{operation}_0")
        yield resource.partition(":")[0], node, _ARRIVES[operation]


def _loses_node(action: etree._Element) -> bool:
    if action.tag != "crm_event":
        return False
    fences = action.get("operation") == "stonith"
    unfences = _attribute(action, "stonith_action") == _UNFENCE
    return (fences and not unfences) or action.get("operation") == "do_shutdown"
