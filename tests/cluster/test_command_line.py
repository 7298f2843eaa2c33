"""What Fabric's options do to real nodes, and hosts that are off, hung or not named by settings."""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes

CONFIGURATION = "sha256sum /etc/memcached.conf /etc/sysconfig/memcached 2>/dev/null; true"
PROGRAM = {name: str(Path(sys.executable).with_name(name)) for name in ("fab", "pacefab")}
OWN_FABFILE = """
from fabric import task
from invoke import Collection
import pacefab

@task
def greet(c):
    "Say hello."
    c.run("echo hello from $(hostname)")

ns = Collection(greet)
ns.add_collection(pacefab.namespace, "ha")
"""


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster with memcached's package and configuration, and no resource."""
    cluster.reset()
    done = cluster.fab("install-memcached")
    assert done.returncode == 0, done.stdout + done.stderr
    yield cluster
    cluster.reset()


def configured(cluster: Cluster) -> dict[str, str]:
    return {node: cluster.run(node, CONFIGURATION).stdout for node in cluster.nodes}


def typed(program: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM[program], *words], cwd=folder, env=eyes.environment(), text=True, check=False,
        capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("flag", ["-R", "--dry"])
@pytest.mark.parametrize("behind", [False, True])
def test_dry_changes_nothing(installed: Cluster, flag: str, behind: bool) -> None:
    before = configured(installed)
    words = ["install-memcached", "--memory", "128"]
    done = installed.fab(*words, flag) if behind else installed.fab(flag, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "would be:" in done.stdout
    done = installed.fab(flag, "create-memcached")
    assert done.returncode == 0, done.stdout + done.stderr
    assert configured(installed) == before
    assert "memcached" not in installed.run(installed.nodes[0], "cibadmin --query").stdout


def test_what_would_not_be_dry_is_refused(installed: Cluster) -> None:
    for words in (["drill", "--kind", "process"], ["bootstrap"], ["add-node"]):
        done = installed.fab("-R", *words)
        assert (done.returncode, "--dry-run" in done.stderr) == (2, True), done.stderr


def test_a_hung_host_is_waited_for_as_long_as_the_command_line_says(installed: Cluster) -> None:
    *healthy, hung = installed.nodes
    container = installed.container(hung)
    installed.pause(hung)
    seconds = []
    try:
        for limit in (15, 2):
            started = time.monotonic()
            done = installed.fab("-t", str(limit), "install-memcached", "--dry-run")
            seconds.append(time.monotonic() - started)
            assert done.returncode == 1
            assert "it took the connection, then said nothing" in done.stdout
    finally:
        container.unpause()
    longer, shorter = seconds
    assert longer >= 15
    assert longer - shorter > 6  # 13, but for what else the machine does meanwhile
    for node in healthy:
        assert f"= {node}" in done.stdout


def test_a_host_that_is_off_is_not_one_whose_sshd_is_off(
    installed: Cluster, tmp_path: Path
) -> None:
    first = ipaddress.ip_address(installed.address(installed.nodes[0]))
    nobody = str(ipaddress.ip_network(f"{first}/24", strict=False)[-6])
    done = typed("pacefab", tmp_path, "-H", nobody, "status")
    assert done.returncode == 2
    assert "no route to the host" in done.stdout
    assert "is it switched on" in " ".join(done.stdout.split())


def test_settings_and_a_collection_of_somebody_elses_reach_the_nodes(
    installed: Cluster, tmp_path: Path
) -> None:
    node = installed.nodes[0]
    link = tmp_path / "hosts"
    link.write_text(installed.ssh_config.read_text())
    (tmp_path / "pacefab.yaml").write_text("pacefab: {ssh_config: hosts}\n")
    (tmp_path / "below").mkdir()
    done = typed("pacefab", tmp_path / "below", "-H", ",".join(installed.nodes), "--", "hostname")
    assert (done.returncode, done.stdout.split()) == (0, list(installed.nodes)), done.stderr
    done = typed("pacefab", tmp_path / "below", "-H", node, "--", "exit 3")
    assert done.returncode == 3
    (tmp_path / "fabfile.py").write_text(OWN_FABFILE)
    (tmp_path / "fabric.yaml").write_text("pacefab: {ssh_config: hosts}\n")
    done = typed("fab", tmp_path, "-H", ",".join(installed.nodes), "ha.install-memcached")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("unchanged") >= len(installed.nodes)
    done = typed("fab", tmp_path, "-S", str(link), "-H", node, "greet", "ha.status")
    assert f"hello from {node}" in done.stdout
    assert os.linesep in done.stdout
    assert f"cluster {installed.name}" in done.stdout
