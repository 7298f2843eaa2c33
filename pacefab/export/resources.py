"""Resources, groups, bundles, templates and fence devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pacefab.export.draft import ExportDraft, Source, made
from pacefab.export.settings import as_read, first_line
from pacefab.export.words import Unsayable, field_kind, fitting, scalar, words
from pacefab.inventory.fencing import Device
from pacefab.inventory.own_terms import Container, Network, StorageMapping
from pacefab.inventory.pacemaker_options import CLONE_META, RESOURCE_META
from pacefab.inventory.resources import (
    BundleEntry,
    GroupEntry,
    OperationEntry,
    ResourceEntry,
    TemplateEntry,
)
from pacefab.pacemaker.cib import pairs
from pacefab.pacemaker.configuration import property_set, read_resource
from pacefab.pacemaker.metadata import complete, default_interval
from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Further,
    Group,
    GroupClone,
    Operation,
    Primitive,
    Resource,
    Template,
    is_true,
    primitives,
)
from pacefab.pacemaker.nouns.piece import Piece

Data = dict[str, Any]
_ANY_META = {**RESOURCE_META, **CLONE_META}
_LEVEL = "OCF_CHECK_LEVEL"
_OPERATION = {"on-fail": "on_fail", "role": "role", "start-delay": "start_delay",
              "enabled": "enabled", "record-pending": "record_pending"}  # fmt: skip


def resources(source: Source, draft: ExportDraft) -> None:
    """Write the section fencing as far as it says what is there, and resources beside services."""
    read = [(e, read_resource(e, source.cib.secrets)) for e in source.cib.all_resources]
    _fencing(source, draft, [noun for _, noun in read if noun is not None])
    waiting: list[str] = []  # bundles without a resource, which say what comes behind them
    for element, noun in read:
        name = str(element.get("id"))
        if name in draft.taken:
            continue
        if noun is None:
            draft.leave(element)
            continue
        try:
            said = _Writing(source, draft).sections(noun)
        except (Unsayable, ValidationError) as error:
            draft.leave(element, first_line(error))
            continue
        for (section, key), entry in said.items():
            if section == "resources":
                for bundle in waiting:
                    draft.data["bundles"][bundle]["before"] = key
                waiting = []
            draft.data.setdefault(section, {})[key] = entry
            draft.came_from(entry, element)
            draft.places[section, key] = f"{source.place}: {element.tag} {name}"
            if section == "resources" and key in draft.reasons:
                draft.places[section, key] += f"; {draft.reasons[key]}"
        if isinstance(noun, Bundle) and noun.primitive is None:
            waiting.append(noun.id)


def _fencing(source: Source, draft: ExportDraft, nouns: list[Resource]) -> None:
    """Write fencing where its section says exactly what the cluster has, devices first."""
    enabled = pairs(property_set(source.cib)).get("stonith-enabled")
    devices: Data = {}
    for noun in nouns:
        entry = _device(source, draft, noun)
        if entry is None:
            break  # a device behind it would come first
        devices[noun.id] = entry
    if enabled is None or (is_true(enabled) and not devices):
        return
    _reach_all(devices, _members(draft))
    section: Data = {"devices": devices} if devices else {}
    if not is_true(enabled):
        said = pairs(source.cib.own_set).get("pacefab-fencing-disabled-reason")
        reason = said or "the cluster was found so: stonith-enabled is false"
        section = {"disabled": True, "reason": reason, **section}
    draft.data["fencing"] = section
    draft.places["fencing",] = source.place
    draft.taken |= {"stonith-enabled", *devices}


def _members(draft: ExportDraft) -> set[str]:
    return {node if isinstance(node, str) else node["name"] for node in draft.data["nodes"]}


def _reach_all(devices: Data, members: set[str]) -> None:
    """Leave lists of hosts to Pacemaker where they do not name every node: so it was found."""
    lists = [set(entry.get("nodes", ())) for entry in devices.values()]
    if all(lists) and not members <= set().union(*lists):
        for entry in devices.values():
            hosts = " ".join(entry.pop("nodes"))
            entry.setdefault("parameters", {})["pcmk_host_list"] = hosts


def _device(source: Source, draft: ExportDraft, noun: Resource) -> Data | None:
    if not isinstance(noun, Primitive) or not noun.agent.startswith("stonith:fence_"):
        return None
    try:
        entry = _Writing(source, draft).primitive(noun)
    except Unsayable:
        return None
    hosts = noun.parameters.get("pcmk_host_list", "").split()
    members = _members(draft)
    if hosts and set(hosts) <= members and " ".join(hosts) == noun.parameters["pcmk_host_list"]:
        del entry["parameters"]["pcmk_host_list"]
        entry["nodes"] = hosts
    entry["agent"] = noun.agent.removeprefix("stonith:")
    entry.pop("advised_operations", None)
    try:
        Device.model_validate(as_read(made(entry)))
    except ValidationError:
        return None
    return made(entry) if all(op.name == "monitor" for op in noun.operations) else None


def primitive_entry(source: Source, draft: ExportDraft, noun: Primitive) -> Data:
    """Return a primitive as the inventory has it. Raises `Unsayable`."""
    return _Writing(source, draft).primitive(noun)


@dataclass
class _Writing:
    source: Source
    draft: ExportDraft

    def sections(self, noun: Resource) -> dict[tuple[str, str], Data]:
        """Return the entries of a resource, by section and name; each is one the reader takes."""
        if isinstance(noun, Template):
            entry = self.primitive(noun.primitive)
            TemplateEntry.model_validate(as_read(entry))
            return {("templates", noun.id): entry}
        found: dict[tuple[str, str], Data] = {}
        for primitive in primitives(noun):
            entry = {**self.primitive(primitive), **self._form(noun)}
            if isinstance(noun, Clone):
                entry |= self._copies(noun, primitive.id)
            ResourceEntry.model_validate(as_read(entry))
            found["resources", primitive.id] = entry
        if isinstance(noun, Group | GroupClone) and (entry := self._group(noun)):
            GroupEntry.model_validate(as_read(entry))
            found["groups", noun.id if isinstance(noun, Group) else noun.group.id] = entry
        if isinstance(noun, Bundle):
            entry = self._bundle(noun)
            BundleEntry.model_validate(as_read(entry))
            found["bundles", noun.id] = entry
        return found

    def _form(self, noun: Resource) -> Data:
        if isinstance(noun, Group):
            return {"group": noun.id}
        if isinstance(noun, GroupClone):
            return {"group": noun.group.id}
        return {"bundle": noun.id} if isinstance(noun, Bundle) else {}

    def primitive(self, noun: Primitive) -> Data:
        """Return a primitive's entry. Raises `Unsayable`."""
        if set(noun.others) - {"description"}:
            raise Unsayable(f"a primitive with {', '.join(noun.others)}")
        listed, unlisted = self.draft.sets.options(dict(noun.meta), RESOURCE_META)
        further = self._further(noun.id, noun.further, noun.others, unlisted)
        utilization = _plain_utilization(noun.further.get("utilization", ()), self.draft)
        if utilization is not None:
            further.pop("utilization", None)
        known = self.source.metadata.get(noun.agent)
        advised = known is not None and complete(noun, known) == noun
        return made(
            {
                "agent": noun.agent,
                "template": noun.template,
                "parameters": {
                    name: self.draft.sets.value(noun.id, name, text, secret=name in noun.hidden)
                    for name, text in noun.parameters.items()
                },
                "meta": listed,
                "operations": [self._operation(noun, op) for op in noun.operations],
                "advised_operations": None if advised else False,
                "utilization": utilization,
                "further": further,
            }
        )

    def _operation(self, noun: Primitive, op: Operation) -> Data:
        if "id-ref" in op.others:
            raise Unsayable("an operation by id-ref, which Pacemaker's schema does not have")
        found: Data = {"name": op.name}
        unlisted: Data = {}
        attributes = {"interval": op.interval, "timeout": op.timeout, **op.others}
        if op.interval == default_interval(op.name):
            del attributes["interval"]
        for name, text in attributes.items():
            key = _OPERATION.get(name, name)
            field = OperationEntry.model_fields.get(key) if key not in {"id", "name"} else None
            fit = fitting(field_kind(field), text) if field else None
            if text and fit is not None:
                found[key] = fit
            elif text or name != "timeout":
                unlisted[name] = scalar(text)
        sets = self.draft.sets
        plain = {n: sets.value(noun.id, n, text) for n, text in op.parameters.items()}
        if set(plain) == {_LEVEL} and isinstance(plain[_LEVEL], int):
            found["check_level"] = plain.pop(_LEVEL)
        kinds = {"parameters": "instance_attributes", "meta": "meta_attributes"}
        for key, kind in kinds.items():
            of_kind = tuple(piece for piece in op.further if piece.tag == kind)
            listed = [{"values": plain}] if plain and key == "parameters" else []
            found[key] = [*listed, *sets.list(of_kind, noun.id)]
        if op.id in sets.kept:
            found["id"] = op.id
        return made({**found, "unlisted": unlisted})

    def _copies(self, noun: Clone | GroupClone, name: str) -> Data:
        meta = dict(noun.meta)
        promotable = is_true(meta.get("promotable", ""))
        if promotable:
            del meta["promotable"]
        listed, unlisted = self.draft.sets.options(meta, _ANY_META)
        further = self._further(noun.id, noun.further, noun.others, unlisted)
        found: Data = {"promotable" if promotable else "clone": listed}
        if noun.id != f"{name}-clone":
            found["clone_id"] = noun.id
        return {**found, **({"clone_further": further} if further else {})}

    def _group(self, noun: Group | GroupClone) -> Data:
        group = noun if isinstance(noun, Group) else noun.group
        listed, unlisted = self.draft.sets.options(dict(group.meta), RESOURCE_META)
        further = self._further(group.id, group.further, group.others, unlisted)
        found = made({"meta": listed, "further": further})
        return {**found, **self._copies(noun, group.id)} if isinstance(noun, GroupClone) else found

    def _bundle(self, noun: Bundle) -> Data:
        listed, unlisted = self.draft.sets.options(dict(noun.meta), RESOURCE_META)
        found: Data = {}
        kept = self.draft.sets.kept
        for part in noun.parts:
            if part.tag == "network":
                found["network"] = words(Network, part, kept)
            elif part.tag == "storage":
                found["storage"] = [words(StorageMapping, each, kept) for each in part.children]
            else:
                found[part.tag] = words(Container, part, kept)
        further = self._further(noun.id, noun.further, noun.others, unlisted)
        return {**found, **made({"meta": listed, "further": further})}

    def _further(
        self, owner: str, further: Further, others: Mapping[str, str], unlisted: Data
    ) -> Data:
        kinds = {
            "parameters": "instance_attributes",
            "meta": "meta_attributes",
            "utilization": "utilization",
        }
        sets = self.draft.sets
        found: Data = {key: sets.list(further.get(kind, ()), owner) for key, kind in kinds.items()}
        found["unlisted_meta"] = unlisted
        for piece in further.get("operations", ()):
            if piece.children:
                raise Unsayable("operations with sets of their own")
            own = {"id": piece.id if piece.id in sets.kept else ""}
            own["id_ref"] = piece.attributes.get("id-ref", "")
            found["operations"] = made(own)
        return made({**found, "description": others.get("description", "")})


def _plain_utilization(sets: tuple[Piece, ...], draft: ExportDraft) -> Data | None:
    """Return the one set of utilization as the short form has it; None: it is none such."""
    if len(sets) != 1 or sets[0].attributes or sets[0].id in draft.sets.kept:
        return None
    values: Data = {}
    for piece in sets[0].children:
        if piece.tag != "nvpair" or set(piece.attributes) != {"name", "value"}:
            return None
        values[piece.attributes["name"]] = scalar(piece.attributes["value"])
    return values
