"""Services whose own upgrade takes more than one step, or an order of the nodes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pacefab.pacemaker.upgrade.findings import Severity, UpgradeFinding
from pacefab.workflows.upgrade.known_releases import Version, number
from pacefab.workflows.upgrade.node_findings import UpgradeNode

RABBITMQ, MARIADB = "rabbitmq-server", "mariadb-server"
_REDIS: Final = ("redis-server", "valkey-server")
_RABBITMQ_STEPS: Final[tuple[Version, ...]] = (
    (3, 8), (3, 9), (3, 10), (3, 11), (3, 12), (3, 13), (4, 0), (4, 1),
)  # fmt: skip
PACKAGES: Final = (RABBITMQ, MARIADB, *_REDIS)


def rabbitmq(nodes: Sequence[UpgradeNode]) -> Iterator[UpgradeFinding]:
    """Find a RabbitMQ that the new one does not start from.

    RabbitMQ's guide "Upgrading RabbitMQ", table of version upgradability: 3.10 to 3.11 to 3.12 to
    3.13, each with all feature flags enabled first, and 4.0 from 3.13 alone.
    """
    for seen, own, coming, where in _versions(nodes, RABBITMQ):
        between = [step for step in _RABBITMQ_STEPS if own < step < coming]
        if not between or own[0] == coming[0]:
            continue
        way = ", ".join(f"{major}.{minor}" for major, minor in between)
        yield UpgradeFinding(
            where,
            f"RabbitMQ is {seen}, and will be {coming[0]}.{coming[1]}",
            f"{coming[0]}.{coming[1]} starts from the data of {between[-1][0]}.{between[-1][1]} "
            "with all feature flags enabled, and of nothing older; nodes of both do not form one "
            "cluster",
            f"upgrade RabbitMQ first, by {way} from its makers' repository, rabbitmqctl "
            "enable_feature_flag all after each; or let it start anew, and declare it again",
            Severity.SERVICE,
        )


def mariadb(nodes: Sequence[UpgradeNode]) -> Iterator[UpgradeFinding]:
    """Find a MariaDB whose series changes.

    MariaDB's "Upgrading Between Major MariaDB Versions with Galera Cluster": from one series to the
    next, node by node, mariadb-upgrade on each; a node of the new series that gives a full copy to
    an older one is not supported.
    """
    for seen, own, coming, where in _versions(nodes, MARIADB):
        if own >= coming:
            continue
        yield UpgradeFinding(
            where,
            f"MariaDB is {seen}, and will be {coming[0]}.{coming[1]}",
            "nodes of both series are in one Galera cluster meanwhile: an older node cannot take "
            "a full copy (SST) from a newer one, and each newer one needs mariadb-upgrade",
            "make a backup; upgrade the nodes one right after the other, mariadb-upgrade on each, "
            "and no schema change before the last one",
            Severity.SERVICE,
        )


def redis(nodes: Sequence[UpgradeNode]) -> Iterator[UpgradeFinding]:
    """Find replicas: Redis' page on replication has them upgraded before what they follow."""
    names = [name for name in _REDIS if any(node.version(name) for node in nodes)]
    if names and any(node.steps > 0 for node in nodes):
        where = ", ".join(n.name for n in nodes if any(n.version(name) for name in names))
        yield UpgradeFinding(
            where,
            f"{' and '.join(names)} replicates",
            "a replica may be newer than the promoted instance, and not older",
            "upgrade the node with the promoted instance last",
            Severity.NOTICE,
        )


def _versions(
    nodes: Sequence[UpgradeNode], package: str
) -> Iterator[tuple[str, Version, Version, str]]:
    """Yield each version of a package that is to change, what it becomes, and on which nodes."""
    by_version: dict[str, list[UpgradeNode]] = {}
    for node in nodes:
        if node.steps > 0 and (version := node.version(package)):
            by_version.setdefault(version, []).append(node)
    for version, group in by_version.items():
        own, coming = number(version), _coming(group[0], package)
        if own and coming:
            yield version, own, coming, ", ".join(node.name for node in group)


def _coming(node: UpgradeNode, package: str) -> Version | None:
    """Return the version that a package will have: what a repository has, else the release's."""
    there = [
        found
        for version, suite in node.facts.candidates.get(package, ())
        if suite.partition("-")[0] == node.target.codename and (found := number(version))
    ]
    return max(there) if there else node.target.packages.get(package)


RULES: Final = {"RabbitMQ": rabbitmq, "MariaDB": mariadb, "Redis": redis}
"""What is looked at of services, over all nodes."""
