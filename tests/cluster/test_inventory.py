"""An inventory in place of -H: whose nodes, which way to them, which settings."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import eyes
from tests.cluster.eyes import Done
from tests.harness.cluster import REPOSITORY_ROOT, Cluster

SETTINGS = "services:\n  memcached: {port: 11300, memory: 48, max_connections: 100}\n"
SECOND_PORT = "/etc/ssh/sshd_config.d/00-test.conf"


@pytest.fixture
def names(bare: Cluster, tmp_path: Path) -> str:
    """An inventory that names the cluster's nodes, and has settings for memcached."""
    return inventory(tmp_path, ", ".join(bare.nodes))


def inventory(folder: Path, nodes: str) -> str:
    file = folder / "cluster.yaml"
    file.write_text(f"cluster: lab\nnodes: [{nodes}]\n{SETTINGS}")
    return str(file)


def fab(cluster: Cluster, *args: str, ssh_config: Path | None = None, **env: str) -> Done:
    """Run fab without -H."""
    argv = eyes.fab_argv(cluster, *args, ssh_config=ssh_config)
    named = argv.index("-H")
    del argv[named : named + 2]
    return subprocess.run(
        argv,
        env=eyes.environment(**env),
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        cwd=REPOSITORY_ROOT,
        check=False,
    )


def done_on(done: Done) -> dict[str, str]:
    """Return what install-memcached did, by host."""
    assert done.returncode == 0, done.stdout + done.stderr
    return eyes.outcomes(done, "install-memcached")


def test_its_nodes_are_the_hosts_and_its_settings_the_options(bare: Cluster, names: str) -> None:
    done = done_on(fab(bare, "install-memcached", "--inventory", names))
    assert done == dict.fromkeys(bare.nodes, "changed")
    created = fab(bare, "create-memcached", "status", PACEFAB_INVENTORY=names)
    assert created.returncode == 0, created.stdout + created.stderr
    for node in bare.nodes:
        statistics = eyes.talk(bare, node, bare.address(node), "stats settings\r\n", port=11300)
        assert f"STAT maxbytes {48 * 2**20}" in statistics
        assert "STAT maxconns 100" in statistics
    again = done_on(fab(bare, "install-memcached", "--inventory", names))
    assert again == dict.fromkeys(bare.nodes, "unchanged")


def test_an_option_wins_over_it(bare: Cluster, names: str) -> None:
    done = fab(bare, "install-memcached", "--dry-run", "--memory", "56", "--inventory", names)
    assert done_on(done) == dict.fromkeys(bare.nodes, "planned")
    assert "56" in done.stdout


def test_hosts_of_the_command_line_narrow_or_replace_its_nodes(
    bare: Cluster, names: str, tmp_path: Path
) -> None:
    task = ("install-memcached", "--dry-run", "--inventory")
    assert set(done_on(bare.fab(*task, names, hosts=["c2"]))) == {"c2"}
    others = inventory(tmp_path, "elsewhere1, elsewhere2")
    assert set(done_on(bare.fab(*task, others, hosts=["c1", "c3"]))) == {"c1", "c3"}


@pytest.fixture
def other_sshd_port(bare: Cluster) -> Iterator[int]:
    """Make c2's sshd listen on a second port."""
    reload = "systemctl reload ssh* || systemctl reload sshd"
    bare.run("c2", f"printf 'Port 22\\nPort 2222\\n' >{SECOND_PORT}; {reload}")
    yield 2222
    bare.run("c2", f"rm {SECOND_PORT}; {reload}")


def test_address_user_and_port_lead_to_the_nodes(
    bare: Cluster, other_sshd_port: int, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    key = next(re.finditer(r"IdentityFile \S+", bare.ssh_config.read_text()))[0]
    config.write_text(f"Host *\n  {key}\n  UserKnownHostsFile {tmp_path}/known_hosts\n")
    ports = dict.fromkeys(bare.nodes, 22) | {"c2": other_sshd_port}
    nodes = [
        f"{{name: {node}, address: {bare.address(node)}, user: operator, port: {port}}}"
        for node, port in ports.items()
    ]
    file = inventory(tmp_path, ", ".join(nodes))

    options = ("--inventory", file, "--accept-new-host-keys")
    done = fab(bare, "install-memcached", "--dry-run", *options, ssh_config=config)

    assert set(done_on(done)) == set(bare.nodes)
    known = (tmp_path / "known_hosts").read_text()
    assert f"[{bare.address('c2')}]:{other_sshd_port} " in known
    assert f"\n{bare.address('c2')} " not in known
    told = bare.run("c2", "journalctl -t sudo -o cat --no-pager | tail -5").stdout
    assert "operator" in told
