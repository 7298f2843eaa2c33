"""How a command ends: exit statuses, and the last words about what nobody caught."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from invoke.exceptions import Exit

from pacefab.errors import PacefabError, UsageError
from pacefab.report.text import render_last_words

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
UNREAD = 141  # 128 + SIGPIPE


def exit_with(work: Callable[[], int]) -> None:
    """Turn how the work ended into fab's exit status; 0 lets the next task of the command run."""
    try:
        status = work()
    except UsageError as error:
        raise Exit(render_last_words(error), code=2) from None
    except PacefabError as error:
        raise Exit(render_last_words(error), code=1) from None
    except KeyboardInterrupt:
        said = "interrupted: what already ran on a node finishes there; run this again to converge"
        raise Exit(said, code=INTERRUPTED) from None
    if status:
        sys.stdout.flush()
        raise Exit(code=status)


def say_last_words(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Tell an error that nobody caught in a sentence: `sys.excepthook`, not a traceback.

    Fabric makes the connections of -H before any of our code runs; what it cannot read there ends
    here too. With PACEFAB_TRACEBACK set, the traceback is shown. A reader who left (`fab --list |
    head`) ends it without a word, as it ends other programs.
    """
    if isinstance(error, BrokenPipeError):
        os._exit(UNREAD)
    if os.environ.get("PACEFAB_TRACEBACK"):
        sys.__excepthook__(kind, error, trace)
        return
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(trace)]
    if frames[-1:] == ["derive_shorthand"]:
        said = UsageError("read -H", str(error), "write a port as a number: host:22")
    elif isinstance(error, OSError) and error.filename:  # of -S, -f, --identity
        next_step = "name a file that is there and can be read"
        said = UsageError(f"read {error.filename}", error.strerror or str(error), next_step)
    else:
        next_step = "please report this; PACEFAB_TRACEBACK=1 shows where it happened"
        said = UsageError("run fab", f"{kind.__name__}: {error}", next_step)
    print(render_last_words(said), file=sys.stderr)  # noqa: T201
