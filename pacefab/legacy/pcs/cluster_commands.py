"""`pcs cluster …`, `pcs property …`, `pcs node …` and their kind on the model."""

from __future__ import annotations

import copy
import difflib

from pacefab.legacy.pcs.cluster import Value
from pacefab.legacy.pcs.dialect import NotUnderstoodError, pairs
from pacefab.legacy.pcs.forms import put
from pacefab.legacy.pcs.outcome import (
    Job,
    RefusedByPcsError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    translated,
)

_BOOTSTRAP = "fab bootstrap does it"
_LEFT_OUT = {
    "auth": _BOOTSTRAP, "start": _BOOTSTRAP, "enable": _BOOTSTRAP, "sync": _BOOTSTRAP,
    "authkey": _BOOTSTRAP, "pcsd-status": "it only asks", "status": "it only asks",
    "corosync": "it only asks", "verify": "it only asks", "report": "it only asks",
    "config": "it only asks", "stop": "a step of the moment", "kill": "a step of the moment",
    "disable": "a step of the moment", "reload": "a step of the moment",
    "certkey": "certificates of pcsd are its own matter", "edit": "done by hand in an editor",
    "standby": "a state of the moment", "unstandby": "a state of the moment",
    "destroy": "it takes everything away", "cib-upgrade": "pcs does it by itself today",
    "uidgid": "users of corosync are its own matter", "remote-node": "see the remote resource",
    "node": "", "setup": "", "cib": "", "cib-push": "", "quorum": "",
}  # fmt: skip


