"""The levels of crmsh beside configure: resource, node, cluster, cib and the reading ones."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from pacefab.legacy.cluster.book import Job
from pacefab.legacy.cluster.changes import merge, put, touch
from pacefab.legacy.cluster.formation import crm_members
from pacefab.legacy.cluster.model import ReplayedGroup, Value
from pacefab.legacy.cluster.naming import meta_of_today
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    removed,
    translated,
)
from pacefab.legacy.crm.attributes import CrmWords
from pacefab.legacy.crm.edits import set_meta, switch
from pacefab.legacy.options import UnknownOptionError
from pacefab.legacy.unknown import is_known

_ONCE = {
    "restart": "it restarts a resource once", "cleanup": "it clears recorded failures",
    "refresh": "it probes the nodes again", "reprobe": "it probes the nodes again",
    "failcount": "it shows or clears recorded failures", "clear": "it reverts a move or ban",
    "unmove": "it reverts a move", "unmigrate": "it reverts a move",
    "unban": "it reverts a ban",
}  # fmt: skip
_STATES = {"standby", "online", "maintenance", "ready", "fence", "clearstate", "status-attr"}
ASKING = {"status", "show", "list", "locate", "operations", "constraints", "scores"}
ONCE = {*(("resource", name) for name in _ONCE), *(("node", name) for name in _STATES)}
_STATE = "a temporary state: not part of a configuration"
_CLUSTER = {
    "start": "fab bootstrap does it", "enable": "fab bootstrap does it",
    "stop": "a one-time action", "restart": "a one-time action",
    "disable": "a one-time action", "copy": "it copies a file to the nodes once",
    "status": "it only queries", "health": "it only queries", "diff": "it only queries",
    "wait_for_startup": "it waits", "crash_test": "it tests the cluster once",
}  # fmt: skip


def resource(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    """Do a command of the level resource."""
    if name in _RESOURCE:
        return _RESOURCE[name](job, name, words)
    return left_out(f"{_ONCE[name]}: not part of a configuration")


def _switch(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    return switch(job, _plain(words), disabled=name in {"stop", "disable"})


def _manage(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    return set_meta(job, words.any("a resource"), "is-managed", str(name == "manage").lower())


def _maintain(job: Job, _name: str, words: CrmWords) -> ReplayOutcome:
    one, state = words.any("a resource"), [*words.rest(), "true"][0]
    on = state.lower() not in {"off", "false"}
    return set_meta(job, one, "maintenance", str(on).lower())


def _promote(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    role = "Promoted" if name == "promote" else "Unpromoted"
    return set_meta(job, words.any("a resource"), "target-role", role)


def _trace(_job: Job, _name: str, _words: CrmWords) -> ReplayOutcome:
    raise UntranslatableError("tracing has no place in the inventory", "trace it by hand")


def _plain(words: CrmWords) -> list[str]:
    return [word for word in words.rest() if word not in {"force", "-f", "--force"}]


def asked_for(job: Job, names: list[str]) -> ReplayOutcome:
    """Answer a query by whether what it names is there: scripts guard their commands by that."""
    ids = [name for name in names if name not in {"xml", "changed"} and ":" not in name]
    if not ids:
        return left_out("it only queries", output=None)
    if not is_known(*ids):
        return left_out("it only queries", status=None, output=None)
    known = job.cluster.ids()
    there = all(name in known for name in ids)
    return left_out("it only queries", status=0 if there else 1, output=None if there else "")


def _moved(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    one, where = words.any("a resource"), _plain(words)
    node = where[0] if where else "the node where it runs"
    on = name != "ban" and where
    job.doubt(
        f"this leaves a constraint that keeps {one} {'on' if on else 'off'} {node} permanently",
        "add a location constraint if that is meant to be permanent",
    )
    return left_out("it moves a resource once: not part of a configuration")


def _one_value(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    """Do `param|meta RESOURCE set|delete|show NAME [VALUE]`."""
    one, verb, key = words.any("a resource"), words.any("set or delete"), words.any("a name")
    value = words.any("a value") if verb == "set" else ""
    if verb in {"show", "get", "check"}:
        return left_out("it only queries", output=None)
    if verb not in {"set", "delete"} or name in {"utilization", "secret"}:
        raise UntranslatableError(
            f"{name} {verb} has no place in the inventory", "keep it as a separate step"
        )
    found = job.find(one)
    if isinstance(found, ReplayedGroup) and name == "param":
        raise UntranslatableError(
            "parameters of a group have no place in the inventory", "write them at its members"
        )
    if key == "target-role" and value.lower() in {"", "started", "stopped"}:
        return switch(job, [one], disabled=value.lower() == "stopped")
    touch(job, found)
    if name == "param" and not isinstance(found, ReplayedGroup):
        merge(found.parameters, {key: value})
    else:
        shelf = found.meta if one == found.id else found.clone_meta
        merge(shelf, meta_of_today({key: value}))
    return translated(f"{one}: {key}={value}")


def node(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    """Do a command of the level node."""
    if name == "attribute":
        which, verb, key = words.any("a node"), words.any("set or delete"), words.any("a name")
        if verb in {"show", "get"}:
            return left_out("it only queries", output=None)
        value = words.any("a value") if verb == "set" else ""
        put(job.cluster.attributes.setdefault(which, {}), key, value, job)
        if not value:
            return removed(f"it removes what was set before, if anything: {key}")
        return translated(f"attribute of node {which}: {key}={value}")
    if name == "utilization":
        raise UntranslatableError("utilization has no place in the inventory", "set it with pcs")
    if name in {"show", "list", "status", "server"}:
        return left_out("it only queries", output=None)
    if name == "delete":
        job.cluster.nodes.pop(words.any("a node"), None)
        return removed("it removes a node")
    reasons = {"fence": "it fences a node once", "clearstate": "it clears a node's state once",
               "status-attr": "it lasts until the node restarts"}  # fmt: skip
    return left_out(reasons.get(name, _STATE))


def cluster(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    """Do a command of the level cluster."""
    if name in {"init", "join", "add"}:
        return _members(job, name, words.rest())
    if name in {"remove", "delete"}:
        for one in words.rest():
            job.cluster.nodes.pop(one, None)
        return removed("it removes a node")
    if name == "rename":
        job.cluster.name = Value(words.any("a name"), job.place, job.number)
        return translated(f"the cluster's name is {job.cluster.name.text}")
    if name == "run":
        raise UntranslatableError(
            f"it runs a command on the nodes: {' '.join(words.rest())}",
            "check what it does, and add that by hand",
        )
    if name.startswith("geo"):
        raise UntranslatableError("the inventory has nothing for several sites", "keep it apart")
    return left_out(_CLUSTER[name], output=None if "queries" in _CLUSTER[name] else "")


def _members(job: Job, name: str, words: list[str]) -> ReplayOutcome:
    host = job.call.host
    try:
        members = crm_members(name, words, host, job.book.names)
    except UnknownOptionError as error:
        raise NotUnderstoodError(f"cluster {name} has no option {error}") from error
    for one in members.every:
        job.cluster.nodes.setdefault(one, Value(one, job.place, job.number))
    if name == "init":
        job.cluster.name = Value(members.name or "hacluster", job.place, job.number)
    if members.options.values("s", "l", "o"):
        job.doubt(
            "fencing by a shared disk (SBD), a quorum device or a shared file system is not "
            "taken over",
            "decide about fencing, and set the others up by hand",
        )
    nodes = list(members.nodes)
    if not host and name != "add":
        nodes.insert(0, "the node where it is run")
        job.book.unplaced.setdefault(job.book.script, job.place)
        job.doubt(
            "the node where it is run is a member, and nothing names it",
            "say which with --on HOST=SCRIPT, or see that the inventory's nodes have it",
        )
    listed = ", ".join(nodes)
    return translated(
        f"{'cluster ' + job.cluster.name.text + ' of' if job.cluster.name else 'node'} {listed}"
    )


def cib(job: Job, name: str, words: CrmWords) -> ReplayOutcome:
    """Follow shadow CIBs: `cib new NAME`, and `cib commit NAME`; what uses one says so itself."""
    file = next((word for word in words.rest() if word not in {"empty", "withstatus", "force"}), "")
    copies = job.book.copies
    if name == "new" and file:
        copies[file] = copy.deepcopy(job.book.cluster)
        return left_out(
            f"it copies the CIB into {file}; what is changed there counts once committed"
        )
    if name == "commit":
        file = file or job.call.file
        if file not in copies:
            raise RefusedCommandError(f"there is no shadow CIB {file or 'in use'}")
        job.book.cluster = copy.deepcopy(copies[file])
        job.book.pushed.add(file)
        return left_out(f"it puts {file} in place; the commands that changed it are translated")
    if name == "reset" and file:
        copies[file] = copy.deepcopy(job.book.cluster)
    if name == "import":
        raise UntranslatableError(f"the contents of {file} are unknown", "add them by hand")
    return left_out("it only chooses or shows a copy of the CIB")


OperatingHandler = Callable[[Job, str, CrmWords], ReplayOutcome]
_RESOURCE: Mapping[str, OperatingHandler] = {
    **dict.fromkeys(("start", "stop", "enable", "disable"), _switch),
    **dict.fromkeys(("manage", "unmanage"), _manage),
    **dict.fromkeys(("promote", "demote"), _promote),
    **dict.fromkeys(("param", "meta", "utilization", "secret"), _one_value),
    **dict.fromkeys(("trace", "untrace"), _trace),
    **dict.fromkeys(("move", "migrate", "ban"), _moved),
    "maintenance": _maintain,
}
OPERATING: Mapping[str, OperatingHandler] = {
    "resource": resource,
    "node": node,
    "cluster": cluster,
    "cib": cib,
}
