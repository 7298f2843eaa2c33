"""crm_simulate's XML -> the actions that Pacemaker would take. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

# recover is none: what it restarts has failed already.
_INTERRUPTING = {"stop", "move", "migrate", "restart", "demote"}


@dataclass(frozen=True)
class Transition:
    """One action on a resource; `source` and `target` are nodes, empty where there is none."""

    action: str  # start, stop, promote, demote, move, migrate, restart, ...
    resource: str  # of a clone, one instance: memcached:0
    source: str = ""
    target: str = ""

    @property
    def interrupts(self) -> bool:
        """Whether something that runs stops running, be it for a moment."""
        return self.action in _INTERRUPTING

    def __str__(self) -> str:
        if self.source and self.target and self.source != self.target:
            return f"{self.action} {self.resource} from {self.source} to {self.target}"
        where = self.target or self.source
        return f"{self.action} {self.resource}" + (f" on {where}" if where else "")


def parse(text: str) -> tuple[Transition, ...]:
    """Return the actions on resources.

    Raises:
        ValueError: this is not what `crm_simulate --simulate --output-as=xml` prints.
    """
    root = _root(text)
    return tuple(_action(e) for e in root.iterfind("actions/rsc_action") if _happens(e))


def parse_lost(text: str) -> tuple[str, ...]:
    """Return the resources that run before and nowhere after; instances by their clone's name.

    Raises:
        ValueError: this is not what `crm_simulate --simulate --output-as=xml` prints.
    """
    root = _root(text)
    before, after = root.find("cluster_status"), root.find("revised_cluster_status")
    if before is None or after is None:
        raise ValueError("no state before or after")
    still = set(_running(after))
    return tuple(dict.fromkeys(name for name in _running(before) if name not in still))


def _running(state: etree._Element) -> list[str]:
    active = (one for one in state.iter("resource") if one.get("active") == "true")
    return [str(one.get("id")).partition(":")[0] for one in active]


def _root(text: str) -> etree._Element:
    try:
        return etree.fromstring(text.encode())
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error


def _happens(element: etree._Element) -> bool:
    return element.get("action", "").lower() not in {"leave", "noop", ""}


def _action(element: etree._Element) -> Transition:
    source, target = element.get("source"), element.get("dest") or element.get("node")
    return Transition(
        element.get("action", "").lower(), element.get("resource", ""), source or "", target or ""
    )
