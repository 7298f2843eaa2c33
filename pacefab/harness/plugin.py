"""pytest plugin: real clusters as fixtures.

Another suite gets them by `-p pacefab.harness.plugin`, or `pytest_plugins` in its conftest.py.
"""

from __future__ import annotations

import os
import signal
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from types import FrameType
from typing import Final, Protocol

import pytest

try:
    from .cluster import DEFAULT_NODES, Cluster
    from .place import unique_name
except ModuleNotFoundError as error:
    from .errors import missing_extra

    raise pytest.UsageError(missing_extra(error)) from None
from .errors import HarnessUsageError
from .image import BARE, KINDS, check_kind
from .parallel import on_all
from .place import STATE, typed
from .progress import note

KEPT: Final = pytest.StashKey[dict[str, str]]()
"""The first node of each cluster that was kept, by the cluster's name."""
CLUSTER_FIXTURES: Final = ("cluster", "module_cluster", "fresh_cluster", "fenced_cluster")
BARE_FIXTURES: Final = ("bare_nodes", "openstack_nodes", "compute_nodes", "remote_hosts")
OPENSTACK: Final = ("controller1-vm", "controller2-vm", "controller3-vm")
"""The nodes of inventory/openstack.yaml."""
OF_FACTORY: Final = ("rpm",)
"""Kinds whose bare hosts are for tests that ask `cluster_factory` for them."""
COMPUTES: Final = ("compute1", "compute2")
"""The hosts of `compute_nodes` that are to be remote nodes."""
REMOTES: Final = ("r1", "r2")
"""The hosts of `remote_hosts` that are to be remote nodes."""


class ClusterFactory(Protocol):
    """Starts clusters that live until the end of the session."""

    def __call__(
        self,
        image: str = "",
        nodes: Sequence[str] = (),
        hosts: Sequence[str] = (),
        *,
        bare: bool = False,
        fencing: bool = False,
    ) -> Cluster:
        """Start a cluster, bare `hosts` beside it; the rest is the command line's."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that say what clusters are made of."""
    group = parser.getgroup("pacefab", "clusters of containers")
    group.addoption(
        "--image",
        type=_kinds,
        default=["auto"],
        metavar="KINDS",
        help=f"node image, one of {', '.join(KINDS)} (default: auto); of several, separated by "
        "commas, the others run the tests marked every_image only",
    )
    group.addoption(
        "--nodes",
        default=",".join(DEFAULT_NODES),
        metavar="NAMES",
        help="names of a cluster's nodes (default: %(default)s)",
    )
    group.addoption("--keep", action="store_true", help="leave the clusters running at the end")


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker, and make a polite kill clean up as Ctrl-C does."""
    config.addinivalue_line(
        "markers",
        "every_image: run on all images of --image, not only the first; with bare=True on those "
        "whose bare nodes can become a cluster",
    )
    config.stash[KEPT] = {}
    # Only the main thread may set handlers; elsewhere the next start's sweep does the work.
    with suppress(ValueError):
        signal.signal(signal.SIGTERM, _interrupt)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test on a cluster the images that it runs on."""
    kinds = metafunc.config.getoption("--image")
    marker = metafunc.definition.get_closest_marker("every_image")
    if marker is None:
        kinds = kinds[:1]
    with_bare = [kind for kind in kinds if kind in ("auto", *BARE) and kind not in OF_FACTORY]
    if marker and marker.kwargs.get("bare"):
        kinds = with_bare
    for fixtures, images in ((CLUSTER_FIXTURES, kinds), (BARE_FIXTURES, with_bare)):
        for fixture in fixtures:
            if fixture in metafunc.fixturenames:
                # Without any image pytest skips the test, and says so.
                metafunc.parametrize(fixture, images, indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how to reach clusters that were kept, and how to stop them."""
    for name, node in terminalreporter.config.stash[KEPT].items():
        terminalreporter.write_line(
            f"kept {name}: ssh -F {os.path.relpath(STATE)}/{name}/ssh_config {node}; "
            f"{typed(f'cluster-down --name {name}')}"
        )


@pytest.fixture(scope="session")
def cluster_factory(pytestconfig: pytest.Config) -> Iterator[ClusterFactory]:
    """Make further clusters, of other images or nodes; they live as long as the session."""
    started: list[Cluster] = []

    def start(
        image: str = "",
        nodes: Sequence[str] = (),
        hosts: Sequence[str] = (),
        *,
        bare: bool = False,
        fencing: bool = False,
    ) -> Cluster:
        cluster = start_cluster(pytestconfig, image, nodes, hosts, bare=bare, fencing=fencing)
        started.append(cluster)
        return cluster

    yield start
    stop_clusters(pytestconfig, started)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """The session's cluster, for tests that leave it as they found it (`cluster.reset()`)."""
    yield from _own_cluster(request)


@pytest.fixture(scope="module")
def module_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of the module's own."""
    yield from _own_cluster(request)


@pytest.fixture
def fresh_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of the test's own, for tests that break it."""
    yield from _own_cluster(request)


@pytest.fixture(scope="module")
def fenced_cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of the module's own that fences, by management boards."""
    yield from _own_cluster(request, fencing=True)


@pytest.fixture(scope="module")
def bare_nodes(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Hosts of the module's own with sshd and nothing of a cluster."""
    yield from _own_cluster(request, bare=True)


@pytest.fixture(scope="module")
def openstack_nodes(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Bare hosts of the module's own, those of inventory/openstack.yaml by name and address."""
    yield from _own_cluster(request, OPENSTACK, bare=True)


@pytest.fixture(scope="module")
def compute_nodes(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Bare hosts of the module's own: those of `openstack_nodes`, and two for remote nodes."""
    yield from _own_cluster(request, OPENSTACK, COMPUTES, bare=True)


@pytest.fixture(scope="module")
def remote_hosts(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of the module's own, and bare hosts beside it, r1 and r2, for remote nodes."""
    yield from _own_cluster(request, hosts=REMOTES)


def start_cluster(
    config: pytest.Config,
    image: str = "",
    nodes: Sequence[str] = (),
    hosts: Sequence[str] = (),
    *,
    bare: bool = False,
    fencing: bool = False,
) -> Cluster:
    """Start a cluster by the command line's options, or what is given instead; show progress."""
    names = nodes or config.getoption("--nodes").split(",")
    kind = image or config.getoption("--image")[0]
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        note("")  # pytest's dots are on the line
        keep = config.getoption("--keep")
        name = unique_name("test")
        return Cluster.start(name, names, kind, hosts=hosts, bare=bare, fencing=fencing, keep=keep)


def stop_clusters(config: pytest.Config, clusters: Sequence[Cluster]) -> None:
    """Remove clusters, unless they are to be kept."""
    if config.getoption("--keep"):
        config.stash[KEPT] |= {cluster.name: cluster.nodes[0] for cluster in clusters}
    else:
        on_all(Cluster.stop, clusters)


def _own_cluster(
    request: pytest.FixtureRequest,
    nodes: Sequence[str] = (),
    hosts: Sequence[str] = (),
    *,
    bare: bool = False,
    fencing: bool = False,
) -> Iterator[Cluster]:
    cluster = start_cluster(request.config, request.param, nodes, hosts, bare=bare, fencing=fencing)
    yield cluster
    stop_clusters(request.config, [cluster])


def _kinds(text: str) -> list[str]:
    kinds = text.split(",")
    try:
        for kind in kinds:
            check_kind(kind)
    except HarnessUsageError as error:
        raise ArgumentTypeError(f"{error.attempted}; {error.next_step}") from None
    return kinds


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
