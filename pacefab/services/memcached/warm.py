"""Warm restart: memcached hands its memory over to the process that Pacemaker starts after it.

memcached keeps its items in a file on a tmpfs (`-e`), and writes down where they are when SIGUSR1
ends it (its wiki, WarmRestart). So systemd must stop it by that signal. The items stay where they
are while memory size and item layout are the same and the process is not killed; a node that
reboots starts empty. Pure.
"""

from __future__ import annotations

from pacefab.host.model import HostFacts
from pacefab.services.family import family_of
from pacefab.services.service import File, whole

# SELinux lets memcached write to this folder, and to no other below /run.
MEMORY_FILE = "/run/memcached/items"
DROP_IN = "/etc/systemd/system/memcached.service.d/pacefab-warm-restart.conf"
TMPFILES = "/etc/tmpfiles.d/memcached-pacefab.conf"
PATHS = (DROP_IN, TMPFILES)

# A stop that takes longer ends in a kill, and all items are lost.
_DROP_IN = """\
# Written by pacefab: memcached keeps its items over a restart (restartable).
[Service]
KillSignal=SIGUSR1
TimeoutStopSec=60
"""
_OFF = "# Written by pacefab: memcached starts empty (restartable: false).\n"
_USERS = {"debian": "memcache", "rhel": "memcached"}

# The file grows as items come: what it has already is no longer free.
_ROOM = r"""
has=$(stat -c %b /run/memcached/items 2>/dev/null || echo 0)
free=$(($(df --output=avail -k /run | tail -n 1) + has / 2))
[ "$free" -ge "$(($1 * 1024))" ] || {
  echo "restartable: /run has $((free / 1024)) MiB free, the items need $1 MiB" >&2; exit 1
}
"""


def files(facts: HostFacts, memory: int, *, on: bool) -> tuple[File, ...]:
    """Return the files that a warm restart needs; where it is off, what makes old ones harmless.

    The folder has to be memcached's own: with RuntimeDirectory= it would stay root's.
    """
    if not on:
        return tuple(whole(path, _OFF) for path in PATHS if facts.text(path) is not None)
    user = _USERS[family_of(facts)]
    folder = f"# Written by pacefab: the folder of {memory} MiB of items.\n"
    folder += f"d /run/memcached 0755 {user} {user} -\n"
    room = ("sh", "-c", _ROOM, "pacefab", str(memory))
    return (
        whole(TMPFILES, folder, check=room, apply=("systemd-tmpfiles", "--create", TMPFILES)),
        whole(DROP_IN, _DROP_IN),
    )
