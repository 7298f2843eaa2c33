"""Run by a drill as a program of its own: publish with confirms through every node, and consume."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pacefab.services.load_program import PAUSE_SECONDS, Write, WritingLoad, read_request
from pacefab.services.rabbitmq.node_amqp import EXPIRES_MILLISECONDS, AmqpConnection

SECONDS: Final = 5.0  # for a confirm, or a message
DRAIN_SECONDS: Final = 40.0  # a queue whose leader is gone elects another one first
IDLE_SECONDS: Final = 0.02  # before an empty queue is asked again
# RabbitMQ 3.10: to a channel that was open while its node was cut off a queue may seem empty for
# ever, while others get what is in it.
EMPTY_SECONDS: Final = 2.0  # after which another connection is made, where messages are to come


class QueueLoad(WritingLoad):
    """Publishers, and a consumer that takes what they publish off the queue."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        self._seen: Counter[str] = Counter()
        self._complete, self._deleted = threading.Event(), threading.Event()

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
        self._complete.set()
        self._deleted.wait(SECONDS)
        again = sum(times - 1 for times in self._seen.values())
        return {"lost": len(self.written - self._seen.keys()), "redelivered": again}

    def _open(self, address: str, port: int) -> AmqpConnection:
        link = AmqpConnection(address, port, SECONDS)
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
                self._take(link)
            if self._complete.is_set():
                return
            time.sleep(PAUSE_SECONDS)

    def _take(self, link: AmqpConnection) -> None:
        used = time.monotonic()  # when it was last as it should be
        while not self._complete.is_set():
            link.extend(SECONDS)
            body = link.get(self.run)
            if body is not None:
                self._seen[body.decode()] += 1
            else:
                time.sleep(IDLE_SECONDS)
            if body is not None or self.written <= self._seen.keys():
                used = time.monotonic()
            elif time.monotonic() - used > EMPTY_SECONDS:
                return
        link.extend(SECONDS)
        link.delete(self.run)
        self._deleted.set()


if __name__ == "__main__":
    QueueLoad(read_request()).main()
