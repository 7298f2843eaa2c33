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
from pacefab.legacy.masking import is_secret, secret_name
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.pcs.cluster import ReplayedCluster, ReplayedConstraint, ReplayedResource
from pacefab.legacy.pcs.dialect import today
from pacefab.legacy.pcs.forms import members_of

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
    """Makes parts, and tells in the draft what has no place.

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
        """Tell what has no place; `by`: the command that desired it."""
        entry = ReportLine(Fate.UNTRANSLATED, place, text, reason, advice)
        if by is None:
            self._made.entries.append(entry)
        else:
            self._made.problems.append((by, entry))

    def device(self, one: ReplayedResource) -> InventoryData | None:
        """Return a fencing device as the inventory has it; None when it cannot be there."""
        made: InventoryData = {"agent": one.agent}
        parameters = dict(one.parameters)
        hosts = re.split(r"[\s,;]+", parameters.get("pcmk_host_list", "").strip())
        if hosts[0] and set(hosts) <= set(self._nodes) and self._all_fenced():
            del parameters["pcmk_host_list"]
            made["nodes"] = hosts
        made["parameters"] = self._parameters(one, parameters)
        self._meta_and_operations(one, made)
        made = {key: value for key, value in made.items() if value}
        if not self.valid(Device, made, one, f"stonith {one.id}"):
            return None
        self._made.places["fencing", "devices", one.id] = places_of(one)
        return made

    def _all_fenced(self) -> bool:
        """Tell whether devices with lists of hosts reach every node between them."""
        lists = [one.parameters.get("pcmk_host_list", "") for one in self._cluster.fencing.values()]
        return set(self._nodes) <= {name for one in lists for name in re.split(r"[\s,;]+", one)}

    def _parameters(self, one: ReplayedResource, parameters: Mapping[str, str]) -> InventoryData:
        return {
            key: {"secret": secret_name(one.id, key)} if is_secret(key) else scalar(value)
            for key, value in parameters.items()
        }

    def _meta_and_operations(self, one: ReplayedResource, made: InventoryData) -> None:
        made["meta"] = self._meta(one, one.meta, RESOURCE_META)
        made["operations"] = [self._operation(one, each) for each in one.operations]

    def _meta(
        self, one: ReplayedResource, meta: Mapping[str, str], kinds: Mapping[str, Any]
    ) -> InventoryData:
        made: InventoryData = {}
        for name, text in meta.items():
            fit = fitting(kinds[name][0], text) if name in kinds else None
            if fit is not None:
                made[name] = fit
            elif today(name) in CLONE_META and name not in kinds:
                self._does_nothing(one, name, f"{one.id} meta {name}={text}")
            else:
                why = "Pacemaker knows no such option, or not this value"
                self.say(one.place, f"{one.id} meta {name}={text}", why, "see what was meant")
        return made

    def _does_nothing(self, one: ReplayedResource, name: str, text: str) -> None:
        """Tell of an option of clones on a primitive, where it was set."""
        reason = "it is an option of clones: on the primitive it does nothing"
        advice = f"if it was meant, write it below {one.copies}" if one.copies else ""
        by, place = one.meta_set.get(name, (None, one.place))
        told = ReportLine(Fate.DOUBTFUL, place, text, reason, advice)
        if by is None:
            self._made.entries.append(told)
        else:
            self._made.problems.append((by, told))

    def _operation(self, one: ReplayedResource, operation: Mapping[str, str]) -> InventoryData:
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
                    one.place,
                    f"{one.id} op {operation.get('name')} {key}={text}",
                    "this option of an operation has no place in the inventory",
                    "",
                )
        return made

    def valid(
        self,
        kind: type[Part],
        made: InventoryData,
        one: ReplayedResource | ReplayedConstraint,
        text: str,
    ) -> bool:
        """Tell whether the inventory takes a part; say why when it does not."""
        try:
            kind.model_validate(_as_read(made))
        except ValidationError as error:
            advice = "write it into the inventory by hand"
            self.say(one.place, text, told(error), advice, one.by)
            return False
        return True

    def resource(self, one: ReplayedResource) -> InventoryData | None:
        """Return a resource as the inventory has it; None when it cannot be there."""
        made: InventoryData = {
            "agent": one.agent,
            "parameters": self._parameters(one, one.parameters),
        }
        self._meta_and_operations(one, made)
        made["group"] = members_of(self._cluster, one.id)
        made["disabled"] = one.disabled
        made = {key: value for key, value in made.items() if value}
        if one.copies:
            made[one.copies] = self._meta(one, one.clone_meta, {**RESOURCE_META, **CLONE_META})
        if not self.valid(ResourceEntry, made, one, f"resource {one.id}"):
            return None
        self._made.written.update({one.by, *(number for number, _ in one.touched)} - _idle(one))
        self._made.places["resources", one.id] = places_of(one)
        return made


def constraint_data(one: ReplayedConstraint, names: list[str]) -> InventoryData:
    """Return a constraint by the inventory's keys, without what is the default there."""
    options = dict(one.options)
    if one.kind == "order":
        made: InventoryData = {"first": names[0], "then": names[1]}
        for key in ("first_action", "then_action"):
            if options.pop(key, "start") != "start":
                made[key] = one.options[key]
        flags = {key: value == "true" for key, value in options.items() if key != "kind"}
        return {**made, **{k: v for k, v in options.items() if k == "kind"}, **flags}
    if one.kind == "colocation":
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


def _idle(one: ReplayedResource) -> set[int]:
    """Return the commands that set nothing but options of clones on the primitive."""
    clones = {name for name in one.meta_set if today(name) in CLONE_META}
    useful = {number for name, (number, _) in one.meta_set.items() if name not in clones}
    return {one.meta_set[name][0] for name in clones} - useful


def places_of(one: ReplayedResource) -> str:
    """Return where a resource was made and changed."""
    idle = _idle(one)
    places = dict.fromkeys([one.place, *(at for number, at in one.touched if number not in idle)])
    return ", ".join(map(str, places))


def told(error: ValidationError) -> str:
    """Return what is wrong, without the value itself, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
