"""Parts of an inventory from parts of the replayed cluster: options, resources, devices."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pacefab.inventory.fencing import Device
from pacefab.inventory.model import Part
from pacefab.inventory.pacemaker_options import CLONE_META, RESOURCE_META
from pacefab.inventory.resources import ResourceEntry
from pacefab.legacy.cluster.model import ReplayedCluster, ReplayedConstraint, ReplayedResource
from pacefab.legacy.cluster.naming import today
from pacefab.legacy.masking import is_secret, secret_name
from pacefab.legacy.model import Fate, Place, ReportLine

InventoryData = dict[str, Any]
TRUE, FALSE = {"true", "yes", "on", "y"}, {"false", "no", "off", "n"}
_OPERATION = {
    "on-fail": "on_fail",
    "start-delay": "start_delay",
    "record-pending": "record_pending",
    "OCF_CHECK_LEVEL": "check_level",
}


@dataclass
class Draft:
    """An inventory as plain data; `places`: where each part came from, by its path."""

    data: InventoryData = field(default_factory=dict)
    places: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    numbers: dict[tuple[str | int, ...], int] = field(default_factory=dict)  # of commands, likewise
    entries: list[ReportLine] = field(default_factory=list)
    problems: list[tuple[int, ReportLine]] = field(default_factory=list)  # by number of the command
    written: set[int] = field(default_factory=set)  # commands that something is left of


def scalar(text: str) -> bool | int | str:
    """Return a text as YAML would best show it: the inventory reads the same text from it."""
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if re.fullmatch(r"0|-?[1-9]\d{0,17}", text) else text


def fitting(kind: Any, text: str) -> bool | int | str | None:
    """Return an option's text as a value of its kind; None when it is none."""
    choices: list[bool | int | str] = [scalar(text), text]
    if text.lower() in TRUE | FALSE:
        choices.insert(0, text.lower() in TRUE)
    for choice in choices:
        try:
            TypeAdapter(kind).validate_python(choice, strict=True)
        except ValidationError:
            continue
        return choice
    return None


