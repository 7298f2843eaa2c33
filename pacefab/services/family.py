"""Which family's packages, paths and defaults a node has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from pacefab.errors import RefusedError
from pacefab.host.model import HostFacts

Family = Literal["debian", "rhel"]


def family_of(facts: HostFacts) -> Family:
    """Return the node's family.

    Raises:
        RefusedError: one that no service knows.
    """
    for known in get_args(Family):
        if facts.family == known:
            family: Family = known
            return family
    raise RefusedError(
        "find the distribution's family",
        f"{facts.distribution} is not supported",
        "supported: the CentOS Stream / RHEL family with dnf or yum, Debian and Ubuntu",
        host=facts.name,
    )


def common_family(nodes: Iterable[HostFacts]) -> Family:
    """Return the family of all nodes: a resource has one set of parameters for all of them.

    Raises:
        RefusedError: they are of different families, or no node was seen.
    """
    families = {facts.name: family_of(facts) for facts in nodes}
    if len(set(families.values())) != 1:
        raise RefusedError(
            "choose the resource agent's paths",
            f"the nodes are of different families: {families}" if families else "no node was seen",
            "make a cluster of nodes of one distribution",
        )
    return next(iter(families.values()))
