"""The replayed cluster -> plain data of an inventory; what has no place there is reported.

Everything is held against the inventory's own types, so that what is written can be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pacefab.inventory.constraints import ColocationEntry, LocationEntry, OrderEntry
from pacefab.inventory.model import Part
from pacefab.inventory.nodes import Node
from pacefab.inventory.pacemaker_options import CLONE_META, PROPERTIES, RESOURCE_META
from pacefab.legacy.cluster.model import ReplayedConstraint, Value
from pacefab.legacy.draft.acceptance import keep_accepted
from pacefab.legacy.draft.nodes_found import FoundNode, find_nodes
from pacefab.legacy.draft.parts import (  # fmt: skip
    FALSE,
    Draft,
    InventoryData,
    InventoryParts,
    constraint_data,
    fitting,
    what_is_wrong,
)
from pacefab.legacy.draft.remotes_found import add_guests, add_remotes
from pacefab.legacy.draft.rivals import rivals
from pacefab.legacy.draft.services_found import FoundServices, find_services
from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.model import Place
from pacefab.pacemaker.placement.remote import CONNECTION

_OWN_PROPERTIES = {
    "stonith-enabled",
    "fencing-enabled",
    "cluster-name",
    "dc-version",
    "have-watchdog",
    "cluster-infrastructure",
    "last-lrm-refresh",
}
_OLD_DEFAULTS = {"default-resource-stickiness": "resource-stickiness"}


def draft(walk: Walk, fallback_name: str, *, plain: bool = False) -> Draft:
    """Return the inventory of a replayed cluster; `plain`: without services, resources alone."""
    return _Drafting(walk, fallback_name, plain=plain).draft()


class _Drafting:
    def __init__(self, walk: Walk, fallback_name: str, *, plain: bool) -> None:
        self._walk = walk
        self._cluster = walk.replay.cluster
        self._made = Draft()
        self._nodes: dict[str, FoundNode] = find_nodes(walk, self._made.entries)
        self._fallback = fallback_name
        self._parts = InventoryParts(self._made, self._cluster, self._nodes)
        self._remotes: set[str] = set()
        addresses = {name: known.address for name, known in self._nodes.items()}
        self._services = (
            FoundServices() if plain else find_services(self._cluster, walk.world, addresses)
        )

    def draft(self) -> Draft:
        self._name()
        self._members()
        self._properties()
        self._options("defaults", self._cluster.defaults, {**RESOURCE_META, **CLONE_META})
        self._operation_defaults()
        self._fencing()
        self._services_section(self._services)
        self._resources()
        self._constraints()
        keep_accepted(self._made, self._services.ids())
        return self._made

    def _name(self) -> None:
        name = self._cluster.name
        text = re.sub(r"[^A-Za-z0-9_-]", "-", name.text if name else self._fallback)
        text = text.lstrip("-")[:32]
        self._made.data["cluster"] = text or "cluster"
        if name:
            self._made.places["cluster",] = str(name.place)
        if not name or text != name.text:
            place = name.place if name else Place("", 0)
            self._parts.say(
                place,
                f"cluster: {text}",
                "the cluster's name is not known or not allowed",
                "write the name that corosync.conf has",
            )

    def _members(self) -> None:
        nodes: list[InventoryData] = []
        for name, known in self._nodes.items():
            made: InventoryData = {"name": name}
            if known.address:
                made["address"] = known.address
            attributes = self._cluster.attributes.get(name, {})
            if attributes:
                made["attributes"] = {key: value.text for key, value in attributes.items()}
            try:
                Node.model_validate(made)
            except ValidationError as error:
                self._parts.say(known.place, f"node {name}", what_is_wrong(error), "add it by hand")
                continue
            setup = self._cluster.nodes.get(name)
            places = [setup.place] if setup else []
            places += [known.place, *(setting.place for setting in attributes.values())]
            self._made.places["nodes", len(nodes)] = ", ".join(map(str, dict.fromkeys(places)))
            nodes.append(made)
        self._made.data["nodes"] = nodes
        where = self._made, self._cluster, self._parts, self._nodes
        self._remotes = add_remotes(*where) | add_guests(*where)
        self._attributes_of_others()

    def _attributes_of_others(self) -> None:
        for name, attributes in self._cluster.attributes.items():
            for key, value in attributes.items() if name not in self._own_nodes() else ():
                self._parts.say(
                    value.place,
                    f"attribute {key}={value.text} of node {name}",
                    f"{name} is no member of the cluster (a remote node, or misspelt)",
                    f"once it runs: pcs node attribute {name} {key}={value.text}",
                    value.by,
                )

    def _properties(self) -> None:
        others = {k: v for k, v in self._cluster.properties.items() if k not in _OWN_PROPERTIES}
        for old, new in _OLD_DEFAULTS.items():
            if old in others:
                self._cluster.defaults.setdefault(new, others.pop(old))
        self._options("properties", others, PROPERTIES)

    def _options(self, section: str, values: Mapping[str, Value], kinds: Mapping[str, Any]) -> None:
        made: InventoryData = {}
        for name, value in values.items():
            kind = kinds.get(name)
            fit = fitting(kind[0], value.text) if kind else None
            if fit is None:
                reason = (
                    f"it has to be {kind[1]}" if kind else "current Pacemaker has no such option"
                )
                self._parts.say(
                    value.place,
                    f"{section}: {name}={value.text}",
                    reason,
                    "check what it was for",
                    value.by,
                )
                continue
            made[name] = fit
            self._made.written.add(value.by)
            self._made.places[section, name] = str(value.place)
        if made:
            self._made.data[section] = made

    def _operation_defaults(self) -> None:
        for name, value in self._cluster.operation_defaults.items():
            self._parts.say(
                value.place,
                f"op defaults {name}={value.text}",
                "defaults of operations have no place in the inventory",
                "write it at the operations that need it",
                value.by,
            )

    def _fencing(self) -> None:
        enabled = self._cluster.properties.get("stonith-enabled")
        disabled = enabled is not None and enabled.text.lower() in FALSE | {"0"}
        devices = {
            name: made
            for name, device in self._cluster.fencing.items()
            if (made := self._parts.device(device)) is not None
        }
        section: InventoryData = {}
        if disabled and enabled is not None:
            section = {"disabled": True, "reason": f"the old scripts say so ({enabled.place})"}
            self._made.places["fencing", "disabled"] = str(enabled.place)
        if devices:
            section["devices"] = devices
            self._made.written.update(self._cluster.fencing[name].by for name in devices)
        elif not disabled:
            self._no_fencing()
        self._reach_all(devices)
        if section:
            self._made.data["fencing"] = section

    def _reach_all(self, devices: InventoryData) -> None:
        """Leave lists of hosts to Pacemaker where one device more is needed to reach all nodes."""
        lists = [set(device.get("nodes", ())) for device in devices.values()]
        if all(lists) and not set(self._nodes) <= set().union(*lists):
            for device in devices.values():
                hosts = " ".join(device.pop("nodes"))
                device.setdefault("parameters", {})["pcmk_host_list"] = hosts

    def _no_fencing(self) -> None:
        place = next((device.place for device in self._cluster.fencing.values()), Place("", 0))
        self._parts.say(
            place,
            "fencing",
            "the inventory has no fencing: bootstrap will ask for it",
            "write fencing: devices, or disabled: true with a reason",
        )

    def _services_section(self, found: FoundServices) -> None:
        self._made.entries += found.entries
        if found.sections:
            self._made.data["services"] = found.sections
        for name, places in found.places.items():
            shown = [str(place) for place in dict.fromkeys(places)]
            self._made.places["services", name] = ", ".join(shown)

    def _resources(self) -> None:
        refused = rivals(self._cluster, self._made.entries)
        for resource in self._cluster.in_order():
            if resource.id in refused:
                self._parts.say(
                    resource.place,
                    f"resource {resource.id}",
                    f"plan would refuse it: {refused[resource.id]}",
                    "where they run on different nodes, write exclusive locations for both and add "
                    "it by hand; else give each a unit of its own",
                    resource.by,
                )
        made = {
            resource.id: entry
            for resource in self._cluster.in_order()
            if resource.id not in {*self._services.resources, *self._remotes, *refused}
            and (entry := self._parts.resource(resource)) is not None
        }
        if made:
            self._made.data["resources"] = made
        for group in self._cluster.groups.values():
            if group.meta or group.copies or group.disabled:
                number, place = group.touched[-1] if group.touched else (group.by, group.place)
                self._parts.say(
                    place,
                    f"group {group.id}",
                    "a group has no options and no clone in the inventory",
                    "write them at its members, where that comes to the same",
                    number,
                )

    def _constraints(self) -> None:
        section: dict[str, list[InventoryData]] = {}
        for constraint in self._cluster.constraints:
            if constraint in self._services.constraints:
                continue
            entry = self._constraint(constraint)
            if entry is not None:
                listed = section.setdefault(constraint.kind, [])
                path = "constraints", constraint.kind, len(listed)
                self._made.places[path] = str(constraint.place)
                self._made.numbers[path] = constraint.by
                listed.append(entry)
                self._made.written.add(constraint.by)
        if section:
            ordered = ("order", "colocation", "location")
            self._made.data["constraints"] = {k: section[k] for k in ordered if k in section}

    def _constraint(self, constraint: ReplayedConstraint) -> InventoryData | None:
        names = [self._inventory_id(name) for name in constraint.resources]
        text = f"{constraint.kind} {' '.join(constraint.resources)}"
        if None in names:
            device = set(constraint.resources) & set(self._cluster.fencing)
            reason = "a resource that it names could not be translated"
            advice = "add both by hand"
            if device:
                reason = "constraints of fencing devices have no place in the inventory"
                advice = "set it with pcs; a device whose nodes are listed rarely needs one"
            self._parts.say(constraint.place, text, reason, advice, constraint.by)
            return None
        made = constraint_data(constraint, [name for name in names if name is not None])
        if "node" in made and made["node"] not in self._known_nodes():
            self._parts.say(
                constraint.place,
                text,
                f"no script makes {made['node']} a node of the cluster",
                "add the node, if it is one, and the constraint",
                constraint.by,
            )
            return None
        kinds: dict[str, type[Part]] = {
            "order": OrderEntry,
            "colocation": ColocationEntry,
            "location": LocationEntry,
        }
        return made if self._parts.valid(kinds[constraint.kind], made, constraint, text) else None

    def _own_nodes(self) -> set[str]:
        return {*self._nodes, *self._remotes}

    def _known_nodes(self) -> set[str]:
        remote = {
            name
            for name in self._made.data.get("resources", {})
            if self._cluster.resources[name].agent == CONNECTION
        }
        return self._own_nodes() | remote

    def _inventory_id(self, name: str) -> str | None:
        """Return an id as constraints of the inventory name it: a clone's for what is cloned."""
        found = self._cluster.find(name)
        if found is None:
            return None
        written = self._made.data.get("resources", {})
        members = getattr(found, "members", None)
        if members is not None:
            return found.id if any(member in written for member in members) else None
        if found.id not in {*written, *self._services.resources, *self._remotes}:
            return None
        return found.clone_id or found.id
