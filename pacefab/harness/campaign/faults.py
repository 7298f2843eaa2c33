"""Faults that happen to a node while something is changed, and how each is taken back.

They are caused through the container engine and on the node itself, never through SSH.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pacefab.harness.cluster import Cluster
from pacefab.harness.errors import HarnessError

_CUT_OFF: Final = """\
table inet campaign {
  chain in { type filter hook input priority -300; policy drop; iif lo accept; }
  chain out { type filter hook output priority -300; policy drop; oif lo accept; }
}
"""
_CUT_SESSIONS: Final = "pkill -9 -f '[s]shd.*@notty'; true"
_NO_SSHD: Final = "systemctl stop ssh.socket ssh sshd 2>/dev/null; pkill -9 sshd; true"
_SSHD: Final = "systemctl start ssh 2>/dev/null || systemctl start sshd"
# The folder goes on in memory that is as large as what it holds; what was written is kept at last.
_FULL: Final = r"""
set -e
mkdir -p /run/campaign-full
size=$(du -sk /var/lib/pacefab | cut -f 1)
mount -t tmpfs -o size=$((size + 64))k tmpfs /run/campaign-full
cp -a /var/lib/pacefab /run/campaign-full/state
dd if=/dev/zero of=/run/campaign-full/filler bs=4k 2>/dev/null || true
mount --bind /run/campaign-full/state /var/lib/pacefab
"""
_NOT_FULL: Final = r"""
umount -l /var/lib/pacefab
find /var/lib/pacefab -mindepth 1 -delete
cp -a /run/campaign-full/state/. /var/lib/pacefab/
umount -l /run/campaign-full
rmdir /run/campaign-full
"""
_READ_ONLY: Final = "mount --rbind {0} {0} && mount -o remount,ro,bind {0}"
_WRITABLE: Final = "umount -l {0}"
_SLOW: Final = "tc qdisc add dev eth0 root netem delay 150ms 50ms loss 10%"
_FAST: Final = "tc qdisc del dev eth0 root"


@dataclass(frozen=True)
class NodeFault:
    """Something that happens to a node.

    Args:
        name: what it is called.
        cause: makes it happen to a node of a cluster.
        undo: takes it back.
        lost: whether the node cannot be looked at meanwhile, or is no member of the cluster.
    """

    name: str
    cause: Callable[[Cluster, str], object]
    undo: Callable[[Cluster, str], object]
    lost: bool = False


def _on_node(name: str, cause: str, undo: str, *, lost: bool = False, stdin: str = "") -> NodeFault:
    """Return a fault that shell on the node causes and takes back."""
    return NodeFault(
        name,
        lambda cluster, node: cluster.run(node, cause, stdin=stdin),
        lambda cluster, node: cluster.run(node, undo),
        lost,
    )


FAULTS: Final[Mapping[str, NodeFault]] = {
    fault.name: fault
    for fault in (
        NodeFault(
            "pause",
            lambda cluster, node: cluster.pause(node),
            lambda cluster, node: cluster.container(node).unpause(),
            lost=True,
        ),
        NodeFault(
            "kill",
            lambda cluster, node: cluster.container(node).kill(),
            lambda cluster, node: cluster.restart_node(node),
            lost=True,
        ),
        NodeFault(
            "restart",
            lambda cluster, node: cluster.restart_node(node),
            lambda _cluster, _node: None,
        ),
        _on_node("disconnect", "nft -f -", "nft delete table inet campaign", lost=True,
                 stdin=_CUT_OFF),
        _on_node("ssh sessions cut", _CUT_SESSIONS, "true"),
        _on_node("no sshd", _NO_SSHD, _SSHD),
        _on_node("slow network", _SLOW, _FAST),
        _on_node("disk full", _FULL, _NOT_FULL),
        _on_node("history read-only", _READ_ONLY.format("/var/lib/pacefab"),
                 _WRITABLE.format("/var/lib/pacefab")),
        _on_node("/etc read-only", _READ_ONLY.format("/etc"), _WRITABLE.format("/etc")),
    )
}  # fmt: skip
CLOCKS: Final = {"clock a day ahead": 86400.0, "clock a day behind": -86400.0}
"""Seconds that an operator's clock is ahead: containers have no clock of their own."""


@contextmanager
def happening(cluster: Cluster, node: str, fault: NodeFault) -> Iterator[str]:
    """Have a fault until the end of the block; yield why it could not be caused, or nothing."""
    try:
        fault.cause(cluster, node)
    except HarnessError as error:
        yield error.seen.strip().splitlines()[-1] if error.seen.strip() else str(error)
        return
    try:
        yield ""
    finally:
        fault.undo(cluster, node)
