"""Hosts that answer anything but what they were asked: a sentence about that host, in time.

The other end is an SSH server of our own that lies, on the loopback interface.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from fabric import Connection
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from pacefab.errors import CommandError, PacefabError
from pacefab.services.service import Look
from pacefab.transport import command
from pacefab.transport import connection as connections
from pacefab.transport.command import step
from pacefab.transport.connection import Access, Host
from pacefab.transport.execution import MOST_MIB
from pacefab.transport.fanout import Failure, Success, fan_out
from pacefab.workflows.nodes.observe import observe_node

KEY = paramiko.ECDSAKey.generate()
Answer = Callable[[paramiko.Channel], None]
NAME = [step("name", "uname", "-n")]


class Liar(paramiko.ServerInterface):
    """Lets everybody in, and answers each command as it likes."""

    def __init__(self, answer: Answer | None) -> None:
        self._answer = answer

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        """Name the one way in."""
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:  # noqa: ARG002
        """Take any password."""
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        """Open any channel."""
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:  # noqa: ARG002
        """Answer, or do not even say whether it runs."""
        if self._answer is None:
            time.sleep(30)  # it never says whether it runs the command
            return False
        threading.Thread(target=self._reply, args=(channel,), daemon=True).start()
        return True

    def _reply(self, channel: paramiko.Channel) -> None:
        assert self._answer is not None
        try:
            while channel.recv(1 << 16):  # the script, to its end
                pass
            self._answer(channel)
        except OSError:  # the other side has had enough
            return


Connect = Callable[[Answer | None], Host]


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    opened: list[Any] = []

    def make(answer: Answer | None) -> Host:
        listener = socket.create_server(("127.0.0.1", 0))

        def accept() -> None:
            sock, _ = listener.accept()
            transport = paramiko.Transport(sock)
            opened.append(transport)
            transport.add_server_key(KEY)
            transport.start_server(server=Liar(answer))

        threading.Thread(target=accept, daemon=True).start()
        options = {"password": "x", "look_for_keys": False, "allow_agent": False}
        port = listener.getsockname()[1]
        link = Connection("127.0.0.1", user="root", port=port, connect_kwargs=options)
        opened.extend((listener, link))
        return Host("bad", link, Access(accept_new_host_keys=True))

    yield make
    for each in opened:
        each.close()


def says(out: bytes = b"", err: bytes = b"", status: int = 0) -> Answer:
    """Return the answer of a host that says this once."""

    def answer(channel: paramiko.Channel) -> None:
        channel.sendall(out)
        channel.sendall_stderr(err)
        channel.send_exit_status(status)
        channel.close()

    return answer


def without_end(*, stderr: bool, piece: bytes = b"y" * 60000) -> Answer:
    def answer(channel: paramiko.Channel) -> None:
        while True:
            (channel.sendall_stderr if stderr else channel.sendall)(piece)

    return answer


@pytest.mark.parametrize("stderr", [False, True], ids=["stdout", "stderr"])
def test_output_without_end_is_cut_off_and_named(connect: Connect, *, stderr: bool) -> None:
    ended = threading.Event()

    def answer(channel: paramiko.Channel) -> None:
        try:
            without_end(stderr=stderr)(channel)
        finally:
            ended.set()

    host = connect(answer)
    with pytest.raises(CommandError, match=f"more than {MOST_MIB} MiB") as raised:
        host.query(NAME)
    assert raised.value.host == "bad"
    assert ended.wait(10), "what prints there is not ended"


def test_output_that_trickles_without_end_is_slow(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On stderr too, where the time limit was not looked at as long as something came."""
    monkeypatch.setattr(connections, "_GRACE_SECONDS", 0)

    def answer(channel: paramiko.Channel) -> None:
        while True:
            channel.sendall_stderr(b"x" * 100)
            time.sleep(0.001)

    with pytest.raises(CommandError, match="no end after 1 s"):
        connect(answer).query(NAME, seconds=1)


def test_a_host_that_closes_without_a_status_is_lost(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_GRACE_SECONDS", 0)

    def answer(channel: paramiko.Channel) -> None:
        channel.shutdown_write()
        time.sleep(30)

    with pytest.raises(CommandError, match="no end after 1 s"):
        connect(answer).query(NAME, seconds=1)


def test_a_host_that_never_says_whether_it_runs_the_command(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = connect(None)
    host._open()  # noqa: SLF001
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 1)
    with pytest.raises(CommandError, match="connection was lost"):
        host.query(NAME)


RS, US = command.RECORD.encode(), command._UNIT.encode()  # noqa: SLF001
SECTION = b"%bname\nc1\n%b0\n\n" % (RS, US)
WRONG = {
    "nothing": says(),
    "nothing, failed": says(status=3),
    "words": says(b"Welcome to c1!\nThis account is not available.\n", status=0),
    "a message, failed": says(err=b"\x1b]0;owned\x07no\n", status=1),
    "no status": says(b"%bname\nc1\n%babc\n\n" % (RS, US)),
    "cut off": says(b"%bname\nc1\n" % RS),
    "NUL": says(b"\0" * 1000),
    "bytes": says(bytes(range(256)) * 64),
    "records": says(RS * 5000),
    "units": says((RS + US) * 5000),
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG.keys())
def test_an_answer_that_is_none_is_a_sentence_about_the_host(
    connect: Connect, answer: Answer
) -> None:
    results = fan_out({"bad": connect(answer), "good": connect(says(SECTION))}, _asked)
    assert isinstance(results["good"], Success), results["good"]
    failure = results["bad"]
    assert isinstance(failure, Failure)
    _check_sentence(failure.error)


def _asked(_name: str, host: Host) -> Any:
    return host.query(NAME)


def _check_sentence(error: PacefabError) -> None:
    assert error.host == "bad"
    assert "defect" not in error.next_step
    assert error.next_step


@pytest.mark.parametrize("said", [b"", b"\xff\xfe\n", b"1e999", os.urandom(300), b"{}", b"a b c d"])
def test_sections_that_hold_anything_are_a_sentence_about_the_host(
    connect: Connect, said: bytes
) -> None:
    def answer(channel: paramiko.Channel) -> None:
        names = [s.name.encode() for s in _all_steps()]
        says(b"".join(b"%b%b\n%b\n%b0\n\n" % (RS, name, said, US) for name in names))(channel)

    results = fan_out({"bad": connect(answer)}, lambda _, host: observe_node(host, LOOK))
    failure = results["bad"]
    assert isinstance(failure, Failure)
    _check_sentence(failure.error)


LOOK = Look(packages=("memcached",), units=("memcached.service",), files=("/etc/hosts",))


def _all_steps() -> list[Any]:
    from pacefab.workflows.nodes import observe  # noqa: PLC0415

    return observe._node_steps(LOOK)  # noqa: SLF001
