"""crm_mon XML -> model. Pure. Only fields that we need are read, so newer versions may add some.

Both schemas are read: `pacemaker-result` (2.1 and newer) and `crm_mon` (2.0).
"""

from __future__ import annotations

import re

from lxml import etree

from pacefab.pacemaker.model import role_of
from pacefab.pacemaker.nouns.status import (
    Ban,
    CloneStatus,
    ClusterStatus,
    FailedAction,
    GroupStatus,
    Instance,
    NodeStatus,
    ResourceStatus,
)
from pacefab.transport import xml_answers


def parse(text: str) -> ClusterStatus:
    """Return the state that `crm_mon -1 -r --output-as=xml` prints.

    Raises:
        ValueError: this is no such XML.
    """
    root = xml_answers.parse(text)
    if root.find("summary") is None:
        raise ValueError(f"not the status of a cluster: <{root.tag}>")
    dc = root.find("summary/current_dc")
    options = root.find("summary/cluster_options")
    return ClusterStatus(
        dc=dc.get("name") if dc is not None and _flag(dc, "present") else None,
        quorum=dc is not None and _flag(dc, "with_quorum"),
        maintenance=options is not None and _flag(options, "maintenance-mode"),
        fencing=options is not None
        and (_flag(options, "stonith-enabled") or _flag(options, "fencing-enabled")),
        nodes=tuple(_node(e) for e in root.iterfind("nodes/node")),
        resources=parse_resources(root),
        failures=tuple(_failure(e) for e in root.iterfind("failures/failure")),
        bans=tuple(_ban(e) for e in root.iterfind("bans/ban")),
    )


def parse_resources(root: etree._Element) -> tuple[ResourceStatus, ...]:
    """Return the resources below an element: crm_mon's, or a state that crm_simulate prints."""
    return tuple(_resource(e) for e in root.iterfind("resources/*"))


def _node(element: etree._Element) -> NodeStatus:
    return NodeStatus(
        name=element.get("name", ""),
        online=_flag(element, "online"),
        standby=_flag(element, "standby") or _flag(element, "standby_onfail"),
        maintenance=_flag(element, "maintenance"),
        pending=_flag(element, "pending"),
        unclean=_flag(element, "unclean"),
        remote=element.get("type") in {"remote", "guest", "ping"},
        healthy=element.get("health") != "red",
        standby_on_fail=_flag(element, "standby_onfail"),
        guest=element.get("type") == "guest" or bool(element.get("id_as_resource")),
    )


def _resource(element: etree._Element) -> ResourceStatus:
    members = tuple(_instance(e) for e in element.iter("resource"))
    if element.tag == "clone":
        promotable, unique = _flag(element, "multi_state"), _flag(element, "unique")
        return CloneStatus(element.get("id", ""), promotable, members, unique)
    if element.tag in {"group", "bundle"}:
        return GroupStatus(element.get("id", ""), members)
    return members[0]


def _instance(element: etree._Element) -> Instance:
    return Instance(
        id=element.get("id", ""),
        agent=element.get("resource_agent", ""),
        role=role_of(element.get("role", "Stopped")),
        nodes=tuple(node.get("name", "") for node in element.iterfind("node")),
        failed=_flag(element, "failed"),
        managed=_flag(element, "managed"),
        orphaned=_flag(element, "orphaned"),
        blocked=_flag(element, "blocked"),
        pending=element.get("pending", ""),
        target_role=role_of(element.get("target_role", "")),
    )


def _ban(element: etree._Element) -> Ban:
    return Ban(
        id=element.get("id", ""),
        resource=element.get("resource", ""),
        node=element.get("node", ""),
        promoted_only=_flag(element, "promoted-only") or _flag(element, "master_only"),
    )


# RESOURCE_TASK_INTERVAL; ids hold underscores, and so do the tasks migrate_to and migrate_from.
_KEY = re.compile(r"(.+)_(migrate_(?:to|from)|(?!(?:to|from)_)[^_]+)_\d+")


def _failure(element: etree._Element) -> FailedAction:
    key = _KEY.fullmatch(element.get("op_key", ""))
    return FailedAction(
        resource=element.get("id") or (key[1] if key else ""),
        operation=element.get("task") or (key[2] if key else ""),
        node=element.get("node", ""),
        reason=element.get("exitreason") or element.get("exitstatus") or "",
        call=element.get("call", ""),
    )


def _flag(element: etree._Element, name: str) -> bool:
    return element.get(name) in {"true", "1", "yes"}
