"""Newer packages in a node's own repository: the installed ones once more, as later versions."""

from __future__ import annotations

import shlex

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster

SUFFIX = "+pacefab1"

_SCRIPT = REPOSITORY_ROOT / "tests" / "data" / "upgrade" / "newer-package"


def offer(
    cluster: Cluster, node: str, package: str, change: str = "", suffix: str = SUFFIX
) -> None:
    """Put a package into a node's repository as a newer version.

    `change` are shell commands that edit its files first; `suffix` makes the version.
    """
    words = shlex.join((package, suffix, change))
    cluster.run(node, f"sh -s {words}", stdin=_SCRIPT.read_text())


def version(cluster: Cluster, node: str, package: str) -> str:
    """Return the version of an installed package."""
    return cluster.run(node, f"dpkg-query -W -f '${{Version}}' {package}").stdout
