"""Links, times, crypto, quorum and a quorum device, by corosync's own word.

The tests share the hosts and build on each other, in the order of the file. The two nodes form one
cluster; the third host is that of the quorum device.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes, stopping
from tests.cluster.test_bootstrap import HACLUSTER, fab, watched

CONF = "/etc/corosync/corosync.conf"
AT_FIRST = "totem: {token: 5000}, links: [{link_priority: 1}, {link_priority: 5}]"
TAKE_APART = """\
systemctl disable --quiet --now pacemaker corosync
rm -rf /etc/corosync/corosync.conf /etc/corosync/authkey /etc/pacemaker/authkey
rm -rf /var/lib/pacemaker/cib/*
"""


@dataclass(frozen=True)
class Pair:
    """Two nodes with two addresses each, and the host of their quorum device."""

    hosts: Cluster
    folder: Path
    network: str  # of the first link, without the last number

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the members."""
        return tuple(self.hosts.nodes[:2])

    @property
    def third(self) -> str:
        """Return the host of the quorum device."""
        return self.hosts.nodes[2]

    def inventory(self, corosync: str, *, links: bool = True) -> str:
        """Write an inventory with these settings of corosync; return its path."""
        second = ", links: [192.0.2.{0}]" if links else ""
        line = "  - {{name: {1}, address: " + self.network + ".{0}" + second + "}}\n"
        nodes = "".join(line.format(11 + i, name) for i, name in enumerate(self.nodes))
        file = self.folder / "inventory.yaml"
        file.write_text(
            f"cluster: pair\nnodes:\n{nodes}corosync: {{{corosync}}}\nproperties: "
            "{dc-deadtime: 3s}\nfencing: {disabled: true, reason: a test}\n"
        )
        return str(file)

    def run(self, *words: str, status: int = 0) -> str:
        """Run the program; return what it printed."""
        done = fab(self.hosts, *words)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def deploy(self, corosync: str, *words: str, links: bool = True) -> str:
        """Deploy an inventory with these settings of corosync."""
        file = self.inventory(corosync, links=links)
        return self.run("deploy", "--yes", *words, "--inventory", file)

    def nothing_to_do(self) -> None:
        """Check that the inventory that was written last is what there is."""
        shown = self.run("plan", "--inventory", str(self.folder / "inventory.yaml"))
        assert "nothing to do" in shown

    def said(self, command: str) -> list[str]:
        """Return what each node answers."""
        return [self.hosts.run(node, command, check=False).stdout for node in self.nodes]

    def in_force(self, key: str) -> set[str]:
        """Return the values that the running corosyncs have for a key."""
        said = self.said(f"corosync-cmapctl -g {key}")
        return {text.rpartition("=")[2].strip() for text in said}

    def comes(self, look: Callable[[], set[str]], expected: set[str]) -> None:
        """Wait until that is what the nodes say: one reads its file a moment after another."""
        eyes.until(lambda: look() == expected, f"{expected}, not {look()}")

    def has_links(self, number: int) -> bool:
        """Whether each node has so many links to the other one."""
        said = self.said("corosync-cfgtool -n")
        return all(text.count("LINK: ") == number for text in said)

    def files(self) -> set[str]:
        """Return the texts that the nodes' files have."""
        return set(self.said(f"cat {CONF}"))

    def flags(self) -> set[str]:
        """Return votequorum's flags, as the nodes say them."""
        said = self.said("corosync-quorumtool -s")
        return {" ".join(re.findall(r"^Flags: *(.*)", text, re.MULTILINE)).strip() for text in said}

    def is_linked(self, node: str) -> bool:
        """Whether a node reaches the other one by both links."""
        seen = self.hosts.run(node, "corosync-cfgtool -n").stdout
        return all(f"LINK: {n}" in seen for n in (0, 1)) and "disconnected" not in seen

    def started(self) -> list[str]:
        """Return which process corosync is, on each node."""
        return self.said("pidof corosync")


@pytest.fixture(scope="module")
def pair(module_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    hosts = module_cluster
    own = hosts.run(hosts.nodes[0], "hostname -I").stdout.split()[0]
    made = Pair(hosts, tmp_path_factory.mktemp("pair"), own.rpartition(".")[0])
    on_all(lambda node: hosts.run(node, TAKE_APART), hosts.nodes)
    for i, node in enumerate(made.nodes, start=11):
        hosts.run(node, f"ip address add 192.0.2.{i}/24 dev eth0")
    with ThreadPoolExecutor() as pool:
        third = pool.submit(made.run, "-H", made.third, "setup-qnetd")
        made.run("bootstrap", "--inventory", made.inventory(AT_FIRST))
        assert "changed" in third.result()
    return made


@pytest.mark.every_image(bare=True)
def test_a_cluster_is_formed_with_its_links_and_times(pair: Pair) -> None:
    for node in pair.nodes:
        eyes.until(partial(pair.is_linked, node), f"{node} has two links")
    pair.comes(partial(pair.in_force, "totem.interface.1.knet_link_priority"), {"5"})
    pair.comes(partial(pair.in_force, "runtime.config.totem.token"), {"5000"})
    pair.comes(pair.flags, {"2Node Quorate WaitForAll"})
    pair.nothing_to_do()


@pytest.mark.every_image(bare=True)
def test_times_and_crypto_change_while_all_runs(pair: Pair) -> None:
    before = pair.started()
    said = pair.deploy(AT_FIRST.replace("5000", "6000") + ", crypto: {cipher: aes128}")
    assert "totem token: 5000 → 6000" in said
    pair.comes(partial(pair.in_force, "runtime.config.totem.token"), {"6000"})
    pair.comes(partial(pair.in_force, "totem.crypto_cipher"), {"aes128"})
    assert len(pair.files()) == 1
    assert pair.started() == before
    pair.nothing_to_do()


def test_links_and_crypto_are_exported_and_adopted(pair: Pair) -> None:
    exported = str(pair.folder / "links.yaml")
    pair.run("-H", pair.nodes[0], "export", "--to", exported)
    found = read_inventory(Path(exported))
    assert [len(node.links) for node in found.nodes] == [1, 1]
    text = Path(exported).read_text()
    assert "cipher: aes128" in text
    assert "link_priority: 5" in text
    pair.run("adopt", "--yes", "--inventory", exported)
    assert "nothing to do" in pair.run("plan", "--inventory", exported)


def test_the_node_with_another_file_is_named_and_brought_to_the_others(pair: Pair) -> None:
    _, second = pair.nodes
    pair.hosts.run(second, f"sed -i 's/token: 6000/token: 7000/' {CONF}")
    file = str(pair.folder / "inventory.yaml")
    shown = pair.run("plan", "--inventory", file, status=2)
    assert f"{second}: its file differs from the others': totem token 7000" in shown
    pair.run("deploy", "--yes", "--inventory", file)
    assert len(pair.files()) == 1
    pair.comes(partial(pair.in_force, "runtime.config.totem.token"), {"6000"})


@pytest.mark.long
def test_a_change_that_was_cut_off_comes_into_force_by_the_next_run(pair: Pair) -> None:
    file = pair.inventory(AT_FIRST.replace("5000", "8000"), links=True)
    point = "pacefab.workflows.rollout.corosync_change:CorosyncChange._on_all"
    stopping.killed(
        pair.hosts, "deploy", "--yes", "--inventory", file, point=point, hosts=",".join(pair.nodes)
    )
    pair.comes(partial(pair.in_force, "runtime.config.totem.token"), {"6000"})
    shown = pair.run("plan", "--inventory", file, status=2)
    assert "not finished" in shown
    pair.run("deploy", "--yes", "--inventory", file)
    pair.comes(partial(pair.in_force, "runtime.config.totem.token"), {"8000"})
    pair.nothing_to_do()
    # Both are one change to go back before.
    pair.run("rollback", "--yes", "--inventory", file)
    pair.comes(partial(pair.in_force, "runtime.config.totem.token"), {"6000"})
    pair.comes(partial(pair.in_force, "totem.crypto_cipher"), {"aes128"})


def test_a_link_goes_and_comes_while_all_runs(pair: Pair) -> None:
    before = pair.started()
    pair.deploy("totem: {token: 6000}", links=False)
    eyes.until(partial(pair.has_links, 1), "the second link is gone")
    pair.deploy(AT_FIRST.replace("5000", "6000"))
    for node in pair.nodes:
        eyes.until(partial(pair.is_linked, node), f"{node} has its second link again")
    assert pair.started() == before
    pair.nothing_to_do()


@pytest.mark.long
def test_what_needs_a_restart_waits_for_it_and_goes_back(pair: Pair) -> None:
    before = pair.started()
    ties = AT_FIRST.replace("5000", "6000") + ", quorum: {auto_tie_breaker: true}"
    said = pair.deploy(ties)
    assert "--restart-cluster" in said
    assert pair.started() == before
    file = pair.inventory(ties)
    words = ("deploy", "--yes", "--restart-cluster", "--inventory", file)
    point = "pacefab.workflows.rollout.corosync_change:CorosyncChange._stop"
    said = stopping.killed(pair.hosts, *words, point=point, hosts=",".join(pair.nodes))
    assert "the whole cluster restarts" in said
    assert pair.started() == ["", ""]
    # The next run finds all of it stopped, writes the files and starts it.
    pair.deploy(ties)
    assert not set(pair.started()) & {*before, ""}
    pair.comes(pair.flags, {"Quorate AutoTieBreaker"})
    pair.nothing_to_do()
    pair.run("rollback", "--yes", "--restart-cluster", "--inventory", pair.inventory(ties))
    pair.comes(pair.flags, {"2Node Quorate WaitForAll"})


@pytest.mark.long
def test_a_quorum_device_comes_is_watched_and_goes(pair: Pair) -> None:
    first, second = pair.nodes
    assert "changed" not in pair.run("-H", pair.third, "setup-qnetd").replace("unchanged", "")
    device = (
        f"{AT_FIRST.replace('5000', '6000')}, qdevice: {{host: {pair.third}, algorithm: ffsplit}}"
    )
    with watched(pair.hosts, first, HACLUSTER):
        pair.deploy(device)
    pair.comes(pair.flags, {"Quorate Qdevice"})
    pair.nothing_to_do()
    pair.deploy(device.replace("ffsplit", "ffsplit, tie_breaker: highest, tls: required"))
    assert all("tls: required" in text and "tie_breaker: highest" in text for text in pair.files())
    pair.comes(pair.flags, {"Quorate Qdevice"})
    pair.nothing_to_do()
    file = pair.inventory(device)
    pair.run("rollback", "--yes", "--inventory", file)
    pair.nothing_to_do()
    pair.comes(pair.flags, {"Quorate Qdevice"})
    pair.hosts.run(second, "systemctl stop corosync-qdevice")
    shown = pair.run("status", "--inventory", file, status=1)
    assert f"{second} is not connected to the quorum device {pair.third}" in shown
    pair.hosts.run(second, "systemctl start corosync-qdevice")
    exported = str(pair.folder / "exported.yaml")
    pair.run("-H", first, "export", "--to", exported)
    assert f"host: {pair.third}" in Path(exported).read_text()
    assert "nothing to do" in pair.run("plan", "--inventory", exported)
    # Before the device: its change and the way back from that came after it.
    pair.run("rollback", "--number", "3", "--yes", "--inventory", file)
    pair.comes(pair.flags, {"2Node Quorate WaitForAll"})
    assert "device" not in "".join(pair.files())
    assert "rollback: corosync: " in pair.run("history", "--inventory", file)
