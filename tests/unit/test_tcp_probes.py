"""What came back from addresses -> what is wrong with them; the program itself on real sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from pacefab.services.probes import tcp
from pacefab.services.probes.tcp import Endpoint
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
    accepted = {"line": ""}
    page = {"line": "HTTP/1.1 401 Unauthorized"}
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
        (PAGE, {"line": "HTTP/1.1 200 OK"}),
    ) == (
        "vip-db (192.0.2.101:22): no route to host; "
        "galera (192.0.2.101:3306): timeout; "
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
    answers = ask_all(
        [("127.0.0.1", port, ""), ("127.0.0.1", free, ""), ("127.0.0.1", port, "hello")], 0.2
    )
    assert answers == [{"line": ""}, {"error": "ECONNREFUSED"}, {"error": "timeout"}]
