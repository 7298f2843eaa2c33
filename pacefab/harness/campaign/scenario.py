"""What is changed in a campaign: inventories, the states that they lead to, and the commands.

Pure, but for the files of inventories. Each command begins in one state and leads to another one;
what these are is looked at once (`Stage.learn`), in runs that nothing disturbs.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pacefab.harness.cluster import Cluster

FIRST: Final = "first"
"""The state that every other one begins with, and that a deploy leads to from anywhere."""
SECOND: Final = "second"
ROLLBACK: Final = "rollback"
_AGREED: Final = ("--yes",)
_WHOLE: Final = ("--yes", "--prune", "--allow-interruption")
_VIP_OFFSET: Final = 90  # from the first node's address: no node has that
_PORT: Final = 11311


@dataclass(frozen=True)
class CampaignCommand:
    """A command that changes a cluster.

    Args:
        name: what the operator types.
        inventory: the one that it is typed with.
        options: what is typed besides.
        begins: the state that it begins in.
        ends: the state that it leads to.
        ways: the tasks that may follow when it was cut off. The same one finishes it, `rollback`
            undoes it; a rollback that was cut off is undone by `deploy`.
    """

    name: str
    inventory: str
    options: tuple[str, ...]
    begins: str
    ends: str
    ways: tuple[str, ...] = ("again", "rollback")

    def words(self, folder: Path) -> list[str]:
        """Return what is typed behind `fab -H ...`."""
        return [self.name, *self.options, "--inventory", str(folder / f"{self.inventory}.yaml")]


def deploy(inventory: str, begins: str = FIRST) -> CampaignCommand:
    """Return the deploy of an inventory, which leads to the state of its name from anywhere."""
    return CampaignCommand("deploy", inventory, _WHOLE, begins, inventory)


def undoing(inventory: str, begins: str, ends: str) -> CampaignCommand:
    """Return the rollback that goes from one state back to another one."""
    options = ("--yes", "--allow-interruption")
    return CampaignCommand(ROLLBACK, inventory, options, begins, ends, ("again", "deploy"))


def _of(service: str, changed: str, *of_removal: str) -> list[CampaignCommand]:
    """Return the commands about one service; `changed` is an inventory with another setting.

    Packages are no part of what a rollback brings back: it follows no install and no purge here.
    """
    stopped, gone, there, made = (
        f"{service} {word}" for word in ("stopped", "removed", "installed", "created")
    )
    agreed, finish = (*_AGREED, *of_removal), ("again",)
    return [
        CampaignCommand(f"remove-{service}", FIRST, agreed, FIRST, stopped),
        CampaignCommand(f"remove-{service}", FIRST, (*agreed, "--purge"), FIRST, gone, finish),
        CampaignCommand(f"install-{service}", FIRST, _AGREED, gone, there, finish),
        CampaignCommand(f"create-{service}", FIRST, _AGREED, there, made),
        CampaignCommand(f"update-{service}", changed, _AGREED, FIRST, f"{service} updated"),
    ]


COMMANDS: Final[Sequence[CampaignCommand]] = (
    deploy(SECOND),
    undoing(SECOND, SECOND, FIRST),
    *_of("memcached", "cache"),
    *_of("haproxy", "balancer", "--with-constraints"),
    CampaignCommand("remove-vips", FIRST, (*_AGREED, "--with-constraints"), FIRST, "vips removed"),
    CampaignCommand("create-vips", FIRST, _AGREED, "vips removed", "vips created"),
    CampaignCommand("adopt", "cache", _AGREED, FIRST, "adopted"),
)
"""Every command whose runs are killed."""


def chosen(names: Sequence[str]) -> list[CampaignCommand]:
    """Return the commands of these names; without any, all.

    Raises:
        ValueError: there is none of such a name.
    """
    known = {command.name for command in COMMANDS}
    for name in names:
        if name not in known:
            raise ValueError(name)
    return [command for command in COMMANDS if not names or command.name in names]


def way_to(state: str) -> list[CampaignCommand]:
    """Return the commands that lead from anywhere to a state, in their order."""
    if state == FIRST:
        return [deploy(FIRST)]
    led = [c for c in (*COMMANDS, deploy(SECOND)) if c.ends == state and c.name != ROLLBACK]
    return [*way_to(led[0].begins), led[0]]


def inventories(cluster: Cluster) -> Mapping[str, str]:
    """Return the text of each inventory, by name: two whole states, and single settings."""
    first = ipaddress.ip_address(cluster.address(cluster.nodes[0]))
    vip = first + _VIP_OFFSET
    texts = {
        FIRST: _inventory(cluster, f"{vip}", 64, 2000, ["alpha"]),
        SECOND: _inventory(cluster, f"{vip + 1}", 65, 2001, ["beta"]),
        "cache": _inventory(cluster, f"{vip}", 66, 2000, ["alpha"]),
        "balancer": _inventory(cluster, f"{vip}", 64, 2002, ["alpha"]),
    }
    for number in range(OPERATORS_MOST):
        made = f"operator{number}"
        texts[made] = _inventory(cluster, f"{vip}", 70 + number, 2000, [made])
    return texts


OPERATORS_MOST: Final = 3


def _inventory(
    cluster: Cluster, vip: str, memory: int, connections: int, resources: Sequence[str]
) -> str:
    """Return an inventory with memcached, HAProxy before it on a VIP, and resources beside them."""
    proxy = f"{{name: cache, vip: cache, port: {_PORT}, backend_port: 11211}}"
    address = f"{{name: cache, address: {vip}}}"
    return "\n".join(
        [
            f"cluster: {cluster.name}",
            f"nodes: [{', '.join(cluster.nodes)}]",
            "fencing: {disabled: true, reason: containers have no power switch}",
            "services:",
            f"  memcached: {{memory: {memory}}}",
            f"  haproxy: {{max_connections: {connections}, proxies: [{proxy}]}}",
            f"  vips: {{with_load_balancer: true, addresses: [{address}]}}",
            "resources:",
            *(f"  {name}: {{agent: 'ocf:pacemaker:Dummy'}}" for name in resources),
            "",
        ]
    )


def write(cluster: Cluster, folder: Path) -> None:
    """Write every inventory into a folder, as NAME.yaml."""
    for name, text in inventories(cluster).items():
        (folder / f"{name}.yaml").write_text(text)
