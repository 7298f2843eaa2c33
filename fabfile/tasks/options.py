"""Values of options that Invoke hands over as text: its own numbers end in a traceback."""

from __future__ import annotations

from pathlib import Path

from fabfile.errors import UsageError


def number(option: str, text: str, *, least: int) -> int:
    """Return an option's whole number.

    Raises:
        UsageError: it is none, or less than `least`.
    """
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or value < least:
        raise UsageError(
            "read the options", f"{option} {text}", f"allowed: a whole number, {least} or more"
        )
    return value


def number_if_given(option: str, text: str | None) -> int | None:
    """Return an option's whole number, 1 or more; None when it was not given. Same errors."""
    return None if text is None else number(option, text, least=1)


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
