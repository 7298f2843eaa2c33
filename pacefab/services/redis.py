"""Redis, and the example of a service in one file: one node takes writes, the others follow it.

Everything that pacefab has to know about a service stands in such a module, and nothing else
changes: `services: {redis: {}}` in an inventory installs, creates and verifies it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from pydantic import Field

from pacefab.inventory.model import Part
from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.services.probes import tcp
from pacefab.services.service import (
    DesiredNode,
    Endpoint,
    Figure,
    Look,
    Port,
    Probe,
    Reading,
    Service,
    Site,
    Value,
    whole,
)
from pacefab.transport.command import Section

RESOURCE = "redis"
AGENT = "ocf:heartbeat:redis"
PORT = 6379
PATH = "/etc/redis-pacemaker.conf"  # beside the package's own, which stays as it is
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
    )


def configuration(_section: RedisSection, _site: Site) -> Configuration:
    """Return the promotable clone; agents notify each other of who is promoted.

    The agent gives followers their leader by the node's name: every node has to resolve the names.
    """
    primitive = Primitive(RESOURCE, AGENT, {"config": PATH})
    meta = {"interleave": "true", "notify": "true", "promotable": "true"}
    return Configuration(resources=(Clone(f"{RESOURCE}-clone", primitive, meta),))


FIGURES = (
    Figure("role", "master, or slave", "info", column="role"),
    Figure("connected_replicas", "Followers of this one", column="followers"),
    Figure("replication_offset_bytes", "How far its stream of changes is", column="offset"),
    Figure("replication_lag_seconds", "Time since a follower heard of its leader", column="lag s"),
    Figure(
        "used_memory_bytes", "Memory that its data use", column="memory MiB",
        show=lambda figures: f"{float(figures['used_memory_bytes']) / 1024 / 1024:.1f}",
    ),
    Figure("clients", "Connections of clients", column="clients"),
    Figure("version", "Version of Redis", "info", column="version"),
)  # fmt: skip
_FIELDS = {
    "connected_slaves": "connected_replicas",
    "master_repl_offset": "replication_offset_bytes",
    "master_last_io_seconds_ago": "replication_lag_seconds",
    "used_memory": "used_memory_bytes",
    "connected_clients": "clients",
}


def probes(_section: RedisSection, site: Site) -> Iterator[Probe]:
    """Ask every node for its role, from its neighbour: one leads, and the others follow it."""
    running = site.instances(RESOURCE)
    for name in running:
        asked = Endpoint("redis", site.own_address(name), PORT, "INFO\r\nQUIT\r\n", whole=True)
        yield Probe(
            f"redis on {name} replicates", site.neighbour(name), (),
            partial(_judge, asked, len(running) - 1),
            resource=RESOURCE, of=name, at=asked.place, endpoints=(asked,),
        )  # fmt: skip


def _judge(asked: Endpoint, followers: int, sections: Mapping[str, Section]) -> Reading:
    found = tcp.answers([asked], sections)
    if isinstance(found, str):
        return Reading(found)
    answer = found[asked]
    said = dict(line.split(":", 1) for line in answer.text.splitlines() if ":" in line)
    if answer.wrong or "role" not in said:
        return Reading(answer.wrong or f"it said {answer.text.strip()[:60]!r}")
    figures: dict[str, Value] = {
        key: float(said[name]) for name, key in _FIELDS.items() if name in said
    }
    texts = {"role": said["role"], "version": said.get("redis_version", "")}
    return Reading(_wrong(said, followers), figures | texts)


def _wrong(said: Mapping[str, str], followers: int) -> str:
    if said["role"] == "slave":
        link = said.get("master_link_status")
        return "" if link == "up" else f"its link to the leader is {link or 'unknown'}"
    known = said.get("connected_slaves")
    return "" if known == str(followers) else f"it leads, and {known} of {followers} follow it"


SERVICE = Service(
    "redis",
    RedisSection,
    look=lambda _: Look(packages=("redis-server", "redis"), units=UNITS, files=(PATH,)),
    node=node,
    configuration=configuration,
    probes=lambda section, site: tuple(probes(section, site)),
    ids=lambda _: (f"{RESOURCE}-clone",),
    agents=(AGENT,),
    found=lambda cib: RedisSection() if cib.primitives_of(AGENT) else None,
    figures=FIGURES,
)
