"""The whole way on every image: install, create, status, verify, a second time, remove."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes
from tests.cluster.eyes import Done

pytestmark = pytest.mark.every_image

OPERATOR_LINES = {
    "/etc/memcached.conf": "-t 2  # four cores were too many\n# kept by the operator\n",
    "/etc/sysconfig/memcached": '# kept by the operator\nOPTIONS="-l 127.0.0.1,::1 -t 2"\n',
}
CLASSIC = " Clone Set: memcached-clone [memcached]\n     Started: [ c1 c2 c3 ]\n"
STATUS_KEYS = {"cluster", "verdict", "reasons", "quorum", "maintenance", "fencing", "dc"}
NODE_KEYS = {
    "node", "pacemaker", "memcached", "address", "port", "asked_from", "answers", "error",
    "version", "uptime_seconds", "items", "memory_used_bytes", "memory_limit_bytes", "hit_ratio",
    "evictions", "connections",
}  # fmt: skip


@pytest.fixture(scope="module")
def installed(bare: Cluster) -> Done:
    return bare.fab("install-memcached", "--memory", "48")


@pytest.fixture(scope="module")
def after_install(bare: Cluster, installed: Done) -> dict[str, list[str]]:
    """Each node's unit and sockets between install and create."""
    properties = ("LoadState", "UnitFileState", "ActiveState")
    return {
        node: eyes.unit(bare, node, *properties) + eyes.sockets(bare, node) for node in bare.nodes
    }


@pytest.fixture(scope="module")
def created(bare: Cluster, after_install: dict[str, list[str]]) -> Done:
    return bare.fab("create-memcached", hosts=bare.nodes[:1])


@pytest.fixture(scope="module")
def serving(bare: Cluster, created: Done) -> Cluster:
    assert created.returncode == 0, created.stdout + created.stderr
    return bare


def test_install_shows_a_changed_line_per_host(bare: Cluster, installed: Done) -> None:
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert eyes.outcomes(installed, "install-memcached") == dict.fromkeys(bare.nodes, "changed")
    assert re.search(r"^install-memcached: 3 changed in \d+\.\d s$", installed.stdout, re.MULTILINE)


def test_install_leaves_the_unit_disabled_and_stopped(
    bare: Cluster, after_install: dict[str, list[str]]
) -> None:
    expected = ["loaded", "disabled", "inactive"]  # and no socket
    assert after_install == dict.fromkeys(bare.nodes, expected)


def test_install_keeps_the_packaged_file_beside_its_own(bare: Cluster, installed: Done) -> None:
    path = eyes.config_path(bare)
    for node in bare.nodes:
        assert "127.0.0.1" in eyes.read(bare, node, f"{path}.previous")
        assert bare.address(node) in eyes.read(bare, node, path)


def test_create_shows_the_cluster_and_every_node(bare: Cluster, created: Done) -> None:
    assert created.returncode == 0, created.stdout + created.stderr
    names = [bare.name, *bare.nodes]
    assert eyes.outcomes(created, "create-memcached") == dict.fromkeys(names, "changed")
    for node in bare.nodes:
        assert f"serves at {bare.address(node)}:{eyes.PORT}" in created.stdout


def test_the_clone_interleaves(serving: Cluster) -> None:
    assert eyes.clone_meta(serving) == {"interleave": "true"}
    assert eyes.started_on(serving) == serving.nodes


def test_pacemaker_alone_starts_it(serving: Cluster) -> None:
    for node in serving.nodes:
        assert eyes.unit(serving, node, "UnitFileState", "ActiveState") == ["disabled", "active"]


def test_it_runs_as_pacemaker_would_have_started_it(serving: Cluster) -> None:
    """A unit of Debian's is restarted by systemd; one that Pacemaker starts is not."""
    first, *_ = serving.nodes
    drop_in = "/run/systemd/system/memcached.service.d/50-pacemaker.conf"
    ours = {node: eyes.read(serving, node, drop_in) for node in serving.nodes}
    assert {*map(str.strip, ours.values())} == {ours[first].strip()}
    assert eyes.unit(serving, first, "Restart") == ["no"]
    serving.run(first, "crm_resource --resource memcached-clone --restart", timeout=120)
    serving.run(first, "crm_resource --wait --timeout 60", timeout=120)
    assert eyes.read(serving, first, drop_in).strip() == ours[first].strip()


def test_it_listens_on_the_cluster_address_only(serving: Cluster) -> None:
    for node in serving.nodes:
        assert eyes.sockets(serving, node) == [f"tcp {serving.address(node)}"]


def test_each_node_serves_the_others(serving: Cluster) -> None:
    names = serving.nodes
    for writer, target, reader in zip(
        names, names[1:] + names[:1], names[2:] + names[:2], strict=True
    ):
        address, key = serving.address(target), f"from-{writer}"
        put = eyes.talk(serving, writer, address, rf"set {key} 0 60 5\r\nhello\r\n")
        got = eyes.talk(serving, reader, address, rf"get {key}\r\n")
        assert put == "STORED\n"
        assert got == f"VALUE {key} 0 5\nhello\nEND\n"


