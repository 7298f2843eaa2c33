"""Ctrl-C, SIGTERM and a terminal that is gone: noted at once, raised where nothing is torn apart.

Until a node is changed, the exception is raised wherever the program is. From then on it is raised
only between the commands on nodes and while they are waited for (`check`), and never while
something is undone (`undoing`): a second Ctrl-C leaves nothing half undone. Who catches it and
undoes something adds a note to it (`BaseException.add_note`); the notes are what the operator
reads in the end.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FrameType

CTRL_C = 128 + signal.SIGINT  # the exit status
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOPPING = (
    "\nstopping: what runs on a node ends first, and what was begun is undone\n"
    "(Ctrl-\\ leaves at once and undoes nothing)\n"
)
_POLL_SECONDS = 0.2


class Interrupted(KeyboardInterrupt):
    """The operator or the system wants this to end; notes say what was undone and what is left."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(eq=False)
class Change:
    """A change of a host; while it is `waiting` for another run, nothing is changed."""

    host: str
    waiting: bool = False
    ended: bool = False


@dataclass
class _State:
    """What has happened in this command so far."""

    number: int = 0  # of the first signal
    at_once: bool = False
    careful: bool = False  # a node has been changed, or is about to be
    changes: list[Change] = field(default_factory=list)


_state = _State()
_undoing: ContextVar[bool] = ContextVar("undoing", default=False)


def prepare() -> None:
    """Let signals end the program as they end tasks while none is under way: before, and between.

    Invoke makes a 1 of Ctrl-C, and SIGTERM would end it without a word.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _leave)
    atexit.register(_end_silently)


def _end_silently() -> None:
    """Let signals end the program at once: its work is done, and there is nothing left to say."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _leave:
            signal.signal(number, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(OSError):
        os.write(2, b"interrupted: no task was under way\n")
    raise SystemExit(128 + number)


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Raise `Interrupted` for signals during the block; one that is ignored stays so (nohup).

    When an interruption ends the block they are all ignored: the command ends, and says how. After
    a block that heard of one and went on to its end (`status --watch`), the next task listens too.
    """
    global _state  # noqa: PLW0603  # signals concern the process
    _state = _State()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.getsignal(number) for number in _SIGNALS}
    heard = [number for number in _SIGNALS if previous[number] is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, _notice)
    ended = False
    try:
        yield
        _check_heard()
        ended = True
    finally:
        ignore = _state.number and not ended
        for number in heard:
            signal.signal(number, signal.SIG_IGN if ignore else previous[number])
    _check_heard()  # of what came while the handlers changed


def _check_heard() -> None:
    """Raise `Interrupted` for a signal that came when nothing was left to stop."""
    if _state.number and _state.careful:
        stop = Interrupted(_state.number)
        stop.add_note("this task is done, what comes after it was not begun")
        raise stop


def _notice(number: int, _frame: FrameType | None) -> None:
    _state.number = _state.number or number
    if _state.at_once or not _state.careful:
        raise Interrupted(_state.number)
    with contextlib.suppress(OSError):  # the terminal may be what is gone
        os.write(2, _STOPPING.encode())


def check() -> None:
    """Raise `Interrupted` when a signal came and nothing is being undone here."""
    if _state.number and not _undoing.get():
        raise Interrupted(_state.number)


def pause(seconds: float) -> None:
    """Let time pass. Raises as `check`."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        check()
        time.sleep(min(left, _POLL_SECONDS))
    check()


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Let a signal end the block wherever it is: the operator is asked, nothing is under way."""
    before, _state.at_once = _state.at_once, True
    try:
        check()
        yield
    finally:
        _state.at_once = before


@contextlib.contextmanager
def undoing() -> Iterator[None]:
    """Go on to the end of the block whatever comes; threads of a fan-out within it as well."""
    token = _undoing.set(True)
    try:
        yield
    finally:
        _undoing.reset(token)


@contextlib.contextmanager
def changing(host: str, *, waiting: bool = False) -> Iterator[Change]:
    """Note that a host is being changed during the block; not yet while it is `waiting`.

    Raises:
        Interrupted: a signal came before; or within the block, which then changed nothing.
    """
    _state.careful = True
    check()
    change = Change(host, waiting)
    _state.changes.append(change)
    try:
        yield change
    except Interrupted:
        _state.changes.remove(change)
        raise
    finally:
        change.ended = True


def changed() -> tuple[str, ...]:
    """Return the hosts that this command has changed, or is changing."""
    return tuple(dict.fromkeys(change.host for change in _state.changes if not change.waiting))


def under_way() -> tuple[str, ...]:
    """Return the hosts on which a change is under way."""
    busy = (change for change in _state.changes if not (change.ended or change.waiting))
    return tuple(dict.fromkeys(change.host for change in busy))


def sentence(stop: KeyboardInterrupt) -> str:
    """Return what the operator reads about an interruption."""
    notes = getattr(stop, "__notes__", ())
    if notes:
        return f"interrupted: {'; '.join(notes)}"
    if hosts := ", ".join(changed()):
        said = f"what already ran on {hosts} finishes there; run this again to converge"
        return f"interrupted: {said}"
    return "interrupted: nothing was changed"


def status(stop: KeyboardInterrupt) -> int:
    """Return the exit status of an interruption, as shells say it: 128 and the signal's number."""
    return 128 + stop.number if isinstance(stop, Interrupted) else CTRL_C
