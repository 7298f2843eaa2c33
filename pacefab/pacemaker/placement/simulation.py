"""crm_simulate's XML -> the actions that Pacemaker would take. Pure."""

from __future__ import annotations

from lxml import etree

from pacefab.pacemaker.nouns.status import Transition
from pacefab.transport import xml_answers


def parse(text: str) -> tuple[Transition, ...]:
    """Return the actions on resources.

    Raises:
        ValueError: this is not what `crm_simulate --output-as=xml` prints.
    """
    root = xml_answers.parse(text)
    return tuple(_action(e) for e in root.iterfind("actions/rsc_action") if _happens(e))


def parse_lost(text: str) -> tuple[str, ...]:
    """Return the resources that run before and nowhere after; instances by their clone's name.

    Raises:
        ValueError: this is not what `crm_simulate --simulate --output-as=xml` prints.
    """
    root = xml_answers.parse(text)
    before, after = root.find("cluster_status"), root.find("revised_cluster_status")
    if before is None or after is None:
        raise ValueError("no state before or after")
    still = set(_running(after))
    return tuple(dict.fromkeys(name for name in _running(before) if name not in still))


def _running(state: etree._Element) -> list[str]:
    active = (resource for resource in state.iter("resource") if resource.get("active") == "true")
    return [str(resource.get("id")).partition(":")[0] for resource in active]


def _happens(element: etree._Element) -> bool:
    return element.get("action", "").lower() not in {"leave", "noop", ""}


def _action(element: etree._Element) -> Transition:
    source, target = element.get("source"), element.get("dest") or element.get("node")
    return Transition(
        element.get("action", "").lower(), element.get("resource", ""), source or "", target or ""
    )
