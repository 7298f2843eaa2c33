"""What came back from addresses -> what is wrong with them; the program itself on real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pacefab.services.probes import tcp
from pacefab.services.probes.probe import Endpoint
from pacefab.services.probes.tcp_node import ask_all
from pacefab.transport.command import Section

VIP = Endpoint("vip-db", "192.0.2.101", 22, refused=True)
PROXY = Endpoint("galera", "192.0.2.101", 3306)
PAGE = tcp.http("statistics", "fd00::1", 1993, "/", 401)


def judge(*pairs: tuple[Endpoint, dict[str, str]]) -> str:
    targets, answers = zip(*pairs, strict=True)
    out = json.dumps(answers)
    return tcp.probe("all", "c1", targets).read({"tcp": Section("tcp", 0, out, "")}).wrong


@pytest.fixture
def port() -> Iterator[int]:
    """Give a port whose connections get an answer without saying anything themselves."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_what_answers_as_it_should() -> None:
    accepted = {"text": ""}
    page = {"text": "HTTP/1.1 401 Unauthorized"}
    assert not judge((VIP, accepted), (PROXY, accepted), (PAGE, page))


def test_a_refusal_shows_that_somebody_has_the_address() -> None:
    refused = {"error": "ECONNREFUSED"}
    assert judge((VIP, refused), (PROXY, refused)) == (
        "galera (192.0.2.101:3306): connection refused"
    )


def test_everything_that_is_wrong_is_reported() -> None:
    assert judge(
        (VIP, {"error": "EHOSTUNREACH"}),
        (PROXY, {"error": "timeout"}),
        (PAGE, {"text": "HTTP/1.1 200 OK"}),
    ) == (
        "vip-db (192.0.2.101:22): no route to host; "
        "galera (192.0.2.101:3306): timed out after 2.5 s; "
        "statistics ([fd00::1]:1993): it said 'HTTP/1.1 200 OK', not 401"
    )


def test_a_node_that_cannot_ask() -> None:
    probe = tcp.probe("all", "c1", [VIP])
    assert probe.read({}).wrong == "the node could not ask: no answer"
    lost = {"tcp": Section("tcp", 127, "", "no python3")}
    assert probe.read(lost).wrong == "the node could not ask: no python3"


def test_the_program_on_real_sockets(port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    targets = [("127.0.0.1", port, ""), ("127.0.0.1", free, ""), ("127.0.0.1", port, "hello")]
    accepted, *others = ask_all([(*target, False) for target in targets], 0.2)
    assert accepted["text"] == ""
    assert others == [{"error": "ECONNREFUSED"}, {"error": "timeout"}]


def test_all_that_a_socket_of_the_node_says_is_read(tmp_path: Path) -> None:
    path = str(tmp_path / "admin.sock")
    said = b"Name: HAProxy\n" + b"x" * 100_000

    def serve(server: socket.socket) -> None:
        link, _ = server.accept()
        with link:
            link.recv(100)
            link.sendall(said)

    with socket.create_server(path, family=socket.AF_UNIX) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        (answer,) = ask_all([(path, 0, "show info\n", True)], 5)
        thread.join()
    assert answer["text"] == said.decode()
    (gone,) = ask_all([(path + ".other", 0, "show info\n", True)], 5)
    assert gone == {"error": "ENOENT"}


def test_an_answer_that_never_ends_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endless = threading.Thread(target=drip, args=(server,), daemon=True)
        endless.start()
        begun = time.monotonic()
        (answer,) = ask_all([("127.0.0.1", server.getsockname()[1], "hello", True)], 0.3)
    assert answer == {"error": "timeout"}
    assert time.monotonic() - begun < 3


def drip(server: socket.socket) -> None:
    """Say a little again and again, until nobody listens."""
    link, _ = server.accept()
    with link, suppress(OSError):
        while True:
            link.sendall(b"more\n")
            time.sleep(0.05)
