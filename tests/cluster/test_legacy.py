"""What we write into the CIB is what pcs writes for the classic three steps.

Both run on one cluster, which in between goes back to how it was formed: configuration, packages
and files. That is what a second cluster would be, without the time for starting it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from difflib import unified_diff
from pathlib import Path

import pytest
from lxml import etree

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster

LEGACY = REPOSITORY_ROOT / "scripts" / "legacy"

pytestmark = [pytest.mark.cluster, pytest.mark.every_image]


@pytest.fixture
def clean_cluster(cluster: Cluster) -> Iterable[Cluster]:
    cluster.reset()
    yield cluster
    cluster.reset()


def test_the_cib_equals_that_of_the_classic_steps(clean_cluster: Cluster) -> None:
    for script in ("install.sh", "create.sh", "status.sh"):
        run_legacy(clean_cluster, LEGACY / script)
    classic = resources(clean_cluster)
    clean_cluster.reset()
    assert resources(clean_cluster) == ["<resources/>"], "the clusters start alike"

    clean_cluster.fab("install-memcached", "create-memcached", check=True)
    ours = resources(clean_cluster)

    assert sum("<op " in line for line in classic) >= 3, "pcs wrote operations to compare"
    difference = "\n".join(unified_diff(classic, ours, "pcs", "pacefab", lineterm="", n=30))
    assert not difference, f"the resources section differs:\n{difference}"


def run_legacy(cluster: Cluster, script: Path) -> None:
    """Run one of the classic steps against all nodes; its output is shown when the test fails."""
    environment = {**os.environ, "SSH_CONFIG": str(cluster.ssh_config)}
    argv = [str(script), *cluster.nodes]
    subprocess.run(argv, env=environment, check=True, timeout=300, stdin=subprocess.DEVNULL)


def resources(cluster: Cluster) -> list[str]:
    """Return the resources section in a canonical form, a line per element.

    All elements stay, in their order; attributes are sorted, blanks between elements dropped.
    """
    text = cluster.run(cluster.nodes[0], "cibadmin --query --scope resources").stdout
    section = etree.fromstring(text, etree.XMLParser(remove_blank_text=True))
    for element in section.iter():
        attributes = sorted(element.attrib.items())
        element.attrib.clear()
        element.attrib.update(attributes)
    return etree.tostring(section, pretty_print=True, encoding="unicode").splitlines()
