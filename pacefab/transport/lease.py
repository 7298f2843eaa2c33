"""The lease of a node: which run may change it now. Pure: pieces of shell and what they print.

The lease is a file in a folder of root's alone, on a file system that a restart empties. It is
written at its end only, so that whoever reads it meanwhile reads whole lines:

    take TOKEN SECONDS NOTE
    renew TOKEN SECONDS
    release TOKEN SECONDS

SECONDS are those since the node was started: no clock that is set plays a part. A lease that was
not renewed for `SECONDS` has ended; so has one of the time before a start that did not empty that
file system (a container's). The token of the last one stays, so that whoever looked at the
node earlier sees that another run was there meanwhile.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

FILE = "/run/pacefab/lease"
SECONDS = 30
"""How long a lease lasts that is not renewed; its run is dead or cut off then."""
SECTION = "lease"
_STEP_SECONDS = 5  # between two renewals by a script that is at work

# `lease FILE` sets: token, note, and live where it has not ended.
READ = f"""
lease() {{
  token= note= at= live=
  if [ -r "$1" ]; then
    while read -r word name when rest; do
      case $when in ''|*[!0-9]*) continue ;; esac
      case $word in
        take) token=$name at=$when note=$rest ;;
        renew) [ "$name" != "$token" ] || at=$when ;;
        release) [ "$name" != "$token" ] || at= ;;
      esac
    done <"$1"
  fi
  read -r now rest </proc/uptime
  now=${{now%.*}}
  if [ -n "$at" ] && [ "$at" -le "$now" ] && [ $((now - at)) -lt {SECONDS} ]; then live=live; fi
}}
"""
# Of an own lease that has not ended, or is revived; else it prints whose it is now, if another run
# has it. A node that was started again has none of any run: a revived one is taken there anew.
_MINE = (
    READ
    + r"""
mine() {
  lease "$1"
  if [ "$token" = "$2" ] && [ -n "$live$3" ]; then
    echo "renew $2 $now" >>"$1"
  elif [ -z "$token" ] && [ -n "$3" ]; then
    (umask 077 && mkdir -p "${1%/*}" && echo "take $2 $now $4" >"$1")
  else
    [ "$token" = "$2" ] || printf '%s\n' "$note"
    return 1
  fi
}
"""
)
RENEW = _MINE + 'mine "$1" "$2"'
# Under the node's lock, so that two runs never do it at the same moment. $3 may be taken from.
TAKE = r"""
umask 077
mkdir -p "${1%/*}" && chmod 700 "${1%/*}" || exit
lease "$1"
if [ -n "$live" ] && [ "$token" != "$2" ] && [ "$token" != "$3" ]; then exit 3; fi
echo "take $2 $now $4" >"$1.new" && mv -f "$1.new" "$1"
"""
HELD = 3
"""The exit status of `TAKE` where another run holds the lease."""
RELEASE = (
    READ
    + r"""
lease "$1"
if [ "$token" = "$2" ]; then echo "release $2 $now" >>"$1"; fi
"""
)


@dataclass(frozen=True)
class Grip:
    """A run's hold of a node.

    `firm` says whether as many nodes as are needed renewed the lease moments ago: then a node that
    was away for too long, or was started again, gets it again, unless another run has it there.
    `note` says there whose it is.
    """

    token: str
    firm: Callable[[], bool]
    note: str = ""


def guard(grip: Grip) -> str:
    """Return what a script begins with that changes a node under a lease.

    It ends where that is another run's by now, or nobody's, and renews it while it is at work: its
    operator may be gone, and the node is at work all the same.
    """
    call = f"mine {shlex.quote(FILE)} {shlex.quote(grip.token)}"
    revived = f" revived {shlex.quote(grip.note)}" if grip.firm() else ""
    return f"""{_MINE}
section {SECTION} {call}{revived} || exit 1
while sleep {_STEP_SECONDS} && kill -0 $$ && {call}; do :; done </dev/null >/dev/null 2>&1 9>&- &
trap 'kill '"$!"' 2>/dev/null' EXIT
"""
