"""Names that a shell, a path or a resolver would take for something else never become nodes."""

from __future__ import annotations

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.errors import HarnessError
from pacefab.harness.place import check_names


@pytest.mark.parametrize(
    "name", ["", "c 1", "c1;id", "$(id)", "../c1", "C1", "-c1", "c1-", "c" * 41]
)
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(HarnessError, match="can't name"):
        check_names("dev", [name])
    with pytest.raises(HarnessError, match="can't name"):
        check_names(name, ["c1"])


@pytest.mark.parametrize("nodes", [[], ["c1", "c1"]])
def test_each_node_is_named_once(nodes: list[str]) -> None:
    with pytest.raises(HarnessError, match="name each node once"):
        check_names("dev", nodes)


def test_plain_names_pass() -> None:
    check_names("test-12-ab", ["c1", "cache-2", "3"])


def test_missing_cluster_says_how_to_start_it() -> None:
    with pytest.raises(HarnessError, match="invoke cluster-up --name nowhere"):
        Cluster.load("nowhere")
