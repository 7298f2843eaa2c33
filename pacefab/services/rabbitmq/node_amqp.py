"""Runs on a node, not here: publish a message to RabbitMQ, have it confirmed, consume it.

Standard library only, Python 3.6 and newer. argv[1] is JSON: {"address": "192.0.2.11",
"port": 5672, "user": "pacefab-probe", "credentials": path, "queue": "pacefab-probe-c1",
"seconds": 2.0}; the password is in the file `credentials`. JSON comes out: {"seconds": how long it
took}, or {"error": ...}. The queue is a quorum queue and goes by itself an hour after its last use.
With {"greet": true} a missing file is no error: the server's greeting is enough then.

Spoken is AMQP 0-9-1 (https://www.rabbitmq.com/amqp-0-9-1-reference): no client library is on nodes.
"""
# ruff: noqa: UP006, UP035, UP041, UP045

import json
import os
import socket
import struct
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

METHOD, HEADER, BODY = 1, 2, 3  # kinds of frames
END = b"\xce"
START, START_OK, TUNE, TUNE_OK = (10, 10), (10, 11), (10, 30), (10, 31)
OPEN, OPEN_OK, CLOSE, CHANNEL_CLOSE = (10, 40), (10, 41), (10, 50), (20, 40)
CHANNEL_OPEN, CHANNEL_OPEN_OK = (20, 10), (20, 11)
CONFIRM, CONFIRM_OK = (85, 10), (85, 11)
DECLARE, DECLARE_OK = (50, 10), (50, 11)
DELETE, DELETE_OK = (50, 40), (50, 41)
PUBLISH, RETURN, GET, GET_OK, GET_EMPTY = (60, 40), (60, 50), (60, 70), (60, 71), (60, 72)
ACK, NACK = (60, 80), (60, 120)
DURABLE, MANDATORY, PERSISTENT = 2, 1, 2
EXPIRES_MILLISECONDS = 3600 * 1000
TRIES = 3  # another probe that runs at this moment may have taken the message

Method = Tuple[int, int]


def short(text: str) -> bytes:
    """Return a short string: at most 255 bytes."""
    raw = text.encode()
    return struct.pack(">B", len(raw)) + raw


def table(values: Dict[str, Any]) -> bytes:
    """Return a field table of texts, whole numbers, truths and tables."""
    raw = b"".join(short(name) + field(value) for name, value in values.items())
    return struct.pack(">I", len(raw)) + raw


def field(value: Any) -> bytes:
    """Return a value with the letter of its kind."""
    if isinstance(value, bool):
        return struct.pack(">c?", b"t", value)
    if isinstance(value, int):
        return struct.pack(">ci", b"I", value)
    if isinstance(value, dict):
        return b"F" + table(value)
    raw = str(value).encode()
    return struct.pack(">cI", b"S", len(raw)) + raw


