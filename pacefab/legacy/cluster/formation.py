"""What commands of pcs and crm say about the hosts that form a cluster."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pacefab.addresses import is_address
from pacefab.legacy.cluster.book import CommandText
from pacefab.legacy.options import SplitOptions, Syntax, UnknownOptionError, split_options
from pacefab.legacy.unknown import is_known

KEYWORDS = {"transport", "totem", "quorum"}  # of setup since pcs 0.10: options follow
_INIT = Syntax(
    "n N w i A s o m t u l c",
    long={
        "name": "n", "node": "N", "nodes": "N", "watchdog": "w", "interface": "i",
        "admin-ip": "A", "sbd-device": "s", "ocfs2-device": "o", "mount-point": "m",
        "template": "t", "qnetd-hostname": "l", "qdevice-port": "l", "qdevice-algo": "l",
        "qdevice-tie-breaker": "l", "qdevice-tls": "l", "qdevice-heuristics": "l",
        "qdevice-heuristics-mode": "l", "cluster-node": "c",
    },
    mixed=True,
)  # fmt: skip


@dataclass(frozen=True)
class NodesNamed:
    """Hosts that a command makes nodes of one cluster, or takes for such.

    Args:
        new: it sets the cluster up; else it adds to one.
        name: of the cluster; empty where none is given.
        nodes: their names, as far as they are known.
        knows: the hosts only authenticate with each other.
        asks: one of them is named as a member that lets the others in.
    """

    new: bool
    name: str
    nodes: tuple[str, ...]
    knows: bool = False
    asks: bool = False


@dataclass(frozen=True)
class CrmMembers:
    """What `crm cluster init`, `join` or `add` names.

    `peer`: the member that a new one asks to be let in (join -c); an address is no name.
    """

    options: SplitOptions
    name: str
    nodes: tuple[str, ...]
    peer: str = ""

    @property
    def every(self) -> tuple[str, ...]:
        """All names of nodes, the member that is asked among them."""
        return tuple(dict.fromkeys([*([self.peer] if self.peer else []), *self.nodes]))


def crm_members(verb: str, words: Sequence[str], host: str, names: Mapping[str, str]) -> CrmMembers:
    """Return what a command of crm's level cluster names.

    Args:
        verb: init, join or add.
        words: what follows it.
        host: the one that it runs on; empty where that is not known.
        names: nodes by their addresses.

    Raises:
        UnknownOptionError: it has no such option.
    """
    options = split_options(words, _INIT)
    given = dict(word.partition("=")[::2] for word in options.operands if "=" in word)
    values = [*options.values("N"), given.get("nodes", "")]  # crmsh 2 has nodes=A,B
    named = [one for value in values for one in value.replace(",", " ").split()]
    plain = [word for word in options.operands if "=" not in word]
    nodes = [host] if host and verb != "add" else []
    nodes += plain if verb == "add" else named
    peer = options.value("c").rpartition("@")[2] if verb == "join" else ""
    peer = names.get(peer, peer)
    nodes = [one.rpartition("@")[2] for one in nodes]
    return CrmMembers(
        options,
        options.value("n", given.get("name", "")),
        tuple(dict.fromkeys(names.get(one, one) for one in nodes)),
        "" if is_address(peer) else peer,
    )


def formation_of(
    program: str, line: CommandText, host: str, names: Mapping[str, str]
) -> NodesNamed | None:
    """Return what a command says about the nodes of a cluster; None where that is nothing."""
    if program == "crm":
        return _of_crm(line, host, names)
    words = line.words
    if words[:2] == ["cluster", "setup"]:
        name = line.options.get("--name", "") or next(iter(words[2:]), "")
        return NodesNamed(new=True, name=name, nodes=_known(nodes_of_setup(words, line.options)))
    if words[:3] in (["cluster", "node", "add"], ["cluster", "node", "add-remote"]):
        added = [word.partition(",")[0] for word in words[3:4]]
        return NodesNamed(new=False, name="", nodes=_known([*([host] if host else []), *added]))
    if words[:2] in (["cluster", "auth"], ["host", "auth"]):
        nodes = [word for word in words[2:] if "=" not in word]
        return NodesNamed(new=False, name="", nodes=_known(nodes), knows=True)
    return None


def _of_crm(line: CommandText, host: str, names: Mapping[str, str]) -> NodesNamed | None:
    if line.words[:1] != ["cluster"] or line.words[1:2] not in (["init"], ["join"], ["add"]):
        return None
    verb = line.words[1]
    try:
        members = crm_members(verb, line.operands, host, names)
    except UnknownOptionError:
        return None
    every = [*([host] if host else []), *members.every]
    asks = bool(members.peer) and is_known(members.peer)
    return NodesNamed(verb == "init", members.name, _known(every), asks=asks)


def _known(nodes: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node for node in nodes if is_known(node)))


def nodes_of_setup(words: Sequence[str], options: Collection[str]) -> list[str]:
    """Return the nodes that the words after `cluster setup` name."""
    plain = list(words[2:] if "--name" in options else words[3:])
    at = next((at for at, word in enumerate(plain) if word in KEYWORDS), len(plain))
    return [word.partition(",")[0] for word in plain[:at] if "=" not in word]
