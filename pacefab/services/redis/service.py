"""Redis, or Valkey where a distribution has no Redis: a promotable clone, made by one agent."""

from __future__ import annotations

from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.services.redis import node, probes
from pacefab.services.redis.section import SECRET, RedisSection
from pacefab.services.service import Service, Site

CLONE = f"{probes.NAME}-clone"


def configuration(section: RedisSection, site: Site) -> Configuration:
    """Return the promotable clone; agents notify each other of who is promoted.

    The agent gives followers their leader by the node's name: every node has to resolve the names.
    It reads the password from the configuration and hands it to its client by the environment.
    """
    flavour = node.flavour_of(section, site)
    parameters = {"config": flavour.config, **flavour.parameters}
    units = tuple(f"{package}.service" for package in flavour.packages.values())
    primitive = Primitive(probes.NAME, "ocf:heartbeat:redis", parameters, runs=units)
    meta = {"interleave": "true", "notify": "true", "promotable": "true"}
    return Configuration(resources=(Clone(CLONE, primitive, meta),))


SERVICE = Service(
    probes.NAME,
    RedisSection,
    look=node.look,
    node=node.desired,
    configuration=configuration,
    probes=lambda _, site: tuple(probes.probes(site)),
    secrets=lambda _: (SECRET,),
    ids=lambda _: (CLONE,),
    promoted=CLONE,
)
