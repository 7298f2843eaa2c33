"""`pcs cluster …`, `pcs property …`, `pcs node …` and their kind on the model."""

from __future__ import annotations

import copy

from pacefab.legacy.cluster.book import Job, ReplayHandler
from pacefab.legacy.cluster.changes import put
from pacefab.legacy.cluster.formation import KEYWORDS
from pacefab.legacy.cluster.model import Value
from pacefab.legacy.cluster.outcome import (
    NotUnderstoodError,
    RefusedCommandError,
    ReplayOutcome,
    UntranslatableError,
    left_out,
    no_such,
    removed,
    translated,
)
from pacefab.legacy.pcs.dialect import pairs
from pacefab.legacy.pcs.remote_nodes import add_guest, add_remote, remove_guest, remove_remote

_BOOTSTRAP = "fab bootstrap does it"
_LEFT_OUT = {
    "auth": _BOOTSTRAP, "start": _BOOTSTRAP, "enable": _BOOTSTRAP, "sync": _BOOTSTRAP,
    "authkey": _BOOTSTRAP, "pcsd-status": "it only queries", "status": "it only queries",
    "corosync": "it only queries", "verify": "it only queries", "report": "it only queries",
    "config": "it only queries", "stop": "a one-time action", "kill": "a one-time action",
    "disable": "a one-time action", "reload": "a one-time action",
    "certkey": "pcsd manages its certificates itself", "edit": "an interactive edit",
    "standby": "a temporary state", "unstandby": "a temporary state",
    "destroy": "it removes the whole cluster", "cib-upgrade": "current pcs does this itself",
    "uidgid": "corosync's users are not part of the inventory",
    "remote-node": "",
    "node": "", "setup": "", "cib": "", "cib-push": "", "quorum": "",
}  # fmt: skip
_BY_REMOTE: dict[str, ReplayHandler] = {
    "add-remote": add_remote,
    "add-guest": add_guest,
    "remove-remote": remove_remote,
    "delete-remote": remove_remote,
    "remove-guest": remove_guest,
    "delete-guest": remove_guest,
    "clear": lambda _job, _words: left_out("it clears what is left of a remote node"),
}
_SETUP_OPTIONS = {"--name", "--force", "--start", "--enable", "--wait"}


