"""The history on a node: a folder for each change, readable by root alone.

/var/lib/pacefab/history/ID has the note of what changes, its state, the CIB and corosync.conf as
they were before, and the files that were replaced; those stay on their node, because they may hold
secrets. Steps and parsers only.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from pacefab.host.kept_files import FOLDER
from pacefab.pacemaker import cib as cibs
from pacefab.pacemaker import live
from pacefab.pacemaker.cib import Cib
from pacefab.transport.command import Section, Step, shell
from pacefab.workflows.transaction import entry as entries
from pacefab.workflows.transaction.entry import Damaged, Entry

KEPT = 50
"""Whole entries on a node, and here; older ones go. What was never whole goes after a day."""

# A folder gets its name when it is whole.
_BEGIN = r"""
set -e
umask 077
mkdir -p "$1"
cd "$1"
rm -rf -- *.new "$2"
mkdir "$2.new"
read -r note
printf %s "$note" | base64 -d >"$2.new/note.json"
base64 -d >"$2.new/cib.xml.gz"
[ -s "$2.new/cib.xml.gz" ] || rm "$2.new/cib.xml.gz"
[ ! -e /etc/corosync/corosync.conf ] || cp /etc/corosync/corosync.conf "$2.new/corosync.conf"
echo begun >"$2.new/state"
mv "$2.new" "$2"
for folder in */; do [ ! -e "$folder/note.json" ] || echo "${folder%/}"; done |
  sort | head -n "-$3" | while read -r old; do rm -rf -- "./$old"; done
find . -mindepth 1 -maxdepth 1 -type d -mtime +0 | while read -r old; do
  [ -e "$old/note.json" ] || rm -rf -- "$old"
done
"""
_KEEP = r"""
set -e
umask 077
cd "$1/$2"
base64 -d >cib.xml.gz.new
mv cib.xml.gz.new cib.xml.gz
"""
# Three words for each entry: its id, its state, and which one brought it there.
_END = r"""
umask 077
cd "$1" || exit
shift
while [ $# -ge 3 ]; do
  if [ -d "$1" ]; then echo "$2 $3" >"$1/state.new" && mv "$1/state.new" "$1/state" || exit; fi
  shift 3
done
"""
_WITHDRAW = 'rm -rf -- "${1:?}/${2:?}" "$1/$2.new"'
_LIST = r"""
cd "$1" 2>/dev/null || exit 0
for folder in */; do
  [ -e "$folder/note.json" ] || continue
  name=${folder%/} state=
  [ ! -r "$name/state" ] || read -r state <"$name/state"
  printf '%s\n%s\n' "$name $state" "$(base64 -w0 "$name/note.json" 2>/dev/null)"
done
"""
_READ = 'gzip -dc "$1/$2/cib.xml.gz" | base64'
_CONF = 'cat "$1/$2/corosync.conf"'


def plan_begin(entry: Entry, before: Cib | None) -> Step:
    """Return the step that notes on a node that a change begins, with the CIB as it is."""
    note = base64.b64encode(entry.note().encode()).decode()
    packed = live.pack(before.text(status=False)) if before else ""
    stdin = f"{note}\n{packed}"
    return shell("history", _BEGIN, FOLDER, entry.id, str(KEPT), stdin=stdin)


def plan_keep(entry: Entry, before: Cib) -> Step:
    """Return the step that keeps the CIB as it was before the change, where it was not yet."""
    packed = live.pack(before.text(status=False))
    return shell("history", _KEEP, FOLDER, entry.id, stdin=packed)


def plan_end(ended: Iterable[Entry]) -> Step:
    """Return the step that notes on a node how changes came to their end."""
    words = (word for e in ended for word in (e.id, e.state, e.ended_by))
    return shell("history", _END, FOLDER, *words)


def plan_withdraw(entry: Entry) -> Step:
    """Return the step that takes away the note of a change that did not begin after all."""
    return shell("history", _WITHDRAW, FOLDER, entry.id)


def observe_entries() -> Step:
    """Return the step that `parse_entries` understands."""
    return shell("history", _LIST, FOLDER)


def parse_entries(node: str, section: Section) -> list[Entry | Damaged]:
    """Return the entries that a node has; one that is damaged stands in nobody's way."""
    lines, found = section.out.splitlines(), list[Entry | Damaged]()
    for head, note in zip(lines[::2], lines[1::2], strict=False):
        name, _, state = head.partition(" ")
        try:
            text = base64.b64decode(note, validate=True).decode()
            found.append(entries.read(name, text, state))
        except (ValueError, binascii.Error) as error:
            found.append(Damaged(name, node, str(error)))
    return found


def observe_before(entry: str) -> Step:
    """Return the step that `parse_before` understands."""
    return shell("before", _READ, FOLDER, entry)


def observe_conf(entry: str) -> Step:
    """Return the step that prints corosync.conf as it stood before a change."""
    return shell("conf", _CONF, FOLDER, entry)


def parse_before(section: Section) -> Cib:
    """Return the CIB that stood before a change.

    Raises:
        ValueError: the node does not have it, or it is damaged.
    """
    if not section.out.strip():
        raise ValueError(section.err or "it is not there")
    return cibs.parse(base64.b64decode(section.out).decode())
