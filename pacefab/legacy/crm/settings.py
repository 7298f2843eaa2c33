"""property, rsc_defaults, op_defaults, node and fencing_topology of crmsh on the model."""

from __future__ import annotations

import re

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.changes import put
from pacefab.legacy.cluster.model import Level, Value
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    ReplayOutcome,
    UntranslatableError,
    removed,
    translated,
)
from pacefab.legacy.crm.attributes import CrmWords, attribute_lists
from pacefab.legacy.crm.context import CrmContext, CrmHandler, untranslated

_SET_ID = re.compile(r"[\w-]+:")
_NODE_ID = re.compile(r"\$id=(?P<id>.*)|(?P<new>[\w-]+):", re.IGNORECASE)
_NODE = re.compile(r"(?P<name>[^:]+)(?::(?P<type>normal|member|ping|remote))?", re.IGNORECASE)
_TARGET = re.compile(r"(?:attr:[\w-]+=[\w-]+|pattern:.+|[^:]+:)", re.IGNORECASE)


def settings(name: str) -> CrmHandler:
    """Return the handler of `property`, `rsc_defaults` or `op_defaults`."""
    return lambda context, job, words: _settings(context, job, words, name)


def _settings(context: CrmContext, job: Job, words: CrmWords, name: str) -> ReplayOutcome:
    words.matching(_SET_ID)
    shelf = {
        "property": job.cluster.properties,
        "rsc_defaults": job.cluster.defaults,
        "op_defaults": job.cluster.operation_defaults,
    }[name]
    lists = attribute_lists(words, (), "values")
    values = context.resolved(lists[0], name) if lists else {}
    if lists and None in lists[0].values.values():
        without = [key for key, value in lists[0].values.items() if value is None]
        raise NotUnderstoodError(f"{', '.join(without)} has no value")
    for key, value in values.items():
        put(shelf, key, value, job)
    if name == "property" and "cluster-name" in values and job.cluster.name is None:
        job.cluster.name = Value(values["cluster-name"], job.place, job.number)
    if not any(values.values()):
        return removed(f"it removes what was set before, if anything: {', '.join(values)}")
    return translated(f"{name} {' '.join(f'{key}={value}' for key, value in values.items())}")


def node(context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `node [ID:] NAME[:TYPE] [attributes …] [utilization …]`."""
    words.matching(_NODE_ID)
    word = words.any("a node")
    found = _NODE.fullmatch(word)
    if found is None:
        raise NotUnderstoodError(f"{word} is no NODE[:TYPE]")
    name = found["name"]
    words.description()
    lists = attribute_lists(words, ("attributes", "utilization"), "attributes")
    if (found["type"] or "").lower() in {"ping", "remote"}:
        raise UntranslatableError(
            f"nodes of type {found['type']} have no place in the inventory",
            "add a remote node with role: remote",
        )
    job.cluster.nodes.setdefault(name, Value(name, job.place, job.number))
    attributes: dict[str, str] = {}
    for one in lists:
        if one.kind == "attributes":
            attributes.update(context.resolved(one, name))
        else:
            listed = " ".join(f"{key}={value}" for key, value in one.texts().items())
            advice = f"after deploy: pcs node utilization {name} {listed}"
            untranslated(job, f"utilization has no place in the inventory: {listed}", advice)
    for key, value in attributes.items():
        put(job.cluster.attributes.setdefault(name, {}), key, value, job)
    listed = "".join(f" {key}={value}" for key, value in attributes.items())
    return translated(f"node {name}{listed}")


def fencing_topology(_context: CrmContext, job: Job, words: CrmWords) -> ReplayOutcome:
    """Do `fencing_topology [NODE:] DEVICE[,DEVICE…] …`: levels have no place in the inventory."""
    targets: dict[str, list[str]] = {}
    target = ""
    for word in words.rest():
        if _TARGET.fullmatch(word):
            target = word.removesuffix(":")
        else:
            targets.setdefault(target, []).append(word)
    if not targets:
        raise NotUnderstoodError("fencing_topology needs devices")
    advice: list[str] = []
    for each in [*job.cluster.nodes] if "" in targets else [*targets]:
        for number, devices in enumerate(targets.get(each, targets.get("", [])), 1):
            made = Level(str(number), each, devices.split(","), job.place, job.number)
            job.cluster.levels.append(made)
            advice.append(f"pcs stonith level add {number} {each} {devices}")
    raise UntranslatableError(
        "fencing levels have no place in the inventory",
        f"after bootstrap: {'; '.join(advice) or 'pcs stonith level add LEVEL NODE DEVICE'}",
    )
