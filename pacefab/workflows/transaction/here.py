"""Copies of the history on the operator's machine: the CIB before each change, and its note.

In the user's state folder (XDG Base Directory Specification), mode 600.
"""

from __future__ import annotations

import os
from pathlib import Path

from pacefab.errors import UsageError
from pacefab.pacemaker.cib import Cib
from pacefab.workflows.transaction import entry as entries
from pacefab.workflows.transaction.entry import Entry
from pacefab.workflows.transaction.log import KEPT


def folder(cluster: str) -> Path:
    """Return where the copies of a cluster's history are."""
    usual = Path.home() / ".local" / "state"
    return Path(os.environ.get("XDG_STATE_HOME") or usual) / "pacefab" / cluster


def store(entry: Entry, before: Cib) -> None:
    """Keep the CIB as it was before a change, and the change's note; the oldest copies go.

    Raises:
        UsageError: the state folder cannot be written.
    """
    place = folder(entry.cluster)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for suffix, text in (("xml", before.text()), ("json", entry.note())):
            _write(place / f"{entry.id}.{suffix}", text)
        names = sorted({path.stem for path in place.iterdir() if entries.is_id(path.stem)})
        for name in names[:-KEPT]:
            for path in place.glob(f"{name}.*"):
                path.unlink()
    except OSError as error:
        raise UsageError(
            f"keep the old CIB in {place}",
            error.strerror or str(error),
            "let XDG_STATE_HOME name a folder of yours; nothing was changed",
        ) from error


def _write(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)
