"""Redis, and the example of a service in one file: one node takes writes, the others follow it.

Everything that pacefab has to know about a service stands in such a module, and nothing else
changes: `services: {redis: {}}` in an inventory installs, creates and verifies it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from pydantic import Field

from pacefab.inventory.model import Part
from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.services.service import (
    AtStart,
    DesiredNode,
    Look,
    Port,
    Probe,
    Reading,
    Service,
    Site,
    whole,
)
from pacefab.transport.command import Section, step

PORT = 6379
PATH = "/etc/redis-pacemaker.conf"  # beside the package's own, which stays as it is
PROGRAMS = ("redis-server",)
UNITS = ("redis-server.service", "redis.service")  # Debian's, EL's


class RedisSection(Part):
    """What the inventory may say."""

    memory: int | None = Field(
        default=None, ge=1, description="MiB for the data, a whole number; not given: no limit"
    )


def node(section: RedisSection, site: Site, name: str) -> DesiredNode:
    """Return package, configuration and port of one node."""
    lines = [
        f"bind 127.0.0.1 {site.own_address(name)}",  # the agent asks at 127.0.0.1
        f"port {PORT}",
        "protected-mode no",
        "dir /var/lib/redis",
        *([f"maxmemory {section.memory}mb"] if section.memory else []),
    ]
    debian = site.facts[name].family == "debian"
    return DesiredNode(
        packages=("redis-server" if debian else "redis",),
        files=(whole(PATH, "\n".join([*lines, ""])),),
        units=UNITS[:1] if debian else UNITS[1:],
        ports=(Port(PORT),),
        at_start=(AtStart("redis", PROGRAMS, (PATH,)),),
    )


def configuration(_section: RedisSection, _site: Site) -> Configuration:
    """Return the promotable clone; agents notify each other of who is promoted.

    The agent gives followers their leader by the node's name: every node has to resolve the names.
    """
    primitive = Primitive("redis", "ocf:heartbeat:redis", {"config": PATH})
    meta = {"interleave": "true", "notify": "true", "promotable": "true"}
    return Configuration(resources=(Clone("redis-clone", primitive, meta),))


def probes(_section: RedisSection, site: Site) -> list[Probe]:
    """Ask every node for its role, from the first one: one is promoted, and the others follow."""
    nodes = site.membership.names
    steps = [
        step(name, "timeout", "5", "redis-cli", "-h", site.own_address(name), "role")
        for name in nodes
    ]
    return [Probe("redis replicates", nodes[0], tuple(steps), partial(_judge, nodes))]


def _judge(nodes: tuple[str, ...], sections: Mapping[str, Section]) -> Reading:
    roles = {name: sections[name].text.split() for name in nodes if name in sections}
    leaders = [name for name, role in roles.items() if role[:1] == ["master"]]
    followers = [
        name for name, role in roles.items() if role[:1] == ["slave"] and role[3] == "connected"
    ]
    if len(leaders) == 1 and len(followers) == len(nodes) - 1:
        return Reading()
    return Reading(f"one node should lead and the others follow it: {roles}")


SERVICE = Service(
    "redis",
    RedisSection,
    look=lambda _: Look(
        packages=("redis-server", "redis"), units=UNITS, files=(PATH,), processes=PROGRAMS
    ),
    node=node,
    configuration=configuration,
    probes=probes,
    ids=lambda _: ("redis-clone",),
)
