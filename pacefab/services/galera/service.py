"""MariaDB with Galera: every node writes, Pacemaker starts the first one and lets the others in."""

from __future__ import annotations

from pacefab.addresses import bracketed
from pacefab.pacemaker.model import Clone, Configuration, Operation, Primitive
from pacefab.services.family import Family, common_family
from pacefab.services.galera import node, probes
from pacefab.services.galera.section import SECRET, GaleraSection
from pacefab.services.service import Service, Site

RESOURCE = "galera"
CLONE = f"{RESOURCE}-clone"
AGENT = "ocf:heartbeat:galera"

# Debian has everything elsewhere than upstream's agent expects. EL's package leaves the data folder
# empty; the agent fills it.
_PARAMETERS: dict[Family, dict[str, str]] = {
    "debian": {
        "binary": "/usr/bin/mariadbd-safe",
        "client_binary": "/usr/bin/mariadb",
        "config": "/etc/mysql/my.cnf",
        "pid": "/run/mysqld/mysqld.pid",
        "socket": "/run/mysqld/mysqld.sock",
    },
    "rhel": {"enable_creation": "true"},
}


def configuration(section: GaleraSection, site: Site) -> Configuration:
    """Return the promotable clone of the classic scripts, in today's words.

    A promotion that fails blocks (on-fail): restarting would not fix a database that cannot be
    copied, and could start one that is behind.
    """
    promote = Operation("promote", interval="0s", timeout="300s", others={"on-fail": "block"})
    primitive = Primitive(
        RESOURCE,
        AGENT,
        {**_PARAMETERS[common_family(site.facts.values())], **_members(section, site)},
        operations=(promote,),
        runs=(node.UNIT,),
    )
    everywhere = str(len(site.membership.names))
    meta = {"ordered": "true", "promotable": "true", "promoted-max": everywhere}
    return Configuration(resources=(Clone(CLONE, primitive, meta),))


def _members(section: GaleraSection, site: Site) -> dict[str, str]:
    """Return the parameters that say who belongs together; the map, where names are not used."""
    if section.members == "names":
        return {"wsrep_cluster_address": "gcomm://" + ",".join(site.membership.names)}
    reached = {name: bracketed(site.own_address(name)) for name in site.membership.names}
    return {
        "cluster_host_map": ";".join(f"{name}:{address}" for name, address in reached.items()),
        "wsrep_cluster_address": "gcomm://" + ",".join(reached.values()),
    }


SERVICE = Service(
    "galera",
    GaleraSection,
    look=node.look,
    node=node.desired,
    configuration=configuration,
    probes=lambda _, site: tuple(probes.probes(site, RESOURCE)),
    secrets=lambda section: [SECRET] if section.sst_user else [],
    ids=lambda _: (CLONE,),
    agents=(AGENT,),
    found=lambda cib: GaleraSection() if cib.primitives_of(AGENT) else None,
    figures=probes.FIGURES,
    activity=lambda _, site, name: probes.activity(site, RESOURCE, name),
    data=("/var/lib/mysql",),
    shared=("rsync",),
)
