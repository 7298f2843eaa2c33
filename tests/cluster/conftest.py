"""The states that a module's tests share, and the mark of everything here: it needs real nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster

HERE = Path(__file__).parent
BARE = {"bare_nodes", "openstack_nodes", "compute_nodes", "remote_hosts"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and begin with the files that take longest.

    Those are the ones that make clusters of bare nodes: side by side with others, one that comes
    last would keep the rest waiting. pytest passes the tests of all folders.
    """
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.cluster)
    long = {item.path for item in items if BARE & set(getattr(item, "fixturenames", ()))}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="module")
def bare(cluster: Cluster) -> Iterator[Cluster]:
    """The session's cluster with nothing of memcached on it."""
    cluster.reset()
    yield cluster
    cluster.reset()


@pytest.fixture(scope="module")
def installed(bare: Cluster) -> Cluster:
    """The same with package and configuration, and no resource."""
    bare.fab("install-memcached", check=True)
    return bare


@pytest.fixture(scope="module")
def serving(installed: Cluster) -> Cluster:
    """The same with the clone Started everywhere."""
    # Tests of a module that installed something else in between come before.
    installed.fab("install-memcached", "create-memcached", check=True)
    return installed
