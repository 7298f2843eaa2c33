"""Hosts as they were found, and their cluster's key -> what makes them remote nodes. Pure.

Pacemaker Remote (Pacemaker Remote, "Configure the remote node"): its daemon instead of the
cluster's on the host, one key on all members and remote nodes, one port.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from pacefab.errors import PacefabError, RefusedError
from pacefab.host import files
from pacefab.host.model import FileState, HostFacts
from pacefab.pacemaker.model import Membership
from pacefab.pacemaker.placement.remote import PORT
from pacefab.services.service import DesiredNode, File, Look, Port, whole
from pacefab.workflows.nodes.node_plan import NodePlan, brief, plan_node

DAEMON = "pacemaker_remote.service"
KEY = "/etc/pacemaker/authkey"
_KEY_BYTES = 4096  # as much as the manual's dd(1) makes
_PACKAGES = {
    "debian": ("pacemaker-remote", "resource-agents", "pacemaker-cli-utils"),
    "rhel": ("pacemaker-remote", "resource-agents"),
}
_SETTINGS = {"debian": "/etc/default/pacemaker", "rhel": "/etc/sysconfig/pacemaker"}
_PORT_LINE = re.compile(r"^[ \t]*PCMK_remote_port=.*$", re.MULTILINE)
LOOK = Look(packages=_PACKAGES["debian"], units=(DAEMON,), files=(KEY, *_SETTINGS.values()))
"""What to look at on a host that is to be a remote node."""
LOOK_AT_KEY = Look(files=(KEY,))
"""What to look at on a member."""


@dataclass(frozen=True)
class RemoteNode:
    """A remote node of the inventory; `port` is None where it is Pacemaker's own."""

    name: str
    port: int | None = None


@dataclass(frozen=True)
class RemoteHost:
    """A host that is to be a remote node, as it was found."""

    node: RemoteNode
    facts: HostFacts
    membership: Membership | None  # None: it was set up for no cluster

    def desired(self, key: str) -> DesiredNode:
        """Return what it needs. Errors of `HostFacts.supported_manager`."""
        self.facts.supported_manager()
        family = self.facts.family or ""
        return DesiredNode(
            _PACKAGES[family],
            files=(*self._port_file(_SETTINGS[family]), key_file(key)),
            helpers=(DAEMON,),
            ports=(Port(self.node.port or PORT),),
            of_cluster=True,
        )

    def _port_file(self, path: str) -> tuple[File, ...]:
        """Return the file in which the daemon's port stands; none where it has its own by itself.

        One that says another port says Pacemaker's own then: without it the daemon stays there.
        """
        port = self.node.port
        if not port and not _PORT_LINE.search(self.facts.text(path) or ""):
            return ()
        restart = ("systemctl", "try-restart", DAEMON)  # moves what runs there first
        return (File(path, partial(_with_port, port or PORT), apply=restart),)


