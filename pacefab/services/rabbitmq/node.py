"""What RabbitMQ needs on a node: packages, configuration, the cookie, ports. Pure."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
from pathlib import Path
from typing import Any

from pacefab.addresses import bracketed
from pacefab.errors import RefusedError, UsageError
from pacefab.services.rabbitmq.section import COOKIE, SECRET, RabbitmqSection
from pacefab.services.service import AtStart, DesiredNode, File, Look, Port, Site, whole
from pacefab.services.templating import render

PACKAGE = "rabbitmq-server"
UNIT = "rabbitmq-server.service"
PORT, MANAGEMENT = 5672, 15672
PORTS = (
    Port(PORT, clients=True),
    Port(4369),
    Port(25672),
)  # clients; where a node is; nodes among themselves

PROGRAMS = ("beam.smp",)  # Erlang's process

_FOLDER = "/etc/rabbitmq"
_DEFINITIONS = f"{_FOLDER}/pacefab-definitions.json"
PROBE_USER = "pacefab-probe"
CREDENTIALS = f"{_FOLDER}/pacefab-probe"  # the password of that user, for root
_COOKIE = "/var/lib/rabbitmq/.erlang.cookie"
PATHS = (
    f"/etc/systemd/system/{UNIT}.d/pacefab.conf",
    f"{_FOLDER}/rabbitmq-env.conf",
    f"{_FOLDER}/rabbitmq.conf",
    f"{_FOLDER}/enabled_plugins",
    _DEFINITIONS,
    CREDENTIALS,
    _COOKIE,
)
# A node that starts waits for those that stopped after it. Pacemaker would wait too, for that start
# to end, and not begin to start those that came back a moment later.
_UNIT_TEXT = """\
# Written by pacefab: the start does not wait until RabbitMQ has found the other nodes.
[Service]
Type=simple
"""
# A RabbitMQ that runs takes new passwords at once; one that starts reads them itself.
_IMPORT = r"""
systemctl is-active --quiet "$1" || exit 0
timeout 60 rabbitmqctl --quiet import_definitions "$2"
"""
_TICK_SECONDS = 15  # by default 60: as long, queues cannot be made after a node has died
_COOKIE_FORM = re.compile(r"[!-~]{1,255}")
_IPV4 = 4


def look(_section: RabbitmqSection) -> Look:
    """Return what to look at."""
    return Look(packages=(PACKAGE,), units=(UNIT,), files=PATHS, processes=PROGRAMS)


def desired(section: RabbitmqSection, site: Site, node: str) -> DesiredNode:
    """Return what one node is to have."""
    unit, environment, config, plugins, *_ = PATHS
    return DesiredNode(
        packages=(PACKAGE,),
        files=(
            whole(unit, _UNIT_TEXT),
            whole(environment, _environment(section, site, node)),
            whole(config, _config(section, site, node)),
            whole(plugins, "[rabbitmq_management].\n"),
            _definitions(section, site),
            whole(CREDENTIALS, f"{_probe_password(site)}\n", mode="600", secret=True),
            _cookie(site),
        ),
        units=(UNIT,),
        ports=PORTS,
        at_start=(AtStart("rabbitmq", PROGRAMS, (environment, config, plugins)),),
    )


def peer(section: RabbitmqSection, site: Site, node: str) -> str:
    """Return what RabbitMQ calls a node.

    Raises:
        RefusedError: Erlang knows no such name.
    """
    if section.members == "names":
        return f"rabbit@{node}"
    address = site.own_address(node)
    if ipaddress.ip_address(address).version != _IPV4:
        raise RefusedError(
            "name the node as RabbitMQ does",
            f"its address is {address}, and Erlang's names hold no IPv6 address",
            "write services: rabbitmq: members: names, with names that every node resolves",
            host=node,
        )
    return f"rabbit@{address}"


def _long_names(section: RabbitmqSection, site: Site) -> bool:
    """Whether the names have dots: Erlang's nodes must all have them, or none.

    Raises:
        RefusedError: some have, and some have not.
    """
    names = site.membership.names
    dotted = [name for name in names if "." in name]
    if section.members == "addresses":
        return True
    if dotted and len(dotted) != len(names):
        raise RefusedError(
            "name the nodes as RabbitMQ does",
            f"of the names {', '.join(names)} some have dots and some have none",
            "write services: rabbitmq: members: addresses, or name all nodes in one way",
        )
    return bool(dotted)


def _environment(section: RabbitmqSection, site: Site, node: str) -> str:
    """Return how the node is called, and the one address at which other nodes reach it."""
    address = ipaddress.ip_address(site.own_address(node))
    protocol = "" if address.version == _IPV4 else "-proto_dist inet6_tcp"
    size = 1 if address.version == _IPV4 else 2
    parts = [
        int.from_bytes(address.packed[n : n + size], "big") for n in range(0, 4 * size**2, size)
    ]
    interface = ",".join(map(str, parts))
    server = f"{protocol} -kernel inet_dist_use_interface {{{interface}}}".strip()
    lines = [
        "# Written by pacefab from the inventory (services: rabbitmq): changes are overwritten.",
        f"NODENAME={peer(section, site, node)}",
        f"USE_LONGNAME={'true' if _long_names(section, site) else 'false'}",
        f'SERVER_ADDITIONAL_ERL_ARGS="{server}"',
        *([f'CTL_ERL_ARGS="{protocol}"'] if protocol else []),
        "",
    ]
    return "\n".join(lines)


def _config(section: RabbitmqSection, site: Site, node: str) -> str:
    return render(
        Path(__file__).with_name("rabbitmq.conf.j2"),
        bracketed=bracketed(site.own_address(node)),
        port=PORT,
        definitions=_DEFINITIONS,
        management=MANAGEMENT,
        peers=[peer(section, site, name) for name in site.membership.names],
        tick=_TICK_SECONDS,
        memory=section.memory,
        settings=section.settings,
    )


def _definitions(section: RabbitmqSection, site: Site) -> File:
    """Return users and the one virtual host; there is no guest beside them."""
    named = [
        (_user(section.user, site.secret(SECRET), "administrator"), _rights(".*", ".*")),
        # It may make and use queues of its own name alone.
        (
            _user(PROBE_USER, _probe_password(site), "monitoring"),
            _rights(f"^{PROBE_USER}-", rf"^({PROBE_USER}-.*|amq\.default)$"),
        ),
    ]
    queues = {"default_queue_type": "quorum"}
    definitions = {
        "users": [user for user, _ in named],
        "vhosts": [{"name": "/", "metadata": queues, **queues}],
        "permissions": [{"user": user["name"], "vhost": "/", **rights} for user, rights in named],
    }
    text = json.dumps(definitions, indent=2) + "\n"
    return whole(
        _DEFINITIONS,
        text,
        mode="640",
        owner="root:rabbitmq",
        hidden=r'(?<="password_hash": ")[^"]+',
        apply=("sh", "-c", _IMPORT, "pacefab", UNIT, _DEFINITIONS),
    )


def _user(name: str, password: str, tag: str) -> dict[str, Any]:
    """Return a user, whose password is hashed (https://www.rabbitmq.com/docs/passwords).

    The salt comes from name and password, so that the file is the same at each run.
    """
    secret = password.encode()
    salt = hashlib.sha256(b"\0".join((b"pacefab", name.encode(), secret))).digest()[:4]
    return {
        "name": name,
        "password_hash": base64.b64encode(salt + hashlib.sha256(salt + secret).digest()).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [tag],
    }


def _rights(configure: str, use: str) -> dict[str, str]:
    return {"configure": configure, "write": use, "read": use}


def _probe_password(site: Site) -> str:
    """Return what the probes log in with: one that nobody has to give, the same on all nodes."""
    parts = ("pacefab probe", site.secret(SECRET), site.secret(COOKIE))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _cookie(site: Site) -> File:
    """Return the secret by which nodes know each other.

    Raises:
        UsageError: Erlang takes no such text for a cookie.
    """
    cookie = site.secret(COOKIE)
    if not _COOKIE_FORM.fullmatch(cookie):
        raise UsageError(
            "use the secret rabbitmq_cookie",
            "it has blanks or letters beyond ASCII, or more than 255 characters",
            "give another one: openssl rand -hex 32",
        )
    return whole(_COOKIE, cookie, mode="400", owner="rabbitmq:rabbitmq", secret=True)
