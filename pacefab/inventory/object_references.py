"""Contradictions in the sections of levels, alerts, access control and tags. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pacefab.inventory.cluster import Inventory
from pacefab.inventory.configuration import device_ids
from pacefab.inventory.document import Path
from pacefab.inventory.mistakes import meant, show
from pacefab.pacemaker.fencing.devices import WATCHDOG
from pacefab.pacemaker.sections.property_names import NEW_NAMES

Found = Iterator[tuple[Path, str]]
_MOST_NAMED = 12  # names that a sentence lists


def unknown_name(what: str, name: str, known: Collection[str]) -> str:
    """Return a sentence about a name that nothing has."""
    there = f"; there are {', '.join(sorted(known))}" if len(known) <= _MOST_NAMED else ""
    none = "; there is none" if not known else there
    return f"found {show(name)}: no such {what}{meant(name, known)}{none}"


def object_contradictions(inventory: Inventory) -> Found:
    """Yield each place of these sections that does not fit, and why."""
    yield from _levels(inventory)
    yield from _roles(inventory)
    yield from _recipients(inventory)
    given = inventory.properties.texts()
    for old, new in NEW_NAMES.items():
        if old in given and new in given:
            yield ("properties", new), f"it is {old} by another name: keep one of them"


def object_ids(inventory: Inventory) -> Iterator[tuple[Path, str]]:
    """Yield ids of these sections, and where each comes from; a user's is no id of the CIB."""
    for name, entry in inventory.alerts.items():
        yield ("alerts", name), name
        for i, recipient in enumerate(entry.recipients):
            if recipient.id is not None:
                yield ("alerts", name, "recipients", i, "id"), recipient.id
    yield from ((("acls", "roles", name), name) for name in inventory.acls.roles)
    yield from ((("acls", "groups", name), name) for name in inventory.acls.groups)
    yield from ((("tags", name), name) for name in inventory.tags)


def _levels(inventory: Inventory) -> Found:
    if inventory.fencing is None:
        return
    devices = {
        id_ for name, each in inventory.fencing.devices.items() for id_ in device_ids(name, each)
    }
    devices |= {WATCHDOG} if inventory.fencing.sbd else set()
    nodes = [node.name for node in inventory.nodes]
    before: dict[object, int] = {}
    for i, entry in enumerate(inventory.fencing.levels):
        where: Path = ("fencing", "levels", i)
        if entry.absent:
            continue
        if entry.node is not None and entry.node not in {*nodes, *inventory.resources}:
            yield (*where, "node"), unknown_name("node", entry.node, nodes)
        for n, device in enumerate(entry.devices):
            if device not in {*devices, *inventory.resources}:
                yield (*where, "devices", n), unknown_name("fence device", device, devices)
        key = (entry.node, entry.pattern, entry.attribute, entry.value, entry.level)
        if before.setdefault(key, i) < i:
            yield where, f"entry [{before[key]}] is of the same nodes and level already"


def _roles(inventory: Inventory) -> Found:
    acls = inventory.acls
    for kind, entries in (("users", acls.users), ("groups", acls.groups)):
        for name, entry in entries.items():
            inside = ("roles",) if entry.name else ()
            for i, role in enumerate(entry.roles):
                if role not in acls.roles:
                    where: Path = ("acls", kind, name, *inside, i)
                    yield where, unknown_name("role", role, acls.roles)


def _recipients(inventory: Inventory) -> Found:
    for name, entry in inventory.alerts.items():
        values = [each.value for each in entry.recipients if each.id is None]
        for i, value in enumerate(values):
            if (before := values.index(value)) < i:
                yield ("alerts", name, "recipients", i), f"entry [{before}] is the same already"
