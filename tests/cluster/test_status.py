"""status and verify-memcached see what Pacemaker does not: Started is not serving."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree as ET

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes


def is_missed(cluster: Cluster, node: str, other: str) -> bool:
    """Whether Pacemaker on a node, with a DC and quorum, takes another one for offline."""
    seen = cluster.run(node, "crm_mon --one-shot --output-as=xml").stdout
    led = re.search('<current_dc present="true".*with_quorum="true"', seen)
    return bool(led and re.search(f'<node name="{other}" .*online="false"', seen))


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


def test_a_port_open_on_another_address_is_reported(serving: Cluster) -> None:
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


def test_a_standby_node_is_reported(serving: Cluster) -> None:
    serving.run("c3", "crm_standby --node c3 --update on && crm_resource --wait --timeout 30")
    try:
        done = serving.fab("status")
        found = json.loads(serving.fab("status", "--json").stdout)
    finally:
        serving.run("c3", "crm_standby --node c3 --delete && crm_resource --wait --timeout 30")
    assert "     Started: [ c1 c2 ]\n     Stopped: [ c3 ]\n" in done.stdout
    assert (
        "notice: c3 is in standby, its services are not asked: pcs node unstandby c3" in done.stdout
    )
    assert "\nhealthy: memcached serves on 2 of 3 nodes" in done.stdout
    assert done.returncode == 0
    assert found["nodes"][2]["pacemaker"] == "standby"


def test_a_node_whose_cluster_stopped_is_reported(serving: Cluster) -> None:
    serving.run("c2", "systemctl stop pacemaker corosync")
    try:
        # c2 may have been the DC: until there is another one its state is not reported.
        for node in ("c1", "c3"):
            eyes.until(partial(is_missed, serving, node, "c2"), f"{node} misses c2")
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
    serving.pause("c3")
    try:
        done = serving.fab("status", hosts=["c1", "c2"], timeout=90)
    finally:
        serving.container("c3").unpause()
        serving.wait_formed()
        # A thawed DC that was alone for a moment may stop its memcached yet.
        serving.run("c1", "crm_resource --wait --timeout 60", timeout=90)
        eyes.until(lambda: eyes.started_on(serving) == serving.nodes, "c3 serves again", 60)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "c3" in done.stdout.partition("degraded:")[2]
    assert re.search(r"^c1 +online +Started +yes", done.stdout, re.MULTILINE), done.stdout
    assert "Traceback" not in done.stderr


def test_metrics_are_read_by_prometheus_own_parser(serving: Cluster) -> None:
    done = serving.fab("status", "--prometheus", check=True)
    found = {metric.name: metric for metric in text_string_to_metric_families(done.stdout)}
    answers = {one.labels["node"]: one.value for one in found["pacefab_memcached_serving"].samples}
    assert answers == dict.fromkeys(serving.nodes, 1.0)


class Terminal:
    """A fab run on a terminal of its own; `text` is all that it wrote there."""

    def __init__(self, cluster: Cluster, *args: str, size: tuple[int, int] = (200, 50)) -> None:
        """Start it on a terminal of so many columns and lines."""
        self.text = ""
        self._side, other = pty.openpty()
        columns, lines = size
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = {
            name: value
            for name, value in eyes.environment(TERM="xterm").items()
            if name not in {"COLUMNS", "LINES", "NO_COLOR"}
        }
        # A suite that runs in the background hands an ignored SIGINT down.
        argv = ["env", "--default-signal=INT", *eyes.fab_argv(cluster, *args)]
        self.process = subprocess.Popen(
            argv, stdin=other, stdout=other, stderr=other, env=environment, start_new_session=True
        )
        os.close(other)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while chunk := os.read(self._side, 65536):
                self.text += chunk.decode(errors="replace")
        except OSError:  # the other side is closed
            return

    def looks(self) -> list[list[str]]:
        """Return the lines of each whole look of --watch, as a person sees them."""
        parts = self.text.partition("\x1b[?1049l")[0].split("\x1b[H")[1:]
        whole = [part.partition("\x1b[J")[0] for part in parts if "\x1b[J" in part]
        return [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", part).splitlines() for part in whole]

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Return the exit status, once it has ended and all that it wrote is here."""
        status = self.process.wait(timeout=60)
        self._reader.join(timeout=5)
        return status


def test_watching_goes_on_over_lost_connections_until_ctrl_c(serving: Cluster) -> None:
    watch = Terminal(serving, "status", "--watch", "--interval", "1")
    try:
        eyes.until(lambda: watch.text.count("Ctrl-C ends") > 1, "it has looked twice")
        assert "healthy: memcached serves on 3 of 3 nodes" in watch.text
        for node in serving.nodes:
            serving.run(node, "pkill -f '^sshd: [a-z]+@'")
        serving.run("c3", "crm_standby --node c3 --update on && crm_resource --wait --timeout 30")
        eyes.until(lambda: "notice: c3 is in standby" in watch.text, "it sees the standby")
        status = watch.interrupt()
    finally:
        watch.process.kill()
        serving.run("c3", "crm_standby --node c3 --delete && crm_resource --wait --timeout 30")
    assert status == 0
    shown, _, left = watch.text.partition("\x1b[?1049l")  # xterm: back from the other screen
    assert "\x1b[?1049h" in shown
    assert "notice: c3 is in standby" in left
    assert "Traceback" not in watch.text


@pytest.mark.parametrize("size", [(80, 10), (80, 24), (40, 12)])
def test_a_small_terminal_shows_the_verdict_and_folds_nothing(
    serving: Cluster, size: tuple[int, int]
) -> None:
    columns, lines = size
    watch = Terminal(serving, "status", "--watch", "--interval", "1", size=size)
    try:
        eyes.until(lambda: len(watch.looks()) > 1, "it has looked twice", 60)
        status = watch.interrupt()
    finally:
        watch.process.kill()
    assert status == 0
    for look in watch.looks():
        assert len(look) <= lines
        assert max(map(len, look)) <= columns
        assert look[1].startswith("healthy: memcached serves on 3 of 3")
    assert "\x1b[32mhealthy: " in watch.text
    left = watch.text.partition("\x1b[?1049l")[2]
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", left).split()
    assert " ".join(shown).endswith("healthy: memcached serves on 3 of 3 nodes")


@pytest.mark.parametrize("args", [("status",), ("verify-memcached",), ("create-memcached",)])
def test_no_line_is_wider_than_eighty_columns(serving: Cluster, args: tuple[str, ...]) -> None:
    terminal = Terminal(serving, *args, size=(80, 24))
    assert terminal.wait() == 0
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.text).splitlines()
    assert max(map(len, shown)) <= 80


def test_watching_needs_a_terminal(serving: Cluster) -> None:
    done = serving.fab("status", "--watch")
    eyes.assert_refused(done, "the output is no terminal", "--prometheus", status=2)


def test_a_killed_memcached_is_reported_before_pacemaker_sees_it(serving: Cluster) -> None:
    # Pacemaker looks every 60 seconds: in between its word alone would be wrong. The last test of
    # this module: what Pacemaker does about it then is not waited for.
    killed = eyes.pid(serving, "c1")
    serving.run("c1", "systemctl kill --signal=KILL memcached")
    eyes.until(lambda: eyes.pid(serving, "c1") != killed, "memcached is dead")
    done = serving.fab("status")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "c1" in done.stdout.partition("degraded:")[2]
