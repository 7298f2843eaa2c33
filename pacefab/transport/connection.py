"""One host over SSH: opening, host keys, privilege, time limits.

Fabric makes the connection (names, users, ports, keys, gateways of fabric's and OpenSSH's
configuration). Running goes through paramiko's channel directly: Fabric's runner feeds standard
input a byte every 10 ms and needs three threads for each command.
"""

from __future__ import annotations

import contextlib
import logging
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import paramiko
from fabric import Connection
from paramiko.ssh_exception import SSHException

from pacefab import interrupts
from pacefab.errors import CommandError, LostError, NoEndError
from pacefab.transport import answers, liveness
from pacefab.transport.command import (
    RECEIVER,
    Section,
    Step,
    is_waiting,
    parse_sections,
    render_change,
    render_query,
)
from pacefab.transport.host_keys import prepare
from pacefab.transport.lease import Grip
from pacefab.transport.names import check_name
from pacefab.transport.opening import CONNECT_SECONDS, explain, open_session
from pacefab.transport.privilege import become_root

QUERY_SECONDS = 60
_GRACE_SECONDS = 10  # how long after its own limit a remote command may take to be ended there

# paramiko's thread logs what it also raises, with a traceback; we report the error ourselves.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

LineCallback = Callable[[str], None]
Begun = Callable[[bytes | bytearray], bool]  # by the output so far


@dataclass(frozen=True)
class Access:
    """How the operator wants hosts to be reached; the same for all hosts of a run."""

    accept_new_host_keys: bool = False
    sudo_password: str | None = None


