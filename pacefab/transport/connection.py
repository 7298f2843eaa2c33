"""One host over SSH: opening, privilege, time limits.

Fabric has the command line's options and settings; the way there is found in `way`. Running goes
through paramiko's channel directly: Fabric's runner feeds standard input a byte every 10 ms and
needs three threads for each command.
"""

from __future__ import annotations

import contextlib
import logging
import shlex
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from fabric import Connection
from paramiko.ssh_exception import ChannelException, SSHException

from pacefab import interrupts
from pacefab.errors import CommandError, LostError, NoEndError
from pacefab.transport import answers
from pacefab.transport.command import (
    LOCK,
    RECEIVER,
    RECORD,
    Section,
    Step,
    is_waiting,
    parse_sections,
    render_change,
    render_query,
)
from pacefab.transport.execution import (
    MOST_MIB,
    Begun,
    LineCallback,
    TooLongError,
    begin,
    drain,
    feed,
    tail,
)
from pacefab.transport.explaining import explain
from pacefab.transport.lease import Grip
from pacefab.transport.names import check_name
from pacefab.transport.opening import CONNECT_SECONDS, HopError, Session, session_for
from pacefab.transport.privilege import become_root
from pacefab.transport.way.hop import Destination, find_way
from pacefab.transport.way.settings import Sources

QUERY_SECONDS = 60
_GRACE_SECONDS = 10  # how long after its own limit a remote command may take to be ended there

# paramiko's thread logs what it also raises, with a traceback; we report the error ourselves.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Access:
    """How the operator wants hosts to be reached; the same for all hosts of a run."""

    accept_new_host_keys: bool = False
    sudo_password: str | None = None


@dataclass(frozen=True)
class Route:
    """A host as it was named, and where the configuration of its way is."""

    place: Destination
    sources: Sources = field(default_factory=Sources)


class Host:
    """A machine with sshd: opened at the first use, once; root through sudo where needed.

    It runs one script at a time; a second thread waits for its turn. `fanout` gives each host a
    thread of its own, and a lease is renewed meanwhile. `grip` is the hold that its changes need;
    None: they need none.
    """

    def __init__(
        self, name: str, connection: Connection, access: Access, route: Route | None = None
    ) -> None:
        self.name = name
        self._connection = connection
        self._access = access
        self._route = route or Route(
            Destination(connection.original_host, connection.user, connection.port)
        )
        self._session = Session.unopened()
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
        return self._sections(self._run(script, seconds=seconds), steps)

    def query(self, steps: Sequence[Step], *, seconds: float = QUERY_SECONDS) -> dict[str, Section]:
        """Run every step in one round trip and return the sections by name.

        Raises:
            UnreachableError: no session, or no privilege.
            LostError: the connection broke, or the steps took longer than `seconds`.
            CommandError: what came back is no answer to them.
        """
        return self._sections(self._work(render_query(steps), seconds=seconds), steps)

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
        return self._sections(out, [Step(LOCK, ())])

    def _sections(self, out: str, asked: Sequence[Step]) -> dict[str, Section]:
        """Return the sections of an answer that has those of the steps that were `asked`."""
        try:
            sections = parse_sections(out)
            missing = next((item.name for item in asked if item.name not in sections), None)
        except ValueError:
            missing = "the script"
        if missing is None:
            return sections
        said = tail(out, 1)[:80] or "nothing"
        raise CommandError(
            "run a command",
            f"what came back does not answer it ({missing}); it said: {said}",
            f"does its login shell run commands, does it print more at login? ssh {self.name} true",
            host=self.name,
        )

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
            raise self._lost(f"{self._session.reason()}last output: {tail(out + err) or 'none'}")
        if RECORD not in out and status != 0:
            raise CommandError(
                "run a command",
                tail(err or out) or f"exit status {status}",
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
        try:
            with contextlib.closing(self._session.channel(CONNECT_SECONDS)) as channel:
                begin(channel, line, CONNECT_SECONDS)
                feed(channel, stdin, seconds)
                return drain(channel, seconds + _GRACE_SECONDS, on_line, begun)
        except TimeoutError as error:
            raise self._slow(seconds, str(error)) from error
        except TooLongError as error:
            raise self._endless(str(error)) from error
        except ChannelException as error:
            raise self._refused(error.text) from error
        except (SSHException, OSError, EOFError, AttributeError) as error:
            raise self._lost(str(error) or type(error).__name__) from error

    def _refused(self, seen: str) -> CommandError:
        return CommandError(
            "run a command",
            f"sshd allows no further session: {seen}",
            "see MaxSessions in the host's sshd_config",
            host=self.name,
        )

    def _lost(self, seen: str) -> LostError:
        self._session.close()
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
            f"no end after {seconds:.0f} s; last output: {tail(out) or 'none'}",
            "look at the host's load and disk, or give more time with --timeout",
            host=self.name,
        )

    def _endless(self, begins: str) -> CommandError:
        return CommandError(
            "run a command",
            f"it sent more than {MOST_MIB} MiB, beginning with {begins[:40]!r}",
            f"see which program prints that without end: ssh {self.name}",
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
        connection = self._connection
        gateway = connection.config.gateway  # Fabric's setting: a ProxyCommand
        setting = gateway if isinstance(gateway, str) else None
        hop = find_way(self._route.place, self._route.sources, setting)
        session = session_for(connection, hop, accept_new=self._access.accept_new_host_keys)
        try:
            transport = session.open(hop)
        except HopError as error:
            raise explain(self.name, error) from error
        self._session = session
        # Fabric's own `run`, which `shell` uses, takes it for opened.
        connection.client._transport = connection.transport = transport  # noqa: SLF001
        self._opened = True
        if hop.user != "root":
            password = self._access.sudo_password
            self._sudo = become_root(self.name, hop.user, password, self._execute)


_TIMED_OUT = 124  # timeout(1)