class InventoryParts:
    """Makes parts, and reports in the draft what has no place.

    Args:
        made: the draft.
        cluster: the replayed cluster.
        nodes: names of its members.
    """

    def __init__(self, made: Draft, cluster: ReplayedCluster, nodes: Collection[str]) -> None:
        self._made = made
        self._cluster = cluster
        self._nodes = nodes

    def say(
        self, place: Place, text: str, reason: str, advice: str = "", by: int | None = None
    ) -> None:
        """Report what has no place; `by`: the command that asked for it."""
        entry = ReportLine(Fate.UNTRANSLATED, place, text, reason, advice)
        if by is None:
            self._made.entries.append(entry)
        else:
            self._made.problems.append((by, entry))

    def device(self, resource: ReplayedResource) -> InventoryData | None:
        """Return a fencing device as the inventory has it; None when it cannot be there."""
        if "/" in resource.agent:
            self.say(
                resource.place,
                f"stonith {resource.id}",
                f"{resource.agent} is a plug-in of cluster-glue, which current Pacemaker lacks",
                "write the device with the fence agent for this hardware, such as fence_ipmilan",
                resource.by,
            )
            return None
        made: InventoryData = {"agent": resource.agent}
        parameters = dict(resource.parameters)
        hosts = re.split(r"[\s,;]+", parameters.get("pcmk_host_list", "").strip())
        if hosts[0] and set(hosts) <= set(self._nodes) and self._all_fenced():
            del parameters["pcmk_host_list"]
            made["nodes"] = hosts
        made["parameters"] = self._parameters(resource, parameters)
        made |= self.meta_and_operations(resource)
        made = {key: value for key, value in made.items() if value}
        if not self.valid(Device, made, resource, f"stonith {resource.id}"):
            return None
        self._made.places["fencing", "devices", resource.id] = places_of(resource)
        self._made.numbers["fencing", "devices", resource.id] = resource.by
        return made

    def _all_fenced(self) -> bool:
        """Return whether devices with lists of hosts reach every node between them."""
        lists = [
            device.parameters.get("pcmk_host_list", "") for device in self._cluster.fencing.values()
        ]
        return set(self._nodes) <= {name for names in lists for name in re.split(r"[\s,;]+", names)}

    def _parameters(
        self, resource: ReplayedResource, parameters: Mapping[str, str]
    ) -> InventoryData:
        return {
            key: {"secret": secret_name(resource.id, key)} if is_secret(key) else scalar(value)
            for key, value in parameters.items()
        }

    def meta_and_operations(self, resource: ReplayedResource) -> InventoryData:
        """Return a resource's meta attributes and operations, those that it has."""
        meta = self._meta(resource, resource.meta, RESOURCE_META)
        operations = [self._operation(resource, operation) for operation in resource.operations]
        every = {"meta": meta, "operations": operations}
        return {key: value for key, value in every.items() if value}

    def _meta(
        self, resource: ReplayedResource, meta: Mapping[str, str], kinds: Mapping[str, Any]
    ) -> InventoryData:
        made: InventoryData = {}
        for name, text in meta.items():
            fit = fitting(kinds[name][0], text) if name in kinds else None
            if fit is not None:
                made[name] = fit
            elif today(name) in CLONE_META and name not in kinds:
                self._does_nothing(resource, name, f"{resource.id} meta {name}={text}")
            else:
                why = "Pacemaker has no such option, or does not accept this value"
                self.say(
                    resource.place,
                    f"{resource.id} meta {name}={text}",
                    why,
                    "check what was intended",
                )
        return made

    def _does_nothing(self, resource: ReplayedResource, name: str, text: str) -> None:
        """Report an option of clones on a primitive, where it was set."""
        reason = "it is an option of clones: on the primitive it does nothing"
        advice = f"if it was intended, add it to {resource.copies}" if resource.copies else ""
        by, place = resource.meta_set.get(name, (None, resource.place))
        entry = ReportLine(Fate.DOUBTFUL, place, text, reason, advice)
        if by is None:
            self._made.entries.append(entry)
        else:
            self._made.problems.append((by, entry))

    def _operation(self, resource: ReplayedResource, operation: Mapping[str, str]) -> InventoryData:
        made: InventoryData = {}
        for key, text in operation.items():
            name = _OPERATION.get(key, key)
            if name in {
                "name",
                "interval",
                "timeout",
                "on_fail",
                "role",
                "start_delay",
                "enabled",
                "record_pending",
                "check_level",
            }:
                made[name] = text if name in {"name", "role", "on_fail"} else scalar(text)
            else:
                self.say(
                    resource.place,
                    f"{resource.id} op {operation.get('name')} {key}={text}",
                    "this option of an operation has no place in the inventory",
                    "",
                )
        return made

    def valid(
        self,
        kind: type[Part],
        made: InventoryData,
        source: ReplayedResource | ReplayedConstraint,
        text: str,
    ) -> bool:
        """Return whether the inventory takes a part; report why when it does not."""
        try:
            kind.model_validate(_as_read(made))
        except ValidationError as error:
            advice = "add it to the inventory by hand"
            self.say(source.place, text, what_is_wrong(error), advice, source.by)
            return False
        return True

    def resource(self, source: ReplayedResource) -> InventoryData | None:
        """Return a resource as the inventory has it; None when it cannot be there."""
        made: InventoryData = {
            "agent": source.agent,
            "parameters": self._parameters(source, source.parameters),
        }
        made |= self.meta_and_operations(source)
        made["group"] = self._cluster.group_of(source.id)
        made["disabled"] = source.disabled
        made = {key: value for key, value in made.items() if value}
        if source.copies:
            made[source.copies] = self._meta(
                source, source.clone_meta, {**RESOURCE_META, **CLONE_META}
            )
        if not self.valid(ResourceEntry, made, source, f"resource {source.id}"):
            return None
        self._made.written.update(
            {source.by, *(number for number, _ in source.touched)} - _idle(source)
        )
        self._made.places["resources", source.id] = places_of(source)
        self._made.numbers["resources", source.id] = source.by
        return made


def constraint_data(constraint: ReplayedConstraint, names: list[str]) -> InventoryData:
    """Return a constraint by the inventory's keys, without what is the default there."""
    options = dict(constraint.options)
    if constraint.kind == "order":
        made: InventoryData = {"first": names[0], "then": names[1]}
        for key in ("first_action", "then_action"):
            if options.pop(key, "start") != "start":
                made[key] = constraint.options[key]
        flags = {key: value == "true" for key, value in options.items() if key != "kind"}
        return {**made, **{k: v for k, v in options.items() if k == "kind"}, **flags}
    if constraint.kind == "colocation":
        made = {"resource": names[0], "with": names[1]}
    else:
        made = {"resource": names[0]}
    if options.get("score") == "INFINITY":
        del options["score"]
    return {**made, **{k: scalar(v) if k in {"score", "value"} else v for k, v in options.items()}}


def _as_read(value: Any) -> Any:
    """Return plain data as the inventory's reader would hand it over: sequences are tuples."""
    if isinstance(value, dict):
        return {key: _as_read(item) for key, item in value.items()}
    return tuple(map(_as_read, value)) if isinstance(value, list) else value


def _idle(resource: ReplayedResource) -> set[int]:
    """Return the commands that set nothing but options of clones on the primitive."""
    clones = {name for name in resource.meta_set if today(name) in CLONE_META}
    useful = {number for name, (number, _) in resource.meta_set.items() if name not in clones}
    return {resource.meta_set[name][0] for name in clones} - useful


def places_of(resource: ReplayedResource) -> str:
    """Return where a resource was made and changed."""
    idle = _idle(resource)
    places = dict.fromkeys(
        [resource.place, *(at for number, at in resource.touched if number not in idle)]
    )
    return ", ".join(map(str, places))


def what_is_wrong(error: ValidationError) -> str:
    """Return what is wrong, without the value itself, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
