"""Names that a shell, a path or a resolver would take for something else never become nodes."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pacefab.harness import cleanup, kept
from pacefab.harness.cluster import Cluster, Description
from pacefab.harness.errors import HarnessError
from pacefab.harness.kept import ClusterKind
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


@pytest.mark.parametrize(
    ("kind", "boards"),
    [
        (ClusterKind(), True),
        (ClusterKind("debian13"), True),
        (ClusterKind("rpm"), False),
        (ClusterKind("centos9"), False),
        (ClusterKind(bare=True), False),
        (ClusterKind(fencing=False), False),
        (ClusterKind("debian12", bare=True, fencing=True), True),
    ],
)
def test_a_cluster_fences_where_nothing_speaks_against_it(
    kind: ClusterKind, boards: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: dict[str, Any] = {}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(kept, "ensure_engine", lambda: None)
    monkeypatch.setattr(cleanup, "sweep", lambda: ())
    monkeypatch.setattr(Cluster, "start", lambda *_, **options: started.update(options))
    kept.ensure_cluster("nowhere", ["c1"], kind)
    assert started["fencing"] is boards


@pytest.mark.parametrize(
    ("fencing", "asked", "said"),
    [
        (False, None, []),
        (True, None, []),
        (False, True, ["has no management boards"]),
        (True, False, ["has management boards"]),
    ],
)
def test_a_cluster_that_is_up_is_taken_with_boards_or_without(
    fencing: bool, asked: bool | None, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cluster, "runs", lambda _: True)
    monkeypatch.setattr(Cluster, "is_formed", lambda _: True)
    up = Cluster(
        Description("dev", "debian12", "", {"c1": "x"}, {"c1": "192.0.2.11"}, {}, fencing=fencing)
    )
    assert up.differences(["c1"], "auto", bare=False, fencing=asked) == said
