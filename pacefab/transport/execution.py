"""One command on a host: begun, fed and read within limits of time, and of size.

Who is at the other end may be broken or hostile: one that prints without end must not fill the
memory of this machine, nor hold a run for ever.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

import paramiko
from paramiko.ssh_exception import SSHException

from pacefab import interrupts

MOST_MIB = 32  # of one answer, both streams together; a CIB of 10,000 resources is 10 MiB
_MOST = MOST_MIB << 20
_PIECE = 1 << 16
_POLL_SECONDS = 0.5

LineCallback = Callable[[str], None]
Begun = Callable[[bytes | bytearray], bool]  # by the output so far


class TooLongError(Exception):
    """The output has more than `MOST_MIB`; the argument is how it begins."""


def begin(channel: paramiko.Channel, line: str, seconds: float) -> None:
    """Have a line executed; paramiko itself waits for ever for the host's word.

    Raises:
        SSHException: the host refused it, or said nothing within `seconds`.
    """
    timer = threading.Timer(seconds, end, [channel])
    timer.daemon = True
    timer.start()
    try:
        channel.exec_command(line)
    finally:
        timer.cancel()


def feed(channel: paramiko.Channel, text: str, seconds: float) -> None:
    """Write the command's standard input, and end it."""
    channel.settimeout(seconds)
    # A command that ended without reading it (sudo refused) says why; that is read next.
    with contextlib.suppress(OSError):
        channel.sendall(text.encode(errors="surrogateescape"))
        channel.shutdown_write()


def drain(
    channel: paramiko.Channel, seconds: float, on_line: LineCallback | None, begun: Begun
) -> tuple[int, str, str]:
    """Read both streams to their end; hand each line of stdout on as it comes.

    Returns the exit status (-1: the host gave none) and both texts; what is no UTF-8 in them is
    replaced.

    Raises:
        TimeoutError: there was no end in time.
        TooLongError: there was no end within the limit of size.
        Interrupted: a signal came, and what runs there has not `begun` to change anything.
    """
    output = _Output(channel, time.monotonic() + seconds)
    seen = 0
    try:
        while output.read(begun):
            if on_line:
                seen = _hand_on(output.out, seen, on_line)
        status = output.status()
    finally:
        end(channel)
    return status, output.out.decode(errors="replace"), output.err.decode(errors="replace")


def end(channel: paramiko.Channel) -> None:
    """Close a channel, whatever state it is in: what still writes there gets an error, and ends."""
    with contextlib.suppress(SSHException, OSError, EOFError):
        channel.close()


class _Output:
    """The streams of one command, as far as they were read."""

    def __init__(self, channel: paramiko.Channel, deadline: float) -> None:
        self.out, self.err = bytearray(), bytearray()
        self._channel = channel
        self._deadline = deadline
        channel.settimeout(_POLL_SECONDS)

    def read(self, begun: Begun) -> bool:
        """Read a piece of each stream; False at the end of stdout."""
        self._check()
        try:
            piece = self._channel.recv(_PIECE)
        except TimeoutError:
            piece = None
        self.out += piece or b""
        if not begun(self.out):
            interrupts.check()
        while self._channel.recv_stderr_ready():
            self._check()
            self.err += self._channel.recv_stderr(_PIECE)
        return piece != b""

    def status(self) -> int:
        """Return the exit status, once stderr has ended too."""
        more = True
        while more:
            self._check()
            with contextlib.suppress(TimeoutError):
                piece = self._channel.recv_stderr(_PIECE)
                self.err += piece
                more = bool(piece)
        while not self._channel.status_event.wait(_POLL_SECONDS):
            self._check()
        return self._channel.recv_exit_status()

    def _check(self) -> None:
        if len(self.out) + len(self.err) > _MOST:
            raise TooLongError(bytes(self.out[:200] or self.err[:200]).decode(errors="replace"))
        if time.monotonic() > self._deadline:
            raise TimeoutError(tail(self.out[-_PIECE:].decode(errors="replace")))


def _hand_on(out: bytearray, seen: int, on_line: LineCallback) -> int:
    while (end := out.find(b"\n", seen)) >= 0:
        on_line(out[seen:end].decode(errors="replace"))
        seen = end + 1
    return seen


def tail(text: str, lines: int = 10) -> str:
    """Return the last lines of what was printed, for an error."""
    return "\n".join(text[-_SHOWN:].strip().splitlines()[-lines:])


_SHOWN = 4000  # characters: a line without an end fills a screen too
