"""How a command ends: exit statuses, and what is said about an error that was not caught."""

from __future__ import annotations

import atexit
import errno
import os
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from invoke.exceptions import Exit

from pacefab import interrupts
from pacefab.cli.naming import as_typed
from pacefab.errors import CommandError, PacefabError, UsageError
from pacefab.report.stream import nowhere
from pacefab.report.text import Printer, render_last_words

BAD_USAGE = 2
UNREAD = 141  # 128 + SIGPIPE


def exit_with(work: Callable[[], int]) -> None:
    """Turn how the work ended into fab's exit status; 0 lets the next task of the command run."""
    try:
        with interrupts.listening():
            status = work()
    except UsageError as error:
        raise usage_exit(error) from None
    except PacefabError as error:
        raise Exit(_last_words(error), code=1) from None
    except KeyboardInterrupt as stop:
        raise Exit(as_typed(interrupts.sentence(stop)), code=interrupts.status(stop)) from None
    if status:
        sys.stdout.flush()
        raise Exit(code=status)


def usage_exit(error: UsageError) -> Exit:
    """Return how a command ends whose words, files or settings are wrong."""
    return Exit(_last_words(error), code=BAD_USAGE)


def _last_words(error: PacefabError) -> str:
    error.next_step = as_typed(error.next_step)
    return render_last_words(error)


def say_last_words(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Report an error that nothing caught in a sentence: `sys.excepthook`, not a traceback.

    Fabric makes the connections of -H before any of our code runs; what it cannot read there ends
    here too. With PACEFAB_TRACEBACK set, the traceback is shown.
    """
    if os.environ.get("PACEFAB_TRACEBACK"):
        sys.__excepthook__(kind, error, trace)
        return
    if said := _usage(error, trace):
        show_error(said)
        os._exit(BAD_USAGE)
    next_step = "please report this; PACEFAB_TRACEBACK=1 shows where it happened"
    show_error(CommandError("run the command", f"{kind.__name__}: {error}", next_step))


def _usage(error: BaseException, trace: TracebackType | None) -> UsageError | None:
    """Return what of the command line ended it; None where it was something else."""
    if isinstance(error, UsageError):
        return error
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(trace)]
    if frames[-1:] == ["derive_shorthand"]:
        port = str(error).rpartition(": ")[2]
        return UsageError("read -H", f"{port} is no port", "write a port as a number: host:22")
    if isinstance(error, UnicodeEncodeError):  # a name with what the locale cannot read
        seen = "it has characters that are not of this locale's encoding"
        return UsageError("read the command line", seen, "set a UTF-8 locale: LC_ALL=C.UTF-8")
    if isinstance(error, OSError) and error.filename:  # of -S, -f, --identity
        next_step = "name a file that is there and can be read"
        return UsageError(f"read {error.filename}", error.strerror or str(error), next_step)
    return None


def open_missing() -> None:
    """Have somewhere to write where standard output or error is closed (`>&-`).

    Otherwise the next file that is opened would take its place.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, nowhere())


def watch_output() -> None:
    """End as other programs do when nobody reads the output any more, or it cannot be written.

    What is printed would wait in Python's buffer for the end of the process, where an error is
    either lost or reported with words and a status of Python's own. So lines are written at once.
    """
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(line_buffering=True)
    atexit.register(_flush)
    others = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, OSError) and not error.filename:
            _end_unwritten(error)
        others(kind, error, trace)

    sys.excepthook = hook


def _flush() -> None:
    try:
        if sys.stdout and not sys.stdout.closed:
            sys.stdout.flush()
    except OSError as error:
        _end_unwritten(error)


def _end_unwritten(error: OSError) -> None:
    """End the process when an error is one of writing the output."""
    if error.errno == errno.EPIPE:
        os._exit(UNREAD)
    if error.errno in _FULL:
        show_error(unwritable(error, "make room, or send it elsewhere"))
        os._exit(1)


def unwritable(error: OSError, next_step: str) -> CommandError:
    """Return what an operator reads when the output could not be written."""
    return CommandError("write to the output", error.strerror or str(error), next_step)


def written(printer: Printer, status: int, shows: str = "") -> int:
    """Return the exit status of work that ended in `status`: a pipe's when nobody read of it.

    Raises:
        CommandError: what was said could not be written, for another reason; `shows` says what
            shows the work's result.
    """
    lost = printer.lost
    if lost is None or isinstance(lost, BrokenPipeError):
        return status if lost is None else UNREAD
    next_step = "make room; the work itself went on to its end"
    raise unwritable(lost, f"{next_step}: {shows}" if shows else next_step)


def show_error(error: PacefabError) -> None:
    """Print an error that ends no command by itself."""
    print(_last_words(error), file=sys.stderr, flush=True)  # noqa: T201


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
