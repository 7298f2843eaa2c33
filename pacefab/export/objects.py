"""Fencing levels, alerts, access rules and tags."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from pacefab.export.draft import ExportDraft, Source, made
from pacefab.export.settings import as_read, first_line
from pacefab.export.words import Unsayable, scalar
from pacefab.inventory.cluster import Inventory
from pacefab.inventory.sections.access import RoleEntry
from pacefab.inventory.sections.alerts import AlertEntry
from pacefab.inventory.sections.levels import LevelEntry
from pacefab.pacemaker.model import SectionObject
from pacefab.pacemaker.sections.access import AclGroup, AclRole, AclUser
from pacefab.pacemaker.sections.alerts import ClusterAlert, Recipient
from pacefab.pacemaker.sections.kinds import KINDS
from pacefab.pacemaker.sections.levels import FencingLevel
from pacefab.pacemaker.sections.tags import Tag

Data = dict[str, Any]


def objects(source: Source, draft: ExportDraft) -> None:
    """Write the objects of the CIB's smaller sections."""
    for kind in KINDS:
        for element in kind.elements(source.cib):
            noun = kind.read(element, source.cib.secrets)
            if noun is None:
                draft.leave(element)
                continue
            try:
                draft.came_from(_put(noun, draft), element)
            except (Unsayable, ValidationError) as error:
                draft.leave(element, first_line(error))


def _put(noun: SectionObject, draft: ExportDraft) -> Data | list[str]:
    """Write an object; return its entry. Raises `Unsayable`, and what pydantic does."""
    data = draft.data
    entry: Data | list[str] = {}
    if isinstance(noun, FencingLevel):
        entry = _level(noun)
        LevelEntry.model_validate(as_read(entry))
        data.setdefault("fencing", {}).setdefault("levels", []).append(entry)
    elif isinstance(noun, ClusterAlert):
        entry = _alert(noun, draft)
        AlertEntry.model_validate(as_read(entry))
        data.setdefault("alerts", {})[noun.id] = entry
    elif isinstance(noun, Tag):
        entry = list(noun.references)
        _check("tags", {noun.id: entry})
        data.setdefault("tags", {})[noun.id] = entry
    elif isinstance(noun, AclRole):
        entry = _role(noun)
        RoleEntry.model_validate(as_read(entry))
        data.setdefault("acls", {}).setdefault("roles", {})[noun.id] = entry
    elif isinstance(noun, AclUser | AclGroup):
        key = "users" if isinstance(noun, AclUser) else "groups"
        roles = list(noun.roles)
        entry = {"name": noun.name, "roles": roles} if noun.name else roles
        _check("acls", {key: {noun.id: entry}})
        data.setdefault("acls", {}).setdefault(key, {})[noun.id] = entry
    return entry


def _check(section: str, data: Data) -> None:
    kind: Any = Inventory.model_fields[section].annotation
    TypeAdapter(kind).validate_python(as_read(data), strict=True)


def _level(noun: FencingLevel) -> Data:
    where = {"node": noun.target, "pattern": noun.pattern, "attribute": noun.attribute}
    value = {"value": scalar(noun.value)} if noun.attribute else {}
    return {**made(where), **value, "level": scalar(noun.index), "devices": list(noun.devices)}


def _alert(noun: ClusterAlert, draft: ExportDraft) -> Data:
    found: Data = {"path": noun.path, **_attributes(noun, noun.id, draft)}
    if noun.select:
        select: Data = dict.fromkeys(sorted(noun.select.events), True)
        names = list(noun.select.attributes)
        if names or noun.select.any_attribute:
            select["attributes"] = names or True
        found["select"] = select
    recipients = [_recipient(noun, each, draft) for each in noun.recipients]
    return {**found, "recipients": recipients} if recipients else found


def _recipient(alert: ClusterAlert, noun: Recipient, draft: ExportDraft) -> Data | str:
    found = {"value": noun.value, **_attributes(noun, f"{alert.id}_{noun.id}", draft)}
    return {**found, "id": noun.id}


def _attributes(noun: ClusterAlert | Recipient, owner: str, draft: ExportDraft) -> Data:
    values = {
        name: draft.sets.value(owner, name, text, secret=name in noun.hidden)
        for name, text in noun.attributes.items()
    }
    meta = {name: scalar(text) for name, text in noun.meta.items()}
    further = {
        "attribute_sets": draft.sets.list(noun.further.get("instance_attributes", ()), owner),
        "meta_sets": draft.sets.list(noun.further.get("meta_attributes", ()), owner),
    }
    return made({"description": noun.description, "attributes": values, "meta": meta, **further})


def _role(noun: AclRole) -> Data:
    permissions = [
        made(
            {
                "kind": each.kind,
                "xpath": each.xpath,
                "reference": each.reference,
                "object_type": each.object_type,
                "attribute": each.attribute,
                "description": each.description,
            }
        )
        for each in noun.permissions
    ]
    return made({"description": noun.description, "permissions": permissions})
