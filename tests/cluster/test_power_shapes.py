"""Healthy clusters of other shapes of fencing: verify-fencing finds nothing in any of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes
from tests.cluster.test_power import verified

pytestmark = pytest.mark.long

EVERY = ("c1", "c2", "c3")
SHAPES = {
    "a board for each node": (),
    "no device runs on the node that it fences": tuple(
        f"pcs constraint location fence-{n} avoids {n}" for n in EVERY
    ),
    "a level for each node": tuple(f"pcs stonith level add 1 {n} fence-{n}" for n in EVERY),
    "levels by patterns": tuple(
        f"pcs stonith level add 1 'regexp%^{n}$' fence-{n}" for n in EVERY
    ),
    "levels by an attribute": tuple(
        f"pcs node attribute {n} rack={n} && pcs stonith level add 1 attrib%rack={n} fence-{n}"
        for n in EVERY
    ),
    "delays, all of another length": tuple(
        f"pcs stonith update fence-{n} pcmk_delay_base={i}s" for i, n in enumerate(EVERY, 1)
    ),
    "nodes are switched off and stay off": ("pcs property set stonith-action=off",),
    "a reboot is an off": tuple(
        f"pcs stonith update fence-{n} pcmk_reboot_action=off" for n in EVERY
    ),
    "long times": (
        "pcs property set stonith-timeout=180s",
        *(f"pcs stonith update fence-{n} pcmk_off_timeout=120" for n in EVERY),
    ),
    "a node in standby": ("pcs node standby c2",),
}  # fmt: skip

PUT_BACK = "cat >/tmp/before.xml && pcs cluster cib-push --config /tmp/before.xml"


@pytest.fixture
def shaped(request: pytest.FixtureRequest, fenced_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster whose fencing has a shape; it has its own again afterwards."""
    before = fenced_cluster.run("c1", "pcs cluster cib scope=configuration").stdout
    for command in SHAPES[request.param]:
        fenced_cluster.run("c1", command)
    fenced_cluster.run("c1", "crm_resource --wait --timeout 60", timeout=90)
    yield fenced_cluster
    fenced_cluster.run("c1", PUT_BACK, stdin=before)
    fenced_cluster.run("c1", "crm_resource --wait --timeout 60", timeout=90)


@pytest.mark.parametrize("shaped", SHAPES, indirect=True)
def test_nothing_is_found_in_a_healthy_cluster(shaped: Cluster) -> None:
    assert_healthy(shaped)


def assert_healthy(cluster: Cluster) -> None:
    """Assert that every device answers everywhere, and that status has no fault of fencing."""
    members = len(cluster.members)
    eyes.until(lambda: devices(cluster) == members, "all fence devices run")
    found = verified(cluster)
    assert found["failed"] == {}
    assert found["answers"] >= members * (members - 1)  # where none runs on the node it fences
    assert cluster.fab("verify-fencing").returncode == 0


def devices(cluster: Cluster) -> int:
    """Return how many fence devices are Started."""
    return cluster.run("c1", "pcs stonith status").stdout.count("Started")
