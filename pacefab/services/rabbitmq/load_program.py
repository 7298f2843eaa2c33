"""Run by a drill as a program of its own: publish with confirms through every node, and consume."""

from __future__ import annotations

import contextlib
import itertools
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pacefab.services.load_program import PAUSE_SECONDS, Write, WritingLoad, read_request
from pacefab.services.rabbitmq.node_amqp import (
    ACK,
    EXPIRES_MILLISECONDS,
    AmqpConnection,
    short,
    table,
)

SECONDS: Final = 5.0  # for a confirm
DRAIN_SECONDS: Final = 40.0  # a queue whose leader is gone elects another one first
IDLE_SECONDS: Final = 2.0  # without a message, after which the consumer connects anew
CONSUME, CONSUME_OK, DELIVER = (60, 20), (60, 21), (60, 60)


class ConsumingConnection(AmqpConnection):
    """A connection to which a queue's messages are delivered."""

    def consume(self, queue: str) -> None:
        """Have the messages delivered from now on."""
        words = struct.pack(">H", 0) + short(queue) + short("") + b"\0" + table({})
        self.call(CONSUME, words, CONSUME_OK)

    def next(self) -> bytes:
        """Return the next message, and acknowledge it."""
        method, words = self._method()
        if method != DELIVER:
            raise ValueError(f"unexpected answer {method}")
        body, after = self._body(), 1 + words[0]  # the consumer's name comes first
        self.send(ACK, words[after : after + 8] + b"\0")
        return body


class QueueLoad(WritingLoad):
    """Publishers, and a consumer that takes what they publish off the queue."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        self._seen: Counter[str] = Counter()

    def fill(self) -> None:
        """Declare the queue; it goes by itself should nobody delete it."""
        with contextlib.closing(self._open(*self.doors[0])) as link:
            link.declare(self.run, {"x-queue-type": "quorum", "x-expires": EXPIRES_MILLISECONDS})
        super().fill()

    def workers(self) -> Iterable[Callable[[], None]]:
        """Return publishers and the consumer."""
        return [*super().workers(), self._consume]

    def connect(self, address: str, port: int) -> Write:
        """Return what publishes a text and waits for its confirm."""
        link = self._open(address, port)

        def publish(text: str) -> None:
            link.extend(SECONDS)
            link.publish(self.run, text.encode())

        return publish

    def missing(self) -> Mapping[str, int]:
        """Return what never came to the consumer, and what came more than once."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.written - self._seen.keys() and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)
        again = sum(times - 1 for times in self._seen.values())
        lost = len(self.written - self._seen.keys())
        if not lost:
            self._delete()
        return {"lost": lost, "redelivered": again}

    def _delete(self) -> None:
        """Delete the queue; where that fails, it goes by itself after an hour."""
        with (
            contextlib.suppress(OSError, ValueError),
            contextlib.closing(self._open(*self.doors[0])) as link,
        ):
            link.delete(self.run)

    def _open(self, address: str, port: int) -> ConsumingConnection:
        link = ConsumingConnection(address, port, SECONDS)
        try:
            link.open(self.request["options"]["user"], self.request["password"])
        except BaseException:
            link.close()
            raise
        return link

    def _consume(self) -> None:
        """Take messages off the queue, by way of the next node after an error."""
        for door in itertools.cycle(reversed(self.doors)):
            with (
                contextlib.suppress(OSError, ValueError),
                contextlib.closing(self._open(*door)) as link,
            ):
                link.consume(self.run)
                while True:
                    link.extend(IDLE_SECONDS)
                    self._seen[link.next().decode()] += 1
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    QueueLoad(read_request()).main()