def cluster(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs cluster …`."""
    verb, *rest = words or [""]
    if verb == "setup":
        return _setup(job, rest)
    if verb in {"node", "remote-node"}:
        return _members(job, rest if verb == "node" else _of_guest(rest))
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
        raise no_such("pcs cluster", verb, _LEFT_OUT)
    if verb == "status":
        return asks(job, rest)
    return left_out(_LEFT_OUT[verb], output=None if "queries" in _LEFT_OUT[verb] else "")


def _setup(job: Job, words: list[str]) -> ReplayOutcome:
    """Take name and nodes; in 0.9 the name is an option, and nodes may have a second ring."""
    name = job.line.options.get("--name", "")
    if not name and words:
        name, *words = words
    at = next((at for at, word in enumerate(words) if word in KEYWORDS), len(words))
    nodes = [word for word in words[:at] if "=" not in word]
    _addresses(job, words[:at])
    if not name or not nodes:
        raise NotUnderstoodError("setup needs a name and nodes")
    if job.cluster.nodes and "--force" not in job.line.options:
        raise RefusedCommandError(
            f"the nodes are in cluster {job.cluster.name and job.cluster.name.text} already"
        )
    job.cluster.name = Value(name, job.place, job.number)
    job.cluster.nodes = {
        node.partition(",")[0]: Value(node, job.place, job.number) for node in nodes
    }
    _doubt_corosync_options(job, nodes, words[at:])
    return translated(f"cluster {name} of {', '.join(job.cluster.nodes)}")


def _addresses(job: Job, words: list[str]) -> None:
    """Take the first address that `NODE addr=ADDRESS` gives a node (pcs 0.10 and newer)."""
    node = ""
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            node = word
        elif name == "addr" and node:
            job.cluster.addresses.setdefault(node, Value(value, job.place, job.number))


def _doubt_corosync_options(job: Job, nodes: list[str], words: list[str]) -> None:
    """Report options of corosync: they are not taken over."""
    options = [option for option in job.line.options if option not in _SETUP_OPTIONS] + words
    if options or any("," in node for node in nodes):
        job.doubt(
            f"options of corosync are not taken over: {' '.join(options) or 'a second ring'}",
            "bootstrap uses pcs's own choice (knet, encrypted)",
        )


def _members(job: Job, words: list[str]) -> ReplayOutcome:
    verb, *rest = words or [""]
    if verb == "add" and rest:
        job.cluster.nodes[rest[0].partition(",")[0]] = Value(rest[0], job.place, job.number)
        return translated(f"node {rest[0]}")
    if verb in {"remove", "delete"} and rest:
        for name in rest:
            job.cluster.nodes.pop(name, None)
        return left_out("it removes a node")
    if verb in _BY_REMOTE:
        return _BY_REMOTE[verb](job, rest)
    raise NotUnderstoodError(f"there is no pcs cluster node {verb}")


def _of_guest(words: list[str]) -> list[str]:
    """Return today's words of `cluster remote-node …`, as pcs 0.9 once called a guest node."""
    return [f"{words[0]}-guest", *words[1:]] if words else words


def _cib(job: Job, verb: str, words: list[str]) -> ReplayOutcome:
    """Follow a copy of the CIB: written, changed by `pcs -f FILE`, and pushed."""
    name = next((word for word in words if "=" not in word), "")  # beside scope=PART
    if not name:
        return left_out("it only queries", output=None)
    if verb == "cib":
        job.book.copies[name] = copy.deepcopy(job.book.cluster)
        return left_out(f"it copies the CIB into {name}; what is changed there counts once pushed")
    if name not in job.book.copies:
        raise UntranslatableError(
            f"the contents of {name} are unknown", "add its contents to the inventory by hand"
        )
    job.book.cluster = copy.deepcopy(job.book.copies[name])
    job.book.pushed.add(name)
    return left_out(f"it puts {name} in place; the commands that changed it are translated")


def _destroy(job: Job) -> ReplayOutcome:
    if job.cluster.resources or job.cluster.nodes:
        raise UntranslatableError(
            "it removes the whole cluster that was built before: not applied",
            "if this script tears a cluster down, remove it from the folder",
        )
    return left_out("there is nothing to destroy yet")


def properties(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs property …`."""
    verb, *rest = words or [""]
    if verb in {"", "show", "list", "config", "defaults", "describe"}:
        return left_out("it only queries", output=None)
    if verb not in {"set", "unset", "remove"}:
        raise no_such("pcs property", verb, ["set", "unset", "show", "list", "config"])
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
        return removed(f"it removes what was set before, if anything: {', '.join(taken)}")
    for name, value in values.items():
        put(job.cluster.properties, name, value, job)
    return translated("property " + ", ".join(f"{name}={value}" for name, value in values.items()))


def _attributes(job: Job, name: str, values: dict[str, str]) -> ReplayOutcome:
    shelf = job.cluster.attributes.setdefault(name, {})
    for attribute, value in values.items():
        put(shelf, attribute, value, job)
    if not any(values.values()):
        return removed(f"it removes what was set before, if anything: {', '.join(values)}")
    listed = ", ".join(f"{attribute}={value}" for attribute, value in values.items())
    return translated(f"attribute of node {name}: {listed}")


def node(job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs node …`."""
    verb, *rest = words or [""]
    if verb == "attribute" and len(rest) > 1:
        return _attributes(job, rest[0], pairs(rest[1:]))
    if verb == "utilization" and len(rest) > 1:
        raise UntranslatableError("utilization has no place in the inventory", "set it with pcs")
    if verb in {"attribute", "utilization"}:
        return left_out("it only queries", output=None)
    if verb in {"standby", "unstandby", "maintenance", "unmaintenance"}:
        return left_out("a temporary state: not part of a configuration")
    raise no_such(
        "pcs node", verb, ["attribute", "utilization", "standby", "unstandby", "maintenance"]
    )


def asks(job: Job, _words: list[str]) -> ReplayOutcome:
    """Do `pcs status …`: it goes well once a script has set the cluster up."""
    return left_out("it only queries", status=0 if job.cluster.nodes else None, output=None)


def configuration(_job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs config …`: it asks, or works on backups."""
    if words and words[0] in {"backup", "restore", "import-cman", "checkpoint"}:
        return left_out("backups of the configuration: fab history has them")
    return left_out("it only queries", output=None)


def host(_job: Job, _words: list[str]) -> ReplayOutcome:
    """Do `pcs host auth`."""
    return left_out(_BOOTSTRAP)


def pcsd(_job: Job, _words: list[str]) -> ReplayOutcome:
    """Do `pcs pcsd …`."""
    return left_out("pcsd manages its certificates itself")


def quorum(_job: Job, words: list[str]) -> ReplayOutcome:
    """Do `pcs quorum …`."""
    if not words or words[0] in {"status", "config", "show"}:
        return left_out("it only queries", output=None)
    raise UntranslatableError(
        "options of corosync's quorum have no place in the inventory",
        "after bootstrap: pcs quorum " + " ".join(words),
    )


def advice(words: list[str]) -> str:
    """Return what to do by hand about a command with an unknown part."""
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
    return "look the value up on the cluster, and add it to the inventory by hand"
