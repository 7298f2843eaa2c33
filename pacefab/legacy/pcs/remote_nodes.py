"""`pcs cluster node add-remote`, `add-guest` and their removals on the model.

Both generations of pcs have them; 0.9 takes a remote node's host first and its name second, and
once called a guest node `cluster remote-node`.
"""

from __future__ import annotations

from pacefab.addresses import is_address
from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.changes import merge, remove_resource
from pacefab.legacy.cluster.model import ReplayedResource
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    removed,
    translated,
)
from pacefab.legacy.pcs.dialect import pairs, split_create
from pacefab.legacy.pcs.forms import one_resource
from pacefab.legacy.pcs.resource_commands import add
from pacefab.pacemaker.placement.remote import CONNECTION

REMOTE_NODE = "remote-node"
_GUEST = ("remote-node", "remote-addr", "remote-port", "remote-connect-timeout")


def add_remote(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `add-remote NAME [ADDRESS] [options] [op …] [meta …]`: make the connection."""
    if not words:
        raise NotUnderstoodError("add-remote needs the name of a node")
    name, *rest = words
    if rest and "=" not in rest[0] and rest[0] not in {"op", "meta"}:
        server = rest.pop(0)
        if is_address(name) and not is_address(server):
            name, server = server, name
        rest.insert(0, f"server={server}")
    return add(job, name, CONNECTION, split_create(rest), job.cluster.resources)


def add_guest(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `add-guest NAME RESOURCE [options]`: meta attributes of the resource that makes it."""
    if len(words) < 2:  # noqa: PLR2004  # name and resource
        raise NotUnderstoodError("add-guest needs the name of a node and a resource")
    name, resource, *options = words
    found, _ = one_resource(job, [resource], "add-guest")
    merge(found.meta, {REMOTE_NODE: name, **pairs(options)})
    return translated(f"{found.id}: makes the guest node {name}")


def remove_remote(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `remove-remote NODE`, by its name or its server: the connection goes."""
    for resource in [*job.cluster.resources.values()]:
        known = {resource.id, resource.parameters.get("server")}
        if resource.agent == CONNECTION and known & set(words[:1]):
            remove_resource(job, resource)
            return removed(f"it removes what was created before: {resource.id} ({resource.place})")
    raise _none("remote", words)


def remove_guest(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `remove-guest NODE`, by its name, its address or its resource."""
    for resource in job.cluster.resources.values():
        if REMOTE_NODE in resource.meta and _names(resource) & set(words[:1]):
            name = resource.meta[REMOTE_NODE]
            one_resource(job, [resource.id], "remove-guest")
            merge(resource.meta, dict.fromkeys(_GUEST, ""))
            return translated(f"{resource.id}: makes no guest node {name} any more")
    raise _none("guest", words)


def _names(resource: ReplayedResource) -> set[str]:
    meta = resource.meta
    return {resource.id, meta[REMOTE_NODE], meta.get("remote-addr", meta[REMOTE_NODE])}


def _none(kind: str, words: list[str]) -> RefusedCommandError:
    return RefusedCommandError(
        f"there is no {kind} node {' '.join(words[:1])} at this point",
        "check whether the scripts run in another order, or the name is misspelt",
    )
