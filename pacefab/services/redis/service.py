"""Redis, or Valkey where a distribution has no Redis: a promotable clone, made by one agent."""

from __future__ import annotations

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.services.activity import ActivityQuestion
from pacefab.services.probes.probe import Probe
from pacefab.services.redis import node, probes
from pacefab.services.redis.load import load
from pacefab.services.redis.section import SECRET, RedisSection
from pacefab.services.service import Service, Site

CLONE = f"{node.NAME}-clone"


def configuration(section: RedisSection, site: Site) -> Configuration:
    """Return the promotable clone; agents notify each other of who is promoted.

    The agent gives followers their leader by the node's name: every node has to resolve the names.
    It reads the password from the configuration and hands it to its client by the environment.
    """
    flavour = node.flavour_of(section, site)
    parameters = {"config": flavour.config, **flavour.parameters}
    units = tuple(f"{package}.service" for package in flavour.packages.values())
    primitive = Primitive(node.NAME, "ocf:heartbeat:redis", parameters, runs=units)
    meta = {"interleave": "true", "notify": "true", "promotable": "true"}
    return Configuration(resources=(Clone(CLONE, primitive, meta),))


def _probes(section: RedisSection, site: Site) -> tuple[Probe, ...]:
    return tuple(probes.probes(site, node.flavour_of(section, site).config))


def _before_stop(section: RedisSection, site: Site, name: str) -> tuple[Probe, ...]:
    return probes.before_stop(site, node.flavour_of(section, site).config, name)


def _activity(section: RedisSection, site: Site, name: str) -> ActivityQuestion:
    """Ask an instance for its role: the one that leads takes the writes."""
    return ActivityQuestion(
        node.NAME,
        say="ROLE\r\n",
        answer=r"\$\d+\r\n(?:master|slave)\r\n",
        active=r"\$6\r\nmaster\r\n",
        address=site.own_address(name),
        port=node.PORT,
        config=node.flavour_of(section, site).config,
    )


def _found(cib: Cib) -> RedisSection | None:
    """Return the section where the CIB has a primitive as this service makes it."""
    element = cib.element(node.NAME)
    given = {} if element is None else cib.parameters(element)
    for software, flavour in node.FLAVOURS.items():
        if given.get("config") == flavour.config:
            return RedisSection(software=software)
    return None


SERVICE = Service(
    node.NAME,
    RedisSection,
    look=node.look,
    node=node.desired,
    configuration=configuration,
    probes=_probes,
    secrets=lambda _: (SECRET,),
    ids=lambda _: (CLONE,),
    promoted=CLONE,
    found=_found,
    figures=probes.FIGURES,
    load=load,
    activity=_activity,
    before_stop=_before_stop,
    data=tuple(flavour.data for flavour in node.FLAVOURS.values()),
)