@dataclass(frozen=True)
class RemotePlan:
    """What makes hosts remote nodes: first the members get the key, then the hosts are prepared.

    `again` are the remote nodes that the cluster knows and has lost: it is made to connect again.
    """

    members: Mapping[str, NodePlan] = field(default_factory=dict)
    hosts: Mapping[str, NodePlan] = field(default_factory=dict)
    again: tuple[str, ...] = ()
    key: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        """Whether there is something to do."""
        return bool(self.changed)

    @property
    def changed(self) -> tuple[str, ...]:
        """The hosts on which something is to be done, or to which the cluster connects again."""
        plans = (*self.members.items(), *self.hosts.items())
        return tuple(dict.fromkeys([*(name for name, plan in plans if plan), *self.again]))

    def sentences(self) -> tuple[str, ...]:
        """Return the plan as an operator reads it."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        for name, plan in self.members.items():
            if plan:
                yield f"{name}: the key of remote nodes ({KEY}) put in place"
        for name, plan in self.hosts.items():
            if plan:
                yield f"{name}: remote node: {', '.join(brief(plan))}"
        for name in self.again:
            yield f"{name}: the cluster connects to it again"


def plan_remotes(
    cluster: str,
    members: Mapping[str, HostFacts],
    hosts: Sequence[RemoteHost],
    lost: Sequence[str] = (),
    peers: Sequence[str] | None = None,
    *,
    in_use: bool = False,
) -> RemotePlan:
    """Return what makes hosts remote nodes of a cluster.

    Args:
        cluster: its name.
        members: its members' facts by name, the key looked at.
        hosts: those that are to be remote nodes.
        lost: of these, those that the cluster knows and does not reach.
        peers: addresses that a firewall lets reach the daemon; None: it is not ours to manage.
        in_use: the cluster has remote or guest nodes already, which know its key.

    Raises:
        RefusedError: a host belongs to a cluster, or has the key of another one.
    """
    key = _key(cluster, members, hosts, in_use=in_use) or _new_key()
    return RemotePlan(
        {name: plan_key(facts, key) for name, facts in members.items()},
        {host.node.name: plan_host(host, key, peers) for host in hosts},
        tuple(lost),
        key,
    )


def plan_key(facts: HostFacts, key: str) -> NodePlan:
    """Return what gives a member the key; the file as pcs makes it (400, hacluster's) is left."""
    state = facts.files.get(KEY)
    if state and state.text == key and state.owner.startswith("hacluster:"):
        return NodePlan()
    return plan_node(facts, DesiredNode(files=(key_file(key),)), managed=(), firewall=None)


def plan_host(host: RemoteHost, key: str, peers: Sequence[str] | None) -> NodePlan:
    """Return what makes one host a remote node. Errors of `plan_node`.

    The key comes before the packages: where it is not there, Debian's make one of their own and
    start the daemon with it, which then keeps it for a minute.
    """
    known = [*peers, *host.facts.addresses] if peers is not None else None
    try:
        plan = plan_node(host.facts, host.desired(key), managed=(), firewall=known)
        if not plan.install or host.facts.text(KEY):
            return plan
        first = files.plan_write(KEY, FileState(key, "600", "root:root"), None)
        return replace(plan, install=(first, *plan.install))
    except PacefabError as error:
        error.host = error.host or host.node.name
        raise


def key_file(key: str) -> File:
    """Return the key's file: Pacemaker reads it as root and as hacluster."""
    return whole(KEY, key, mode="640", owner="root:haclient", secret=True)


def _new_key() -> str:
    # Texts of files are bytes in the form in which Python keeps what is no UTF-8.
    return secrets.token_bytes(_KEY_BYTES).decode(errors="surrogateescape")


def _with_port(port: int, text: str | None) -> str:
    line = f"PCMK_remote_port={port}"
    if _PORT_LINE.search(text or ""):
        return _PORT_LINE.sub(line, text or "")
    return f"{(text or '').rstrip()}\n{line}\n".lstrip()


def _key(
    cluster: str, members: Mapping[str, HostFacts], hosts: Sequence[RemoteHost], *, in_use: bool
) -> str:
    """Return the key that the members have, or the first of them; empty where none has one.

    While nobody uses it they may have different ones: Debian's packages make one on each host.

    Raises:
        RefusedError: different ones are in use, or a host belongs to another cluster.
    """
    known = {name: key for name, facts in members.items() if (key := facts.text(KEY))}
    key = next(iter(known.values()), "")
    attempt = f"make remote nodes of cluster {cluster}"
    other = [name for name, own in known.items() if own != key]
    if other and in_use:
        raise RefusedError(
            attempt,
            f"{', '.join(other)} has another key ({KEY}) than {next(iter(known))}",
            f"nothing was changed: compare them (sha256sum {KEY}); remove the file where it is "
            "wrong, then run this again",
        )
    problems = [problem for host in hosts if (problem := _problem(host, key))]
    if problems:
        raise RefusedError(
            attempt,
            "\n".join(problems),
            "nothing was changed: take these hosts out of the inventory, or, if nothing there is "
            "needed any more, out of what they belong to (on the host: pcs cluster destroy, or "
            f"rm {KEY}, which Debian's packages make too), then run this again",
        )
    return key


def _problem(host: RemoteHost, key: str) -> str:
    """Return what the host is part of instead; empty when it is free, or of this cluster."""
    name, own = host.node.name, host.facts.text(KEY)
    if host.membership:
        mine = host.membership
        return f"{name} is set up for cluster {mine.cluster} ({', '.join(mine.names)})"
    if own and own != key:
        return f"{name} has the key of another cluster ({KEY})"
    return ""
