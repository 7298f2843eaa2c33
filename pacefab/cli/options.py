"""Options: what those of several tasks are for, and values that Invoke hands over as text."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pacefab.errors import UsageError

HELP = {
    "allow_interruption": "Apply it even where it stops, moves or restarts what runs.",
    "dry_run": "Show what would be done; change nothing.",
    "full": "Show every line of every file.",
    "json": "Print the same as JSON, for programs.",
    "listen": "auto, the default: the address the cluster's nodes use; or an IP, a network, "
    "0.0.0.0.",
    "lock_timeout": "Seconds to wait for another package manager's lock.",
    "max_connections": "Simultaneous connections; left as it is when not given.",
    "memory": "Cache size in MiB; left as it is when not given.",
    "port": "TCP port; left as it is when not given.",
    "prune": "Remove what this tool created and the inventory no longer names.",
    "restartable": "Keep the items over a restart that Pacemaker does; left as it is when not "
    "given.",
    "show_pcs": "Print the equivalent pcs commands too.",
    "yes": "Agree beforehand to what stops or rewrites something that runs.",
}
"""What an option is for, by its name, in tasks that do not say otherwise."""


_MOST = 1_000_000_000
"""What a number may be: more seconds than a life has, and fewer than a clock can count."""
_SHOWN = 60  # characters of a value that a message repeats


def number(option: str, text: str, *, least: int) -> int:
    """Return an option's whole number: Invoke's own reading of numbers ends in a traceback.

    Raises:
        UsageError: it is none, less than `least`, or more than anybody means.
    """
    value = whole_number(text, least=least)
    if value is None:
        allowed = f"allowed: {allowed_number(least, text)}"
        raise UsageError("read the options", f"{option} {shown(text)}", allowed)
    return value


def whole_number(text: str, *, least: int) -> int | None:
    """Return the number that digits alone make; None when they do not, or none that is allowed."""
    if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > len(str(_MOST)):
        return None
    return int(text) if least <= int(text) <= _MOST else None


def allowed_number(least: int, text: str = "") -> str:
    """Return which numbers are allowed, as a message about `text` says it."""
    too_large = text.isascii() and text.isdigit() and text.strip("0")
    return f"a whole number, {least} {f'to {_MOST}' if too_large else 'or more'}"


def shown(text: str) -> str:
    """Return a value as a message repeats it: an empty one can be seen, a long one is cut."""
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return cut if cut.strip() == cut != "" else repr(cut)


def only_with(option: str, *, given: bool, needed: str, there: bool) -> None:
    """Refuse an option that means nothing without another one.

    Raises:
        UsageError: it is given without that.
    """
    if given and not there:
        step = f"it goes with {needed}: add that, or leave {option} out"
        raise UsageError("read the options", f"{option} without {needed}", step)


def not_with(option: str, others: Mapping[str, object]) -> None:
    """Refuse options, by their names and values, that would be ignored beside another one.

    Raises:
        UsageError: there are such.
    """
    if given := [name for name, value in others.items() if value]:
        step = f"leave out {option}, or {', '.join(given)}"
        raise UsageError("read the options", f"{option} and {', '.join(given)}", step)


def number_if_given(option: str, text: str | None) -> int | None:
    """Return an option's whole number, 1 or more; None when it was not given. Same errors."""
    return None if text is None else number(option, text, least=1)


def check_writable(path: Path) -> None:
    """Refuse, before the work that it is for, a file that cannot be written.

    Raises:
        UsageError: it cannot.
    """
    seen = ""
    if path.is_dir():
        seen = "Is a directory"
    elif not path.parent.is_dir():
        seen = "No such file or directory"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        seen = "Permission denied"
    if seen:
        raise UsageError(f"write {path}", seen, "name another file")


def write_file(path: Path, content: bytes) -> None:
    """Write a report.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        seen = error.strerror or str(error)
        raise UsageError(f"write {path}", seen, "name another file") from None


_PRIVATE = 0o640  # for its owner, and their group to read: no one else
_OTHERS = 0o007


def write_private(path: Path, text: str) -> None:
    """Write a file that not all may read, its folder too; the former file stays until it is whole.

    A link stays one: what it leads to is replaced. A former file's mode stays, without the rights
    of others.

    Raises:
        UsageError: it cannot be written; then the former file is as it was.
    """
    real = path.resolve()
    new = real.with_name(f".{real.name}.new")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, _PRIVATE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if real.exists():
                new.chmod(stat.S_IMODE(real.stat().st_mode) & ~_OTHERS)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        new.replace(real)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        seen = error.strerror or str(error)
        raise UsageError(f"write {path}", seen, "name another file") from None