class Host:
    """A machine with sshd: opened at the first use, once; root through sudo where needed.

    It runs one script at a time; a second thread waits for its turn. `fanout` gives each host a
    thread of its own, and a lease is renewed meanwhile. `grip` is the hold that its changes need;
    None: they need none.
    """

    def __init__(self, name: str, connection: Connection, access: Access) -> None:
        self.name = name
        self._connection = connection
        self._access = access
        self._opened = False
        self._ahead: Future[None] | None = None
        self._sudo: tuple[str, ...] = ()
        self._answers = answers.Answers()
        self._turn = threading.Lock()
        self.grip: Grip | None = None

    @property
    def busy(self) -> bool:
        """Whether a script is running there for this run."""
        return self._turn.locked()

    def begin(self, task: object) -> None:
        """Belong to a task of the command from now on; one after the other."""
        self._answers.begin(task)

    def open_ahead(self) -> None:
        """Begin to open the session while the caller does something else.

        The first use waits for that, and reports what failed.
        """
        if self._opened or self._ahead:
            return
        self._ahead = Future()
        threading.Thread(
            target=self._open_for, args=(self._ahead,), name=f"open {self.name}", daemon=True
        ).start()

    def observe(self, steps: Sequence[Step]) -> dict[str, Section]:
        """Run steps that only look; what an earlier task of the command saw is not asked again.

        See `answers` for how long that holds. Same errors as `query`.
        """
        known = self._answers.take(steps)
        rest = [step for step in steps if step.name not in known]
        if not rest:
            return known
        asked_at = time.monotonic()
        sections = self.ask(rest)
        self._answers.keep(rest, sections, asked_at)
        return {**known, **sections}

    def ask(
        self, steps: Sequence[Step], *, side_by_side: bool = False, seconds: float = QUERY_SECONDS
    ) -> dict[str, Section]:
        """Run steps that change nothing; else as `query`.

        They run one after the other, or `side_by_side`.
        """
        script = render_query(steps, side_by_side=side_by_side)
        return parse_sections(self._run(script, seconds=seconds))

    def query(self, steps: Sequence[Step], *, seconds: float = QUERY_SECONDS) -> dict[str, Section]:
        """Run every step in one round trip and return the sections by name.

        Raises:
            UnreachableError: no session, or no privilege.
            LostError: the connection broke, or the steps took longer than `seconds`.
        """
        return parse_sections(self._work(render_query(steps), seconds=seconds))

    def change(
        self,
        steps: Sequence[Step],
        *,
        seconds: float,
        on_line: LineCallback | None = None,
        idle: bool = False,
    ) -> dict[str, Section]:
        """Run the steps until one fails; then undo those before it. Same errors as `query`.

        An interruption while the node's lock is waited for ends it, and nothing is changed; once
        the steps run, they run to their end. Without steps, it waits for the lock and no more.
        `idle` steps change nothing but notes of ours.
        """
        script, idle = render_change(steps, self.grip), idle or not steps
        with interrupts.changing(self.name, waiting=idle) as change:

            def begun(out: bytes | bytearray) -> bool:
                change.waiting = idle or is_waiting(out)
                return not change.waiting  # of one that says nothing yet it is not known

            out = self._work(script, seconds=seconds, on_line=on_line, begun=begun)
        return parse_sections(out)

    def shell(self, line: str) -> int:
        """Run a line of the operator's own; its output goes where Fabric's options say.

        Returns its exit status. Same errors as `query` before it runs, then those of Fabric's
        Connection.run.
        """
        self._open()
        try:
            return int(self._connection.run(line).exited)
        finally:
            answers.forget()

    def _work(self, script: str, **options: Any) -> str:
        """Run a script that may change what others see; options and errors of `_run`."""
        try:
            return self._run(script, **options)
        finally:
            answers.forget()

    def _run(
        self,
        script: str,
        *,
        seconds: float,
        on_line: LineCallback | None = None,
        begun: Begun = lambda _: False,
    ) -> str:
        with self._turn:
            return self._run_now(script, seconds, on_line, begun)

    def _run_now(
        self, script: str, seconds: float, on_line: LineCallback | None, begun: Begun
    ) -> str:
        self._open()
        # timeout ends the script on the node when we no longer listen.
        argv = (*self._sudo, "timeout", "-k", "5", str(int(seconds)), *RECEIVER)
        status, out, err = self._execute(
            shlex.join(argv), self._fed + script, seconds, on_line, begun
        )
        if status == _TIMED_OUT:
            raise self._slow(seconds, out)
        if status == -1:
            raise self._lost(f"last output: {_tail(out + err) or 'none'}")
        if "\x1e" not in out and status != 0:
            raise CommandError(
                "run a command",
                _tail(err or out) or f"exit status {status}",
                f"try: ssh {self.name} {' '.join(self._sudo) or 'sh -c'} true",
                host=self.name,
            )
        return out

    @property
    def _fed(self) -> str:
        """What sudo reads before the command does."""
        return f"{self._access.sudo_password}\n" if "-S" in self._sudo else ""

    def _execute(
        self,
        line: str,
        stdin: str,
        seconds: float,
        on_line: LineCallback | None = None,
        begun: Begun = lambda _: False,
    ) -> tuple[int, str, str]:
        transport = self._connection.client.get_transport()
        try:
            channel = transport.open_session(timeout=CONNECT_SECONDS)
            channel.exec_command(line)
            _feed(channel, stdin, seconds)
            return _drain(channel, seconds + _GRACE_SECONDS, on_line, begun)
        except TimeoutError as error:
            raise self._slow(seconds, str(error)) from error
        except (SSHException, OSError, EOFError, AttributeError) as error:
            raise self._lost(str(error) or type(error).__name__) from error

    def _lost(self, seen: str) -> LostError:
        seen = liveness.silence(self._connection.client.get_transport()) + seen
        self._connection.close()
        self._opened = False  # the next command opens it again
        answers.forget()
        return LostError(
            "run a command",
            f"the connection was lost; {seen}",
            "see whether the host is up, then run this again: it is safe to repeat",
            host=self.name,
        )

    def _slow(self, seconds: float, out: str) -> NoEndError:
        return NoEndError(
            "run a command",
            f"no end after {seconds:.0f} s; last output: {_tail(out) or 'none'}",
            "look at the host's load and disk, or give more time with --timeout",
            host=self.name,
        )

    def _open_for(self, ahead: Future[None]) -> None:
        try:
            self._establish()
        except BaseException as error:  # noqa: BLE001  # raised in the thread that uses the session
            ahead.set_exception(error)
        else:
            ahead.set_result(None)

    def _open(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead:
            ahead.result()
        elif not (self._opened and self._connection.is_connected):
            self._establish()

    def _establish(self) -> None:
        check_name(self.name)
        prepare(self._connection, accept_new=self._access.accept_new_host_keys)
        try:
            open_session(self._connection)
        except (SSHException, OSError, EOFError, ValueError) as error:
            raise explain(self.name, self._connection, error) from error
        liveness.watch(self._connection.client.get_transport())
        self._opened = True
        if self._connection.user != "root":
            user, password = self._connection.user, self._access.sudo_password
            self._sudo = become_root(self.name, user, password, self._execute)


_TIMED_OUT = 124  # timeout(1)


def _feed(channel: paramiko.Channel, text: str, seconds: float) -> None:
    """Write the command's standard input, and end it."""
    channel.settimeout(seconds)
    # A command that ended without reading it (sudo refused) says why; that is read next.
    with contextlib.suppress(OSError):
        channel.sendall(text.encode())
        channel.shutdown_write()


def _drain(
    channel: paramiko.Channel, seconds: float, on_line: LineCallback | None, begun: Begun
) -> tuple[int, str, str]:
    """Read both streams to their end; hand each line of stdout on as it comes.

    Raises:
        TimeoutError: there was no end in time.
        Interrupted: a signal came, and what runs there has not `begun` to change anything.
    """
    deadline = time.monotonic() + seconds
    out, err, seen = bytearray(), bytearray(), 0
    channel.settimeout(0.5)
    while True:
        if time.monotonic() > deadline:
            channel.close()
            raise TimeoutError(_tail(out.decode(errors="replace")))
        try:
            chunk = channel.recv(65536)
        except TimeoutError:
            chunk = None
        out += chunk or b""
        if not begun(out):
            _check_interrupted(channel)
        while channel.recv_stderr_ready():
            err += channel.recv_stderr(65536)
        if chunk == b"":
            break
        if on_line:
            seen = _hand_on(out, seen, on_line)
    status = channel.recv_exit_status()
    while rest := channel.recv_stderr(65536):
        err += rest
    return status, out.decode(errors="replace"), err.decode(errors="replace")


def _check_interrupted(channel: paramiko.Channel) -> None:
    try:
        interrupts.check()
    except interrupts.Interrupted:
        channel.close()
        raise


def _hand_on(out: bytearray, seen: int, on_line: LineCallback) -> int:
    while (end := out.find(b"\n", seen)) >= 0:
        on_line(out[seen:end].decode(errors="replace"))
        seen = end + 1
    return seen


def _tail(text: str, lines: int = 10) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
