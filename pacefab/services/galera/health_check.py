"""The health check of a database node, as HAProxy asks it: a socket, a script behind it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pacefab.addresses import bracketed
from pacefab.services.service import File, whole
from pacefab.services.templating import render

PORT = 9200  # where clustercheck has always answered
SOCKET = "pacefab-galera-check.socket"

_TEMPLATES = Path(__file__).parent
_PROGRAM = "/usr/local/sbin/pacefab-galera-check"
_UNITS = "/etc/systemd/system"
_AGAIN = "pacefab-galera-check-again.service"  # starts a socket that failed
PATHS = (
    _PROGRAM,
    f"{_UNITS}/pacefab-galera-check@.service",
    f"{_UNITS}/{_AGAIN}",
    f"{_UNITS}/{SOCKET}",
)

_SYNCED = "4"
_SYNCED_OR_DONOR = "2 | 4"
# A socket that listens already goes on listening at the old address.
_RELOAD = 'systemctl daemon-reload && systemctl try-restart "$1"'


def files(address: str, client: str, sst: str, askers: Sequence[str]) -> tuple[File, ...]:
    """Return the files.

    `client` is the program that asks the database, as the user mysql; `askers` are the addresses of
    the nodes, whose load balancers ask: where the kernel filters by cgroup, nobody else may.
    """
    serving = _SYNCED_OR_DONOR if sst == "mariabackup" else _SYNCED
    program, service, again, socket = PATHS
    listening = render(
        _TEMPLATES / "galera-check.socket.j2",
        bracketed=bracketed(address),
        port=PORT,
        allowed=" ".join(askers),
        again=_AGAIN,
    )
    return (
        whole(
            program,
            render(_TEMPLATES / "galera-check.sh.j2", client=client, serving=serving),
            mode="755",
        ),
        whole(
            service,
            render(_TEMPLATES / "galera-check.service.j2", program=program),
            apply=("systemctl", "daemon-reload"),
        ),
        whole(
            again,
            render(_TEMPLATES / "galera-check-again.service.j2", socket=SOCKET),
            apply=("systemctl", "daemon-reload"),
        ),
        whole(socket, listening, apply=("sh", "-c", _RELOAD, "pacefab", SOCKET)),
    )
