"""An inventory in place of -H: whose nodes, which way to them, which settings."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes
from tests.cluster.eyes import Done

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
    eyes.until(lambda: eyes.sockets(bare, "c2", 2222) != [], "sshd listens on 2222")
    yield 2222
    bare.run("c2", f"rm {SECOND_PORT}; {reload}")
    eyes.until(lambda: eyes.sockets(bare, "c2", 2222) == [], "sshd has left 2222")
    eyes.until(lambda: eyes.sockets(bare, "c2", 22) != [], "sshd listens on 22")


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
    reported = bare.run(
        "c2", "journalctl --sync; journalctl -t sudo -o cat --no-pager | tail -5"
    ).stdout
    assert "operator" in reported


PACEMAKER = """
properties: {cluster-recheck-interval: 5min, batch-limit: 10}
defaults: {resource-stickiness: 100, migration-threshold: 3}
fencing: {disabled: true, reason: containers have no power switch}
resources:
  first: {agent: 'ocf:pacemaker:Dummy', group: pair, parameters: {fake: {secret: fake}}}
  second: {agent: 'ocf:pacemaker:Dummy', group: pair}
  everywhere: {agent: 'ocf:pacemaker:Dummy', clone: {interleave: true}}
  roles:
    agent: ocf:pacemaker:Stateful
    promotable: {promoted-max: 1}
    operations:
      - {name: monitor, interval: 11s, role: Promoted, timeout: 20s}
      - {name: monitor, interval: 12s, role: Unpromoted, timeout: 20s}
  unused: {agent: 'ocf:pacemaker:Dummy', disabled: true}
constraints:
  order: [{first: roles-clone, first_action: promote, then: pair}]
  colocation: [{resource: pair, with: roles-clone, with_role: Promoted}]
  location:
    - {resource: roles-clone, attribute: rack, operation: eq, value: b3, score: 500}
    - {resource: everywhere-clone, node: c1, score: -INFINITY}
"""
SECRET, OTHER = "the value of fake", "another value"


@pytest.fixture(scope="module")
def deployed(bare: Cluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An inventory in Pacemaker's own terms, deployed."""
    file = tmp_path_factory.mktemp("deployed") / "pacemaker.yaml"
    nodes = "[c1, c2, {name: c3, attributes: {rack: b3}}]"
    file.write_text(f"cluster: {bare.name}\nnodes: {nodes}\n{PACEMAKER}")
    options = ("deploy", "--yes", "--show-pcs", "--inventory", str(file))
    done = fab(bare, *options, PACEFAB_SECRET_FAKE=SECRET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    return str(file)


def value(cluster: Cluster, command: str) -> str:
    return cluster.run("c1", command).stdout.strip()


def runs_on(cluster: Cluster, resource: str) -> list[str]:
    """Return the nodes on which Pacemaker runs a primitive or its instances."""
    root = ET.fromstring(value(cluster, "crm_mon -1 --output-as=xml"))  # noqa: S314  # our nodes
    return sorted(
        one.get("name", "") for one in root.findall(f".//resource[@id='{resource}']/node")
    )


def test_what_it_says_in_pacemakers_terms_is_so(bare: Cluster, deployed: str) -> None:
    assert value(bare, "crm_attribute -G -q -n cluster-recheck-interval") == "5min"
    assert value(bare, "crm_attribute -G -q -n stonith-enabled") == "false"
    assert value(bare, "crm_attribute -G -q -t rsc_defaults -n resource-stickiness") == "100"
    assert value(bare, "crm_attribute -G -q -N c3 -n rack") == "b3"
    assert value(bare, "crm_resource -r first -g fake") == SECRET
    monitor = eyes.cib(bare).find(".//primitive[@id='roles']//op[@interval='11s']")
    assert monitor is not None
    assert monitor.get("role") in {"Promoted", "Master"}
    # c3's promotion score may come when c1 is promoted already; everything then moves to c3.
    eyes.until(lambda: runs_on(bare, "first") == runs_on(bare, "second") == ["c3"], "pair is on c3")
    assert runs_on(bare, "everywhere") == ["c2", "c3"]
    assert runs_on(bare, "roles") == ["c1", "c2", "c3"]
    assert runs_on(bare, "unused") == []


def test_the_same_inventory_wants_nothing_more_but_another_secret_does(
    bare: Cluster, deployed: str
) -> None:
    same = fab(bare, "plan", "--inventory", deployed, PACEFAB_SECRET_FAKE=SECRET)
    assert same.returncode == 0, same.stdout + same.stderr
    other = fab(bare, "plan", "--inventory", deployed, PACEFAB_SECRET_FAKE=OTHER)
    assert other.returncode == 2, other.stdout + other.stderr
    assert "first" in other.stdout
    assert SECRET not in other.stdout
    assert OTHER not in other.stdout