def test_it_has_the_memory_that_was_asked_for(serving: Cluster) -> None:
    said = eyes.talk(serving, "c1", serving.address("c2"), r"stats settings\r\n")
    assert f"STAT maxbytes {48 * 1024 * 1024}\n" in said
    assert "STAT udpport 0\n" in said


def test_status_is_healthy_in_the_classic_layout(serving: Cluster) -> None:
    done = serving.fab("status")
    assert done.returncode == 0, done.stdout + done.stderr
    assert CLASSIC in done.stdout
    assert "\nhealthy: memcached serves on 3 of 3 nodes" in done.stdout


def test_status_for_programs_has_the_documented_shape(serving: Cluster) -> None:
    done = serving.fab("status", "--json", hosts=["c2"])
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["verdict"] == "healthy"
    assert found["cluster"] == serving.name
    assert set(found) >= STATUS_KEYS
    assert [one["node"] for one in found["nodes"]] == serving.nodes
    for one in found["nodes"]:
        assert set(one) == NODE_KEYS
        assert one["address"] == serving.address(one["node"])
        assert one["answers"] is True
        assert one["memory_limit_bytes"] == 48 * 1024 * 1024
    (clone,) = found["resources"]
    assert clone["id"] == "memcached-clone"


def test_verify_shows_programs_the_matrix_and_every_check(serving: Cluster) -> None:
    found = json.loads(serving.fab("verify-memcached", "--json", check=True).stdout)
    pairs = {(cell["from"], cell["to"]) for cell in found["matrix"] if cell["served"]}
    assert pairs == {(one, other) for one in serving.nodes for other in serving.nodes}
    assert found["ok"] is True
    assert all(check["ok"] for check in found["checks"])


def test_verify_asks_everyone_from_everyone(serving: Cluster, tmp_path: Path) -> None:
    report = tmp_path / "verify.xml"
    done = serving.fab("verify-memcached", "--junit", str(report), hosts=["c3"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^= set and get +9 of 9$", done.stdout, re.MULTILINE)
    suite = ET.parse(report).getroot()  # noqa: S314  (written here)
    suite = suite if suite.tag == "testsuite" else suite[0]
    said = re.search(r"^verify-memcached: (\d+) passed, 0 failed$", done.stdout, re.MULTILINE)
    assert said
    assert len(suite.findall("testcase")) == int(said[1]) == int(suite.get("tests", ""))
    assert suite.get("failures") == "0"


def test_a_second_run_is_unchanged_and_restarts_nothing(serving: Cluster) -> None:
    before = eyes.processes(serving)
    with eyes.unchanged(serving):
        done = serving.fab("install-memcached", "create-memcached", "status")
    assert done.returncode == 0, done.stdout + done.stderr
    hosts = dict.fromkeys(serving.nodes, "unchanged")
    assert eyes.outcomes(done, "install-memcached") == hosts
    assert eyes.outcomes(done, "create-memcached") == {serving.name: "unchanged", **hosts}
    assert all(before.values())
    assert eyes.processes(serving) == before


def test_other_lines_of_the_file_stay(serving: Cluster) -> None:
    path = eyes.config_path(serving)
    lines = OPERATOR_LINES[path]
    serving.run("c1", f"cat >>{path}", stdin=lines)
    done = serving.fab("install-memcached", "--max-connections", "2000", hosts=["c1"])
    assert done.returncode == 0, done.stdout + done.stderr
    text = eyes.read(serving, "c1", path)
    assert "# kept by the operator" in text
    assert "-t 2" in text
    assert "2000" in text
    assert serving.address("c1") in text
    assert "127.0.0.1" not in "".join(
        line for line in text.splitlines() if not line.startswith("#")
    )
    assert lines in eyes.read(serving, "c1", f"{path}.previous")


def test_remove_and_purge_twice(serving: Cluster) -> None:
    # The last test of this module: it takes away what the others look at.
    first = serving.fab("remove-memcached", "--yes", "--purge")
    assert first.returncode == 0, first.stdout + first.stderr
    expected = dict.fromkeys([serving.name, *serving.nodes], "changed")
    assert eyes.outcomes(first, "remove-memcached") == expected
    assert not eyes.has_clone(serving)
    for node in serving.nodes:
        assert eyes.pid(serving, node) == ""
        assert not eyes.is_installed(serving, node)
        assert serving.run(node, "find /etc -path '*/memcached*' -type f").stdout == ""
    with eyes.unchanged(serving):
        second = serving.fab("remove-memcached", "--yes", "--purge")
    assert second.returncode == 0, second.stdout + second.stderr
    expected = dict.fromkeys([serving.name, *serving.nodes], "unchanged")
    assert eyes.outcomes(second, "remove-memcached") == expected
