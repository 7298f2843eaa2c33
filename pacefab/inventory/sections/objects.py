"""An inventory -> the objects of the CIB's smaller sections. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pacefab.inventory.own_terms import sets_of
from pacefab.inventory.sections.access import Acls, PermissionEntry
from pacefab.inventory.sections.alerts import AlertEntry, AlertSets, RecipientEntry, SelectEntry
from pacefab.inventory.sections.levels import LevelEntry
from pacefab.inventory.values import SecretReference
from pacefab.pacemaker.model import Further, SectionObject
from pacefab.pacemaker.sections.access import AclGroup, AclRole, AclUser, Permission
from pacefab.pacemaker.sections.alerts import ClusterAlert, Recipient, Selection
from pacefab.pacemaker.sections.levels import FencingLevel
from pacefab.pacemaker.sections.tags import Tag

Secret = Callable[[str], str]
_EVENTS = ("fencing", "nodes", "resources")


def desired_objects(
    levels: Iterable[LevelEntry],
    alerts: Mapping[str, AlertEntry],
    acls: Acls,
    tags: Mapping[str, tuple[str, ...]],
    secret: Secret,
) -> tuple[SectionObject, ...]:
    """Return the fencing levels, alerts, roles, users, groups and tags of an inventory.

    `secret` gives a secret by its name; what it raises is passed on.
    """
    return (
        *map(_level, levels),
        *(_alert(name, entry, secret) for name, entry in alerts.items()),
        *_access(acls),
        *(Tag(references, id=name) for name, references in tags.items()),
    )


def secret_values(alerts: Mapping[str, AlertEntry]) -> Iterator[Any]:
    """Yield every mapping, and every list of sets, in which references to secrets may be."""
    for entry in alerts.values():
        both: list[AlertEntry | RecipientEntry] = [entry, *entry.recipients]
        for each in both:
            yield from (each.attributes, each.attribute_sets, each.meta_sets)


def _level(entry: LevelEntry) -> FencingLevel:
    return FencingLevel(
        str(entry.level),
        entry.devices,
        entry.node or "",
        entry.pattern or "",
        entry.attribute or "",
        entry.value or "",
    )


def _alert(name: str, entry: AlertEntry, secret: Secret) -> ClusterAlert:
    attributes, hidden = _attributes(entry, secret)
    return ClusterAlert(
        entry.path,
        entry.description,
        attributes,
        entry.meta.texts(),
        _selection(entry.select),
        tuple(_recipient(each, secret) for each in entry.recipients),
        hidden,
        _further(entry, secret),
        id=name,
    )


def _recipient(entry: RecipientEntry, secret: Secret) -> Recipient:
    attributes, hidden = _attributes(entry, secret)
    meta = entry.meta.texts()
    further, name = _further(entry, secret), entry.id or ""
    return Recipient(entry.value, entry.description, attributes, meta, name, hidden, further)


def _further(entry: AlertSets, secret: Secret) -> Further:
    """Return the further sets of an alert or recipient, of those that something is said of."""
    said = {"instance_attributes": entry.attribute_sets, "meta_attributes": entry.meta_sets}
    return {kind: sets_of(kind, sets, secret) for kind, sets in said.items() if sets is not None}


def _attributes(
    entry: AlertEntry | RecipientEntry, secret: Secret
) -> tuple[dict[str, str], frozenset[str]]:
    given = entry.attributes.items()
    hidden = frozenset(key for key, value in given if isinstance(value, SecretReference))
    found = {k: secret(v.secret) if isinstance(v, SecretReference) else v for k, v in given}
    return found, hidden


def _selection(entry: SelectEntry | None) -> Selection | None:
    if entry is None:
        return None
    named = entry.attributes if isinstance(entry.attributes, tuple) else ()
    events = frozenset(event for event in _EVENTS if getattr(entry, event))
    return Selection(events, any_attribute=bool(entry.attributes), attributes=named)


def _access(acls: Acls) -> Iterator[SectionObject]:
    for name, role in acls.roles.items():
        yield AclRole(tuple(map(_permission, role.permissions)), role.description, id=name)
    for name, user in acls.users.items():
        yield AclUser(user.roles, user.name or "", id=name)
    for name, group in acls.groups.items():
        yield AclGroup(group.roles, group.name or "", id=name)


def _permission(entry: PermissionEntry) -> Permission:
    return Permission(
        entry.kind,
        entry.xpath or "",
        entry.reference or "",
        entry.object_type or "",
        entry.attribute or "",
        entry.description,
    )