class AmqpConnection:
    """A connection with one channel, on which publishing is confirmed."""

    def __init__(self, address: str, port: int, seconds: float) -> None:
        self._deadline = time.time() + seconds
        self._socket = socket.create_connection((address, port), timeout=seconds)

    def close(self) -> None:
        """Close the connection without a word: the server notices."""
        self._socket.close()

    def extend(self, seconds: float) -> None:
        """Give what follows `seconds` from now on."""
        self._deadline = time.time() + seconds

    def greet(self) -> None:
        """Begin to speak AMQP, and wait for the server to do so too."""
        self._socket.sendall(b"AMQP\x00\x00\x09\x01")
        self._expect(START)

    def open(self, user: str, password: str) -> None:
        """Log in, open the channel and have the server confirm what is published on it."""
        self.greet()
        # Without it a refused login is a connection that ends without a word.
        properties = {"capabilities": {"authentication_failure_close": True}}
        word = f"\0{user}\0{password}".encode()
        login = short("PLAIN") + struct.pack(">I", len(word)) + word + short("en_US")
        self.send(START_OK, table(properties) + login, channel=0)
        _, size, _ = struct.unpack(">HIH", self._expect(TUNE)[:8])
        self.send(TUNE_OK, struct.pack(">HIH", 1, size, 0), channel=0)
        self.send(OPEN, short("/") + short("") + b"\0", channel=0)
        self._expect(OPEN_OK)
        self.call(CHANNEL_OPEN, short(""), CHANNEL_OPEN_OK)
        self.call(CONFIRM, b"\0", CONFIRM_OK)

    def declare(self, queue: str, arguments: Dict[str, Any]) -> int:
        """Make a durable queue unless it is there; return how many messages are in it."""
        words = struct.pack(">H", 0) + short(queue) + bytes([DURABLE]) + table(arguments)
        answer = self.call(DECLARE, words, DECLARE_OK)
        return int(struct.unpack(">I", answer[1 + answer[0] :][:4])[0])

    def delete(self, queue: str) -> None:
        """Delete a queue with all that is in it."""
        self.call(DELETE, struct.pack(">H", 0) + short(queue) + b"\0", DELETE_OK)

    def publish(self, queue: str, body: bytes) -> None:
        """Publish a persistent message, and return when the server has confirmed it."""
        target = struct.pack(">H", 0) + short("") + short(queue) + bytes([MANDATORY])
        self.send(PUBLISH, target)
        head = struct.pack(">HHQHB", PUBLISH[0], 0, len(body), 0x1000, PERSISTENT)
        self._frame(HEADER, 1, head)
        self._frame(BODY, 1, body)
        while True:
            method, _ = self._method()
            if method == ACK:
                return
            if method in (NACK, RETURN):
                raise ValueError("the message was refused, not confirmed")

    def get(self, queue: str) -> Optional[bytes]:
        """Take a message off the queue; None when it is empty."""
        self.send(GET, struct.pack(">H", 0) + short(queue) + b"\0")
        method, answer = self._method()
        if method == GET_EMPTY:
            return None
        if method != GET_OK:
            raise ValueError(f"unexpected answer {method}")
        body = self._body()
        self.send(ACK, answer[:8] + b"\0")
        return body

    def call(self, method: Method, words: bytes, answer: Method) -> bytes:
        """Send a method on the channel and return what its answer says."""
        self.send(method, words)
        return self._expect(answer)

    def send(self, method: Method, words: bytes, channel: int = 1) -> None:
        """Send a method."""
        self._frame(METHOD, channel, struct.pack(">HH", *method) + words)

    def _frame(self, kind: int, channel: int, payload: bytes) -> None:
        self._socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + END)

    def _expect(self, desired: Method) -> bytes:
        method, words = self._method()
        if method != desired:
            raise ValueError(f"unexpected answer {method}")
        return words

    def _method(self) -> Tuple[Method, bytes]:
        """Return the next method; one that closes connection or channel is an error."""
        kind, payload = self._receive()
        while kind != METHOD:
            kind, payload = self._receive()
        method, words = struct.unpack(">HH", payload[:4]), payload[4:]
        if method in (CLOSE, CHANNEL_CLOSE):
            raise ValueError(words[3 : 3 + words[2]].decode(errors="replace"))
        return (method[0], method[1]), words

    def _body(self) -> bytes:
        """Return the message that follows a method."""
        _, head = self._receive()
        size = struct.unpack(">Q", head[4:12])[0]
        body = b""
        while len(body) < size:
            body += self._receive()[1]
        return body

    def _receive(self) -> Tuple[int, bytes]:
        kind, _, size = struct.unpack(">BHI", self._read(7))
        return kind, self._read(size + 1)[:-1]

    def _read(self, size: int) -> bytes:
        raw = b""
        while len(raw) < size:
            left = self._deadline - time.time()
            if left <= 0:
                raise socket.timeout
            self._socket.settimeout(left)
            piece = self._socket.recv(size - len(raw))
            if not piece:
                raise ValueError("the server closed the connection")
            raw += piece
        return raw


def probe(request: Dict[str, Any]) -> Dict[str, Any]:
    """Publish and consume once; errors are part of the answer."""
    begun = time.time()
    doing = "read the password"
    try:
        credentials = Path(request["credentials"])
        greet = request.get("greet") and not credentials.exists()
        password = "" if greet else credentials.read_text(encoding="utf-8").strip()
        doing = "connect"
        with closing(
            AmqpConnection(request["address"], request["port"], request["seconds"])
        ) as link:
            doing = "speak AMQP" if greet else "log in"
            if greet:
                link.greet()
                return {"seconds": time.time() - begun}
            link.open(request["user"], password)
            doing = "declare the queue " + request["queue"]
            queue = {"x-queue-type": "quorum", "x-expires": EXPIRES_MILLISECONDS}
            link.declare(request["queue"], queue)
            doing = "have a message confirmed and consume it"
            exchange(link, request["queue"])
            return {"seconds": time.time() - begun}
    except socket.timeout:
        return {"error": f"{doing}: timed out after {request['seconds']:g} s"}
    except (OSError, ValueError, struct.error) as error:
        return {"error": f"{doing}: {getattr(error, 'strerror', None) or error}"}


def exchange(link: AmqpConnection, queue: str) -> None:
    """Publish a message and take one; another probe may take ours at the same moment."""
    for _ in range(TRIES):
        link.publish(queue, os.urandom(8).hex().encode())
        if link.get(queue) is not None:
            return
    raise ValueError("a confirmed message was not there")


if __name__ == "__main__":
    json.dump(probe(json.loads(sys.argv[1])), sys.stdout)
