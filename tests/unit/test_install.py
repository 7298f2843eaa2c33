"""What an install notes on nodes of clusters, before it changes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from pacefab.services.service import Look
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.observe import MANAGED, observe_node
from pacefab.workflows.rollout.install import Install
from tests.unit.test_view import ABSENT, Answers


class Begun:
    """A transaction that remembers of which cluster a change began."""

    left = ()

    def __init__(self) -> None:
        """Begin with none."""
        self.clusters: list[str] = []

    def check(self, *_: Any) -> None:
        """Find nothing that is not finished."""

    hold = check

    def begin(self, cluster: str, _changes: Sequence[str], _before: Any) -> None:
        """Remember it."""
        self.clusters.append(cluster)


def other(number: int) -> Answers:
    """A node of another cluster whose nodes have the same names."""
    ring = "".join(f"c{n} 10.9.0.{n}\n" for n in (1, 2, 3))
    address = f"2: eth0    inet 10.9.0.{number}/24 scope global eth0\n"
    return Answers(f"d{number}", number, ring=ring, addresses=address)


ALONE = Answers("bare", 9, corosync=ABSENT, ring=ABSENT, cib=ABSENT)


@pytest.mark.parametrize(
    ("hosts", "notes"),
    [
        ([Answers("c1", 1), Answers("c2", 2)], True),
        ([Answers("c1", 1), ALONE], True),
        ([Answers("c1", 1), other(1)], False),
        ([Answers("c1", 1), Answers("c2", 2), other(1)], False),
        ([ALONE], False),
    ],
)
def test_a_node_never_keeps_the_cib_of_another_cluster(
    hosts: Sequence[Answers], notes: bool
) -> None:
    """A rollback there would put it in the place of its own."""
    named = {host.name: cast("Any", host) for host in hosts}
    views = {name: observe_node(host, Look(), MANAGED) for name, host in named.items()}
    plans = {name: NodePlan(changes=("a package",)) for name in views}
    begun = cast("Any", Begun())
    flow = Install("redis", Look(), cast("Any", None))
    flow._begin(named, views, plans, begun, cast("Any", None))  # noqa: SLF001
    assert bool(begun.clusters) is notes
