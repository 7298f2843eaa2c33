"""Text files of a node: read whole, replaced whole, the previous one kept beside it.

Texts travel by a step's standard input, and lie in files that only root can read until owner and
mode are the desired ones: some hold secrets.
"""

from __future__ import annotations

import base64
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pacefab.host.model import FileState
from pacefab.transport.command import Section, Step, shell, step

Lines = tuple[str, ...]
PREVIOUS = ".previous"  # suffix of the copy kept beside a file that we replaced

# A shell function. It prints a line: absent, unreadable and why, or mode, owner and text.
STATE = r"""
state() {
  if [ ! -e "$1" ]; then echo absent
  elif text=$(base64 -w0 <"$1" 2>&1); then
    echo "file $(stat -Lc '%a %U:%G' "$1") $text"
  else echo "unreadable $text"
  fi
}
"""
_READ = STATE + 'for path; do state "$path"; done'
# A folder that ordinary users may write is no way to a file: they could have it lead anywhere, and
# we write as root. One may be of the file's own user, or of another account of the system's (uids
# below 1000), as packages have theirs (/etc/rabbitmq). A link counts only where root alone could
# have put it. namei(1) prints a line for every folder and link on the way, and follows them.
_GUARD = r"""
way='
  NR == FNR { split($0, field, ":"); if (field[3] < 1000) packages[field[1]]; next }
  function ours(name) { return name == me || name == user || name == own || name in packages }
  length($1) != 10 || $1 !~ /^[-dl][-r][-w]/ { next }
  sticky != "" && !ours($2) { exit }
  { sticky = "" }
  $1 ~ /^l/ && !strict { sticky = $4; exit }
  $1 ~ /^d/ {
    group = substr($1, 6, 1) == "w" && $3 != "root"
    others = substr($1, 9, 1) == "w"
    strict = ($2 == "root" || $2 == me) && !group && !others
    if (others && $1 ~ /[tT]$/) sticky = $4
    else if (others || !ours($2) || (group && !ours($3) && $3 !~ admins)) { sticky = $4; exit }
  }
  END { if (sticky != "") print sticky }
'
guard() {
  loose=$(namei -om "$1" 2>/dev/null |
    awk -v "me=$(id -un)" -v "user=${2%:*}" -v "own=${2#*:}" -v 'admins=^(staff|wheel|sudo|adm)$' \
      "$way" /etc/passwd -)
  [ -z "$loose" ] && return
  echo "others may write a folder or set a link on the way to $1 (at $loose): see namei -om" >&2
  return 1
}
private() {
  [ -O "$1" ] && case $(stat -c %A "$1") in ?????-??-?) ;; *) false ;; esac
}
spot() {  # the nearest folder that only root may write: a temporary file is safe there
  dir=${1%/*}
  until private "${dir:-/}" || [ -z "$dir" ]; do dir=${dir%/*}; done
  printf %s "$dir"
}
placed() {
  sync "$1" 2>/dev/null || :
  label=restorecon
  if [ -e "$2" ]; then label=:; chcon --reference="$2" "$1" 2>/dev/null || :; fi
  mv -fT "$1" "$2"
  if command -v "$label" >/dev/null; then "$label" "$2"; fi
  sync "${2%/*}" 2>/dev/null || :
}
"""
# mv within a file system is atomic, so a full disk or a lost connection leaves the old file in
# place. A link stays one: what it leads to is replaced.
# The rest of the arguments is the program that checks the new text; {} stands for where it lies.
_WRITE = (
    _GUARD
    + r"""
set -e
path=$1 previous=$1$2 mode=$3 owner=$4; shift 4
guard "$path" "$owner"
mkdir -p "${path%/*}"
real=$(readlink -f "$path")
umask 077
new=$(mktemp "$(spot "$real")/.${real##*/}.XXXXXX"); old=
trap 'rm -f "$new" $old' EXIT; trap 'exit 143' TERM
base64 -d >"$new"
chown "$owner" "$new"
chmod "$mode" "$new"
left=$#
while [ "$left" -gt 0 ]; do
  word=$1; shift
  case $word in *'{}'*) word=${word%%'{}'*}$new${word#*'{}'} ;; esac
  set -- "$@" "$word"
  left=$((left - 1))
done
"$@"
if [ -e "$path" ]; then
  old=$new.old
  cat "$path" >"$old"
  chown --reference="$path" "$old"
  chmod "$(printf %o "$((0$(stat -Lc %a "$path") & 0$mode))")" "$old"
  placed "$old" "$previous"
fi
placed "$new" "$real"; trap - EXIT
"""
)
_PUT_BACK = (
    _GUARD
    + r"""
guard "$1" "$3" || exit
real=$(readlink -f "$1")
new=$(mktemp "$(spot "$real")/.${real##*/}.XXXXXX") || exit
trap 'rm -f "$new"' EXIT; trap 'exit 143' TERM
mv -fT "$1$2" "$new" && [ ! -L "$new" ] && chown "$3" "$new" && chmod "$4" "$new" || exit
placed "$new" "$real"; trap - EXIT
"""
)