def cluster(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs cluster …`."""
    verb, *rest = words or [""]
    if verb == "setup":
        return _setup(job, rest)
    if verb == "node":
        return _members(job, rest)
    if verb in {"cib", "cib-push"}:
        return _cib(job, verb, rest)
    if verb == "auth" and "-p" in job.line.options:
        job.doubt(
            "hacluster's password stands in the command line, which every user of the node sees",
            "give it to fab bootstrap as the secret hacluster",
            text="pcs cluster auth … -p ***",
        )
    if verb == "destroy":
        return _destroy(job)
    if verb not in _LEFT_OUT:
        _misspelt("cluster", verb, list(_LEFT_OUT))
    if verb == "status":
        return asks(job, rest)
    return left_out(_LEFT_OUT[verb], output=None if "asks" in _LEFT_OUT[verb] else "")


def _misspelt(noun: str, verb: str, known: list[str]) -> None:
    close = difflib.get_close_matches(verb, known, 1)
    raise NotUnderstoodError(
        f"there is no pcs {noun} {verb}{f': {close[0]}?' if close else ''}".strip()
    )


def _setup(job: Job, words: list[str]) -> ReplayOutcome:
    """Take name and nodes; in 0.9 the name is an option, and nodes may have a second ring."""
    name = job.line.options.get("--name", "")
    if not name and words:
        name, *words = words
    words = [word for word in words if "=" not in word and word not in {"transport", "link"}]
    if not name or not words:
        raise NotUnderstoodError("setup needs a name and nodes")
    if job.cluster.nodes and not job.line.options.keys() & {"--force"}:
        raise RefusedByPcsError(
            f"the nodes are in cluster {job.cluster.name and job.cluster.name.text} already"
        )
    job.cluster.name = Value(name, job.place, job.number)
    job.cluster.nodes.clear()
    for word in words:
        job.cluster.nodes[word.partition(",")[0]] = Value(word, job.place, job.number)
    more = [
        one
        for one in job.line.options
        if one not in {"--name", "--force", "--start", "--enable", "--wait"}
    ]
    if more or any("," in word for word in words):
        job.doubt(
            f"options of corosync are not taken over: {' '.join(more) or 'a second ring'}",
            "bootstrap uses pcs's own choice (knet, encrypted)",
        )
    return translated(f"cluster {name} of {', '.join(job.cluster.nodes)}")


def _members(job: Job, words: list[str]) -> ReplayOutcome:
    verb, *rest = words or [""]
    if verb == "add" and rest:
        job.cluster.nodes[rest[0].partition(",")[0]] = Value(rest[0], job.place, job.number)
        return translated(f"node {rest[0]}")
    if verb in {"remove", "delete"} and rest:
        for name in rest:
            job.cluster.nodes.pop(name, None)
        return left_out("it takes a node away again")
    if verb in {"add-remote", "add-guest"}:
        raise UntranslatableError(
            "a remote node made so has no place in the inventory",
            "write a resource with agent: ocf:pacemaker:remote",
        )
    raise NotUnderstoodError(f"there is no pcs cluster node {verb}")


def _cib(job: Job, verb: str, words: list[str]) -> ReplayOutcome:
    """Follow a copy of the CIB: written, changed by `pcs -f FILE`, and pushed."""
    name = words[0] if words else ""
    if not name:
        return left_out("it only asks", output=None)
    if verb == "cib":
        job.book.copies[name] = copy.deepcopy(job.book.cluster)
        return left_out(f"it copies the CIB into {name}; what is changed there counts once pushed")
    if name not in job.book.copies:
        raise UntranslatableError(
            f"nobody knows what is in {name}", "write what it holds into the inventory by hand"
        )
    job.book.cluster = copy.deepcopy(job.book.copies[name])
    job.book.pushed.add(name)
    return left_out(f"it puts {name} in place; the commands that changed it are translated")


def _destroy(job: Job) -> ReplayOutcome:
    if job.cluster.resources or job.cluster.nodes:
        raise UntranslatableError(
            "it takes away the whole cluster that was made before: not followed",
            "see whether this is a script that takes down, and leave it out of the folder",
        )
    return left_out("there is nothing to destroy yet")


def properties(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs property …`."""
    verb, *rest = words or [""]
    if verb in {"", "show", "list", "config", "defaults", "describe"}:
        return left_out("it only asks", output=None)
    if verb not in {"set", "unset", "remove"}:
        _misspelt("property", verb, ["set", "unset", "show", "list", "config"])
    values = pairs(rest) if verb == "set" else dict.fromkeys(rest, "")
    node_name = job.line.options.get("--node", "")
    if node_name:
        return _attributes(job, node_name, values)
    return _settings(job, values)


def _settings(job: Job, values: dict[str, str]) -> ReplayOutcome:
    taken = [name for name, value in values.items() if not value]
    if len(taken) == len(values):
        for name in taken:
            put(job.cluster.properties, name, "", job)
        return left_out(f"it takes away what was set before, if anything: {', '.join(taken)}")
    for name, value in values.items():
        put(job.cluster.properties, name, value, job)
    return translated("property " + ", ".join(f"{name}={value}" for name, value in values.items()))


def _attributes(job: Job, name: str, values: dict[str, str]) -> ReplayOutcome:
    shelf = job.cluster.attributes.setdefault(name, {})
    for attribute, value in values.items():
        put(shelf, attribute, value, job)
    if not any(values.values()):
        return left_out(f"it takes away what was set before, if anything: {', '.join(values)}")
    told = ", ".join(f"{attribute}={value}" for attribute, value in values.items())
    return translated(f"attribute of node {name}: {told}")


def node(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs node …`."""
    verb, *rest = words or [""]
    if verb == "attribute" and len(rest) > 1:
        return _attributes(job, rest[0], pairs(rest[1:]))
    if verb == "utilization" and len(rest) > 1:
        raise UntranslatableError("utilization has no place in the inventory", "keep it by pcs")
    if verb in {"attribute", "utilization"}:
        return left_out("it only asks", output=None)
    if verb in {"standby", "unstandby", "maintenance", "unmaintenance"}:
        return left_out("a state of the moment: no part of a configuration")
    _misspelt("node", verb, ["attribute", "utilization", "standby", "unstandby", "maintenance"])
    return left_out("")


def asks(job: Job, _words: list[str]) -> ReplayOutcome:
    """Do `pcs status …`: it goes well once a script has set the cluster up."""
    return left_out("it only asks", status=0 if job.cluster.nodes else None, output=None)


def configuration(_job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs config …`: it asks, or works on backups."""
    if words and words[0] in {"backup", "restore", "import-cman", "checkpoint"}:
        return left_out("backups of the configuration: fab history has them")
    return left_out("it only asks", output=None)


def host(_job: Job, _words: list[str]) -> ReplayOutcome:
    """Do `pcs host auth`."""
    return left_out(_BOOTSTRAP)


def pcsd(_job: Job, _words: list[str]) -> ReplayOutcome:
    """Do `pcs pcsd …`."""
    return left_out("certificates of pcsd are its own matter")


def quorum(_job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs quorum …`."""
    if not words or words[0] in {"status", "config", "show"}:
        return left_out("it only asks", output=None)
    raise UntranslatableError(
        "options of corosync's quorum have no place in the inventory",
        "after bootstrap: pcs quorum " + " ".join(words),
    )


def advice(words: list[str]) -> str:
    """Return what to do by hand about a command with a part that nobody can know."""
    match words[:2]:
        case ["property", _]:
            return "write the attribute at each node it is meant for: nodes: attributes"
        case ["constraint", "location"]:
            return "write constraints: location for each resource it is meant for"
        case ["constraint", _]:
            return "write it below constraints, with the resources it is meant for"
        case ["resource" | "stonith", "create"]:
            return "write it below resources (or fencing), with the value of this cluster"
        case ["cluster", "setup" | "auth"]:
            return "write the nodes and the cluster's name by hand"
    return "look the value up on the cluster, and write it into the inventory by hand"
