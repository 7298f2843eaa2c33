"""The quick suite on a node's own Python: Debian 13's, which is 3.13, where this one is older."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.plugin import ClusterFactory

VERSION = "3.13"
SOURCE, WHEELS = "/root/pacefab", "/root/wheels"
PREPARE = f"""
set -e
apt-get -qq install --yes --no-install-recommends git python3-venv
python3 -m venv /root/venv
/root/venv/bin/pip install --quiet --no-index --no-deps {WHEELS}/*.whl
cd {SOURCE}
/root/venv/bin/pip install --quiet --no-index --no-deps --no-build-isolation --editable .
"""
TEST = f"cd {SOURCE} && /root/venv/bin/python -m pytest -q -n 2 tests --ignore=tests/cluster"


@pytest.fixture(scope="module")
def node(cluster_factory: ClusterFactory) -> Cluster:
    """One bare node of Debian 13."""
    return cluster_factory("debian13", ["python313"], bare=True)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pinned packages for that Python; nodes reach no index of packages."""
    folder = tmp_path_factory.mktemp("wheels")
    requirements = str(REPOSITORY_ROOT / "requirements.txt")
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", "--require-hashes", "--python-version", VERSION, "--only-binary=:all:",
            "--requirement", requirements, "--dest", str(folder)]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def copy(cluster: Cluster, root: Path, files: Iterable[Path], target: str) -> None:
    """Copy files into a folder of the node, with their places below `root`."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for file in files:
            tar.add(file, arcname=str(file.relative_to(root)))
    cluster.run(cluster.nodes[0], f"mkdir -p {target}")
    assert cluster.container(cluster.nodes[0]).put_archive(target, archive.getvalue())


def checkout() -> list[Path]:
    """Return the files of this checkout that Git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY_ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    files = (REPOSITORY_ROOT / name for name in filter(None, listed.split("\0")))
    return [file for file in files if file.exists()]


@pytest.mark.long
def test_quick_suite_is_green_on_the_nodes_own_python(node: Cluster, wheels: Path) -> None:
    name = node.nodes[0]
    copy(node, wheels, wheels.iterdir(), WHEELS)
    copy(node, REPOSITORY_ROOT, checkout(), SOURCE)
    node.run(name, PREPARE, timeout=600)
    assert f"Python {VERSION}." in node.run(name, "/root/venv/bin/python --version").stdout
    done = node.run(name, TEST, check=False, timeout=1200)
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