def observe(paths: Sequence[str]) -> list[Step]:
    """Return the step that reads files; `parse` understands it."""
    return [shell("files", _READ, *paths)]


def parse(paths: Sequence[str], sections: Mapping[str, Section]) -> dict[str, FileState | None]:
    """Return each file by its path; None when there is no such file.

    Raises:
        ValueError: a file is there and could not be read.
    """
    lines = sections["files"].out.splitlines()
    return {path: parse_state(path, line) for path, line in zip(paths, lines, strict=True)}


def parse_state(path: str, line: str) -> FileState | None:
    """Return a file from the line that `STATE` printed. Same errors as `parse`."""
    kind, _, rest = line.partition(" ")
    if kind == "absent":
        return None
    if kind != "file":
        raise ValueError(f"{path}: {rest}")
    mode, owner, encoded = rest.split(" ", 2)
    text = base64.b64decode(encoded).decode(errors="surrogateescape")
    return FileState(text, mode, owner)


def plan_write(
    path: str, desired: FileState, old: FileState | None, check: Sequence[str] = ()
) -> Step:
    """Return the step that makes a file as desired; undone, the old state stands again.

    What the argv `check` says against the new text (`{}` stands for its path) keeps the old one.
    """
    encoded = base64.b64encode(desired.text.encode(errors="surrogateescape")).decode()
    words = (path, PREVIOUS, desired.mode, desired.owner, *check)
    written = shell(f"write {path}", _WRITE, *words, stdin=encoded)
    if old is None:
        return replace(written, undo=("rm", "-f", path))
    back = shell("", _PUT_BACK, path, PREVIOUS, old.owner, old.mode)
    return replace(written, undo=back.argv)


def plan_remove(path: str) -> Step:
    """Return the step that takes a file away."""
    return step(f"remove {path}", "rm", "-f", path)


def difference(
    path: str, old: FileState | None, new: FileState, *, secret: bool = False, hidden: str = ""
) -> Lines:
    """Return the lines taken out (-) and put in (+), without context, and a new owner or mode.

    What matches the regular expression `hidden` is not shown; of a `secret` file nothing is.
    """
    found: list[str] = []
    if not secret:
        shown = _changed_lines(
            _without(hidden, old.text if old else ""), _without(hidden, new.text)
        )
        found += [f"{path}: {line[0]} {line[1:]}" for line in shown]
    if old is None and not new.text:
        found.append(f"{path}: made, empty")
    elif not found and (old is None or old.text != new.text):
        found.append(f"{path}: changed, not shown: it holds a secret")
    if old is not None:
        for what, was, to in (("mode", old.mode, new.mode), ("owner", old.owner, new.owner)):
            found += [f"{path}: {what} {was} -> {to}"] if was != to else []
    return tuple(found)


def _without(hidden: str, text: str) -> str:
    return re.sub(hidden, "(secret)", text) if hidden else text


def _changed_lines(old: str, new: str) -> list[str]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if line[:1] in "+-"]
