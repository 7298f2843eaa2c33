"""status and verify-memcached see what Pacemaker does not: Started is not serving."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cluster import eyes
from tests.harness.cluster import Cluster


@pytest.fixture
def frozen(serving: Cluster) -> Iterator[str]:
    """The node whose memcached accepts connections and never answers."""
    serving.run("c2", "pkill -STOP -x memcached")
    yield "c2"
    serving.run("c2", "pkill -CONT -x memcached")


def test_a_frozen_memcached_is_degraded_though_started(serving: Cluster, frozen: str) -> None:
    assert eyes.started_on(serving) == serving.nodes
    done = serving.fab("status")
    assert done.returncode == 1, done.stdout + done.stderr
    said = f"degraded: Pacemaker calls memcached Started on {frozen}, yet it does not serve"
    assert said in done.stdout
    assert f"{serving.address(frozen)}:{eyes.PORT}" in done.stdout


def test_a_frozen_memcached_is_degraded_for_programs(serving: Cluster, frozen: str) -> None:
    done = serving.fab("status", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["verdict"] == "degraded"
    assert {one["node"]: one["answers"] for one in found["nodes"]} == {
        "c1": True, frozen: False, "c3": True,
    }  # fmt: skip


def test_verify_names_a_frozen_memcached(serving: Cluster, frozen: str, tmp_path: Path) -> None:
    report = tmp_path / "verify.xml"
    done = serving.fab("verify-memcached", "--junit", str(report))
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"failed: set and get, c1 -> {frozen}" in done.stdout
    suite = ET.parse(report).getroot().find(".//testsuite")  # noqa: S314  (written here)
    assert suite is not None
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures", "")) >= 2


def test_verify_names_a_firewall(serving: Cluster) -> None:
    rule = f"INPUT -p tcp --dport {eyes.PORT} -j DROP"
    serving.run("c3", f"iptables -A {rule}")
    try:
        done = serving.fab("verify-memcached")
        status = serving.fab("status")
    finally:
        serving.run("c3", f"iptables -D {rule}")
    assert done.returncode == 1
    assert "failed: set and get, c1 -> c3" in done.stdout
    assert "a firewall on c3" in done.stdout
    assert status.returncode == 1
    assert "Started on c3, yet it does not serve" in status.stdout


def test_verify_names_an_open_udp_port_and_an_enabled_unit(serving: Cluster) -> None:
    path = eyes.config_path(serving)
    serving.run("c1", f"cp -p {path} /run/kept && sed -i 's/-U 0/-U 11211/' {path}")
    serving.run("c2", "systemctl enable --quiet memcached")
    try:
        done = serving.fab("verify-memcached")
    finally:
        serving.run("c1", f"mv /run/kept {path}")
        serving.run("c2", "systemctl disable --quiet memcached")
    assert done.returncode == 1
    assert "failed: UDP off, c1" in done.stdout
    assert "failed: unit not enabled, c2" in done.stdout


def test_verify_names_an_interleave_that_does_nothing(serving: Cluster) -> None:
    serving.run("c1", "pcs resource meta memcached-clone interleave=")
    serving.run("c1", "pcs resource meta memcached interleave=true")
    try:
        done = serving.fab("verify-memcached")
    finally:
        serving.run("c1", "pcs resource meta memcached interleave=")
        serving.run("c1", "pcs resource meta memcached-clone interleave=true")
    assert done.returncode == 1
    assert "failed: interleave on the clone" in done.stdout
    assert "primitive" in done.stdout


def test_a_port_open_on_another_address_is_told(serving: Cluster) -> None:
    extra = serving.address("c1").rpartition(".")[0] + ".200"
    serving.run("c1", f"ip addr add {extra}/24 dev eth0")
    command = f"python3 -m http.server --bind {extra} {eyes.PORT}"
    serving.run("c1", f"systemd-run --quiet --collect --unit=squatter {command}")
    eyes.until(lambda: f"tcp {extra}" in eyes.sockets(serving, "c1"), "the other one listens")
    try:
        done = serving.fab("verify-memcached")
    finally:
        serving.run("c1", f"systemctl stop squatter; ip addr del {extra}/24 dev eth0")
    assert done.returncode == 1
    assert "failed: closed elsewhere, c2 -> c1" in done.stdout
    assert f"{extra}:{eyes.PORT}: open" in done.stdout


def test_a_standby_node_is_told(serving: Cluster) -> None:
    serving.run("c3", "crm_standby --node c3 --update on && crm_resource --wait --timeout 30")
    try:
        done = serving.fab("status")
        found = json.loads(serving.fab("status", "--json").stdout)
    finally:
        serving.run("c3", "crm_standby --node c3 --delete && crm_resource --wait --timeout 30")
    assert "     Started: [ c1 c2 ]\n     Stopped: [ c3 ]\n" in done.stdout
    assert "c3 is standby" in done.stdout
    assert done.returncode == 1
    assert found["nodes"][2]["pacemaker"] == "standby"


def test_a_node_whose_cluster_stopped_is_told(serving: Cluster) -> None:
    serving.run("c2", "systemctl stop pacemaker corosync")
    try:
        done = serving.fab("status", hosts=["c2"])
        every = serving.fab("status", hosts=["c2", "c3", "c1"])
    finally:
        serving.run("c2", "systemctl start corosync pacemaker")
        serving.wait_formed()
        eyes.until(lambda: eyes.started_on(serving) == serving.nodes, "c2 serves again", 60)
    for one in (done, every):
        assert one.returncode == 1, one.stdout + one.stderr
        assert "c2 is offline" in one.stdout
        assert "     Started: [ c1 c3 ]\n     Stopped: [ c2 ]\n" in one.stdout


def test_a_host_that_does_not_answer_hides_nothing(serving: Cluster) -> None:
    serving.container("c3").pause()
    try:
        done = serving.fab("status", hosts=["c1", "c2"], timeout=90)
    finally:
        serving.container("c3").unpause()
        serving.wait_formed()
        eyes.until(lambda: eyes.started_on(serving) == serving.nodes, "c3 serves again", 60)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "c3" in done.stdout.partition("degraded:")[2]
    assert re.search(r"^c1 +online +Started +yes", done.stdout, re.MULTILINE), done.stdout
    assert "Traceback" not in done.stderr


def test_a_killed_memcached_is_told_before_pacemaker_sees_it(serving: Cluster) -> None:
    # Pacemaker looks every 60 seconds: in between its word alone would be wrong. The last test of
    # this module: what Pacemaker does about it then is not waited for.
    serving.run("c1", "systemctl kill --signal=KILL memcached")
    eyes.until(lambda: eyes.pid(serving, "c1") == "", "memcached is dead")
    done = serving.fab("status")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "c1" in done.stdout.partition("degraded:")[2]
