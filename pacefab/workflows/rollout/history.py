"""The state before each apply: kept on the nodes and here, so that it can be restored.

On a node: /var/lib/pacefab/history/ID, readable by root alone, with the previous CIB, a note of
what was done, and the files that were replaced. Here: the CIB and the note, in the user's state
folder (XDG Base Directory Specification), mode 600. Files stay on their node: they may hold
secrets.
"""

from __future__ import annotations

import base64
import getpass
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pacefab.errors import PacefabError, RefusedError, UsageError
from pacefab.host.kept_files import FOLDER
from pacefab.pacemaker import cib, live
from pacefab.pacemaker.cib import Cib
from pacefab.transport.command import Step, shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.view import none_answered

KEPT = 50  # entries on a node; older ones go

_STORE = r"""
set -e
umask 077
mkdir -p "$1/$2"
printf %s "$3" | base64 -d > "$1/$2/note.json.new"
base64 -d > "$1/$2/cib.xml.gz"
mv "$1/$2/note.json.new" "$1/$2/note.json"
ls "$1" | sort | head -n "-$4" | while read -r old; do rm -rf "${1:?}/$old"; done
"""
_LIST = r"""
cd "$1" 2>/dev/null || exit 0
for entry in */note.json; do [ -e "$entry" ] && base64 -w0 "$entry" && echo; done
true
"""
_READ = 'gzip -dc "$1/$2/cib.xml.gz" | base64'


@dataclass(frozen=True)
class Entry:
    """One apply: when, by whom, what it changed. `id` is its time, so that ids sort."""

    id: str
    cluster: str
    by: str
    changes: tuple[str, ...]

    @property
    def when(self) -> datetime:
        """The time at which it was applied."""
        return datetime.strptime(self.id, _ID).replace(tzinfo=UTC)

    @property
    def sentence(self) -> str:
        """The changes in a few words."""
        first, rest = self.changes[:1], len(self.changes) - 1
        return "; ".join(
            [*first, *([f"and {rest} more change{'s' * (rest > 1)}"] if rest > 0 else [])]
        )


_ID = "%Y%m%dT%H%M%S.%fZ"


def new_entry(cluster: str, changes: Sequence[str]) -> Entry:
    """Return the entry of an apply that begins now."""
    return Entry(datetime.now(UTC).strftime(_ID), cluster, operator(), tuple(changes))


def operator() -> str:
    """Return who runs this, and where: user@host."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def plan_store(entry: Entry, before: Cib) -> Step:
    """Return the step that keeps what stands before; undone when the apply does not come about."""
    note = base64.b64encode(json.dumps(asdict(entry)).encode()).decode()
    packed = live.pack(before.text(status=False))
    stored = shell("history", _STORE, FOLDER, entry.id, note, str(KEPT), stdin=packed)
    files = ("rm", "-f", *(f"{FOLDER}/{entry.id}/{name}" for name in ("note.json", "cib.xml.gz")))
    return replace(stored, undo=files)


def store_here(entry: Entry, before: Cib) -> None:
    """Keep the previous CIB on this machine too.

    Raises:
        UsageError: the state folder cannot be written.
    """
    folder = _state() / entry.cluster
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for suffix, text in (("json", json.dumps(asdict(entry), indent=2)), ("xml", before.text())):
            path = folder / f"{entry.id}.{suffix}"
            path.unlink(missing_ok=True)  # of a patch that came too late, and is made again
            descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(
            f"keep the old CIB in {folder}",
            error.strerror or str(error),
            "let XDG_STATE_HOME name a folder of yours; nothing was changed",
        ) from error


def _state() -> Path:
    usual = Path.home() / ".local" / "state"
    return Path(os.environ.get("XDG_STATE_HOME") or usual) / "pacefab"


@dataclass(frozen=True)
class History:
    """The applies that the nodes know of, newest first, each with a node that has it."""

    entries: Mapping[Entry, str]
    silent: Mapping[str, PacefabError]  # nodes that did not answer, and may know of more


def gather(hosts: Mapping[str, Host]) -> History:
    """Ask every node for what was applied.

    Raises:
        PacefabError: none of them answered.
    """
    asked = fan_out(hosts, lambda _, host: _read_entries(host))
    answered, silent = values(asked), errors(asked)
    if not answered:
        raise none_answered(silent)
    found = {entry: node for node, entries in answered.items() for entry in entries}
    newest_first = sorted(found.items(), key=lambda item: item[0].id, reverse=True)
    return History(dict(newest_first), silent)


def _read_entries(host: Host) -> list[Entry]:
    section = host.query([shell("history", _LIST, FOLDER)])["history"]
    try:
        notes = [json.loads(base64.b64decode(line)) for line in section.out.split()]
        return [Entry(n["id"], n["cluster"], n["by"], tuple(n["changes"])) for n in notes]
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(
            "read what was applied", f"an entry is not valid: {error}", f"look into {FOLDER}"
        ) from error


def read_before(host: Host, entry: Entry) -> Cib:
    """Return the CIB that stood before an apply.

    Raises:
        RefusedError: the node no longer has it, or it cannot be read.
    """
    section = host.query([shell("before", _READ, FOLDER, entry.id)])["before"]
    try:
        return cib.parse(base64.b64decode(section.out).decode())
    except ValueError as error:
        raise RefusedError(
            f"read what stood before {entry.id}",
            section.err or str(error),
            f"there is a copy in {_state() / entry.cluster} of who applied it ({entry.by})",
            host=host.name,
        ) from error
