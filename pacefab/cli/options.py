"""Options: what those of several tasks are for, and values that Invoke hands over as text."""

from __future__ import annotations

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


def number(option: str, text: str, *, least: int) -> int:
    """Return an option's whole number: Invoke's own reading of numbers ends in a traceback.

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
