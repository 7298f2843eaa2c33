"""What nodes record of themselves during a drill, and what of it was active twice."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from pacefab.drill import recorder_node
from pacefab.drill.recording import NodeClock, Recording, active_twice, parse
from pacefab.services import registry
from pacefab.services.redis.section import RedisSection
from pacefab.waiting import Pending, wait_until
from tests.unit.test_drill_loads import site

FIRST, SECOND = '{"boot": "a 1"}', '{"boot": "a 2"}'
CLOCKS = {"a 1": NodeClock(1000.0, 0.05), "a 2": NodeClock(1000.0, 0.05)}
ROLE = "*3\r\n$6\r\nmaster\r\n:42\r\n*0\r\n"


def ticks(first: float, last: float, *held: str) -> list[str]:
    """Return the lines of a node's recorder, ten a second."""
    count = round((last - first) * 10) + 1
    return [" ".join([f"{first + n / 10:.2f}", *held]) for n in range(count)]


def recorded(node: str, *lines: str, clocks: Mapping[str, NodeClock] | None = None) -> Recording:
    return parse(node, "\n".join(lines), CLOCKS if clocks is None else clocks)


def test_what_is_active_is_so_from_the_first_line_that_says_it_to_the_last() -> None:
    found = recorded("c1", FIRST, *ticks(1, 2), *ticks(2.1, 3, "vip-a"), *ticks(3.1, 4))
    (span,) = found.spans
    assert (span.what, span.node, span.first, span.last) == ("vip-a", "c1", 1002.1, 1003.0)
    assert found.times["a 1"] == (1001.0, 1004.0)
    assert found.last_of("a 1") == 1004.0


def test_a_node_that_lost_its_power_has_what_it_wrote_until_then() -> None:
    torn = "4.05 vip-a\n4.1"
    found = recorded("c3", FIRST, *ticks(1, 4, "vip-a"), torn, SECOND, *ticks(20, 21))
    (span,) = found.spans
    assert span.last == 1004.05
    assert found.last_of("a 1") == 1004.1
    assert found.times["a 2"] == (1020.0, 1021.0)


def test_a_line_that_is_damaged_and_a_clock_that_is_not_known_are_no_evidence() -> None:
    assert recorded("c1", "{nonsense", *ticks(1, 4, "vip-a")).spans == ()
    assert recorded("c1", FIRST, "nonsense vip-a", "").spans == ()
    assert recorded("c1", FIRST, *ticks(1, 4, "vip-a"), clocks={}).times == {}


def test_what_two_nodes_have_at_once_was_active_twice() -> None:
    lost = recorded("c3", FIRST, *ticks(1, 8, "vip-a", "vip-b"))
    taken = recorded("c1", FIRST, *ticks(1, 5), *ticks(5.1, 9, "vip-a"), "9.1 vip-a vip-b")
    (found,) = active_twice([lost, taken], 1002.0)
    assert (found.what, found.nodes, found.at) == ("vip-a", ("c3", "c1"), 1005.1)
    assert str(found) == "vip-a was active on c3 and c1 at once, for 2.9 s"


@pytest.mark.parametrize(("within", "count"), [(0.05, 1), (0.3, 0)])
def test_what_clocks_may_be_wrong_by_is_no_evidence(within: float, count: int) -> None:
    clocks = {"a 1": NodeClock(1000.0, within)}
    lost = recorded("c3", FIRST, *ticks(1, 5.5, "vip-a"), clocks=clocks)
    taken = recorded("c1", FIRST, *ticks(5, 9, "vip-a"), clocks=clocks)
    assert len(active_twice([lost, taken], 1002.0)) == count


def test_an_address_that_moves_and_comes_back_was_active_once() -> None:
    lost = recorded(
        "c3", FIRST, *ticks(1, 4, "vip-a"), SECOND, *ticks(20, 30), *ticks(31, 40, "vip-a")
    )
    taken = recorded("c1", FIRST, *ticks(1, 6), *ticks(6.1, 30.5, "vip-a"), *ticks(30.6, 40))
    assert active_twice([lost, taken], 1002.0) == []


def test_a_database_is_active_on_every_node_of_its_component() -> None:
    usual = ticks(1, 5, "galera=3/3")
    sides = [
        recorded("c1", FIRST, *usual, *ticks(5.1, 20, "galera=4/2")),
        recorded("c2", FIRST, *usual, *ticks(5.4, 20, "galera=4/2")),
    ]
    # Who was cut off believes for a while in the component from before.
    alone = recorded("c3", FIRST, *usual, *ticks(5.1, 9, "galera=3/3"))
    assert active_twice([*sides, alone], 1002.0) == []
    split = recorded("c3", FIRST, *usual, *ticks(5.1, 20, "galera=4/1"))
    found = active_twice([*sides, split], 1002.0)
    assert [each.nodes for each in found] == [("c1", "c3"), ("c2", "c3")]


class Instance(threading.Thread):
    """Answers as Redis does, to one client."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.said: list[bytes] = []

    def run(self) -> None:
        """Answer until the client leaves."""
        link, _ = self._socket.accept()
        with suppress(ConnectionError):  # the client is killed
            while text := link.recv(100):
                self.said.append(text)
                link.sendall(b"+OK\r\n" if text.startswith(b"AUTH") else ROLE.encode())


@pytest.fixture
def instance() -> Instance:
    found = Instance()
    found.start()
    return found


def test_a_node_records_its_addresses_and_what_its_instances_say(
    tmp_path: Path, instance: Instance
) -> None:
    config, file = tmp_path / "redis.conf", tmp_path / "drill-record" / "record"
    config.write_text("port 6379\nrequirepass planted-password\n")
    activity = registry.service("redis").activity(RedisSection(), site(), "c1")
    assert activity is not None
    redis = {
        **activity.request, "address": "127.0.0.1", "port": instance.port, "config": str(config)
    }  # fmt: skip
    answers = "while read line; do echo 'size\t3'; echo 'status\tPrimary'; done"
    galera = {
        **activity.request, "resource": "galera", "argv": ["sh", "-c", answers],
        "say": "SHOW\n", "answer": r"status\t\S+\n", "active": r"size\t(\d+)\nstatus\tPrimary",
    }  # fmt: skip
    request = {
        "file": str(file), "seconds": 30, "activities": [redis, galera],
        "vips": {"here": "127.0.0.1", "six": "0:0::1", "away": "192.0.2.9"},
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", recorder_node.__file__, json.dumps(request)]
    )
    try:
        wait_until(lambda: (file.exists() and "galera" in file.read_text()) or Pending(), 20)
    finally:
        process.kill()
        process.wait()
    text = file.read_text()
    boot = json.loads(text.splitlines()[1])["boot"]
    held = parse("c1", text, {boot: NodeClock(0.0, 0.0)})
    states = {span.what: span.component for span in held.spans}
    assert {"here": "", "redis": "", "galera": "3"}.items() <= states.items()
    assert "away" not in states
    assert instance.said[0] == b"AUTH planted-password\r\n"
    assert "planted-password" not in text + json.dumps(request)


def test_a_recorder_ends_by_itself_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "drill-record" / "record"
    request = {"file": str(file), "seconds": 0.3, "vips": {}, "activities": []}
    subprocess.run(
        [sys.executable, "-I", "-S", recorder_node.__file__, json.dumps(request)],
        check=True, timeout=60,
    )  # fmt: skip
    assert not file.parent.exists()
