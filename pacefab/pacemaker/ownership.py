"""Which systemd units the primitives of a CIB run: whose a unit is. Pure.

An agent of class systemd, service or lsb is named after its unit. An ocf agent runs a unit or its
program; which one, its name says (ClusterLabs/resource-agents), or a parameter that names the
program. What an agent of another origin runs cannot be known: `Runner.opaque`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from pacefab.pacemaker.cib import Cib, agent_of
from pacefab.pacemaker.model import Primitive

# Classes whose agent is one program on the node: systemd units and init scripts.
_OF_UNITS = ("systemd", "service", "lsb", "upstart")
_SUFFIX = re.compile(
    r"\.(service|socket|target|timer|mount|automount|path|device|swap|slice|scope)$"
)
_INSTANCE = re.compile(r"@[^@]*(?=\.\w+$)")
_MARIADB = ("mariadb.service", "mysql.service", "mysqld.service")
_REDIS = ("redis-server.service", "redis.service", "valkey-server.service", "valkey.service")
_RABBITMQ = ("rabbitmq-server.service",)
# Units of ocf agents, whoever provides them, where they are not called like the agent.
_BY_AGENT = {
    "apache": ("apache2.service", "httpd.service"),
    "dhcpd": ("isc-dhcp-server.service", "dhcpd.service"),
    "galera": _MARIADB,
    "mariadb": _MARIADB,
    "mysql": _MARIADB,
    "named": ("named.service", "bind9.service"),
    "nfsserver": ("nfs-server.service", "nfs-kernel-server.service"),
    "pgsql": ("postgresql.service",),
    "rabbitmq-cluster": _RABBITMQ,
    "rabbitmq-server-ha": _RABBITMQ,
    "redis": _REDIS,
    "slapd": ("slapd.service",),
}
_BY_PROGRAM = {
    "haproxy": ("haproxy.service",),
    "mariadbd": _MARIADB,
    "mariadbd-safe": _MARIADB,
    "memcached": ("memcached.service",),
    "systemd-memcached-wrapper": ("memcached.service",),
    "mysqld": _MARIADB,
    "mysqld_safe": _MARIADB,
    "rabbitmq-server": _RABBITMQ,
    "redis-server": _REDIS,
    "valkey-server": _REDIS,
}
_PROGRAM_PARAMETERS = "binfile binary bin program command cmd cmdline_options executable daemon"
_WORD = re.compile(r"[^\s'\";=]+")
_HEARTBEAT = """
AoEtarget AudibleAlarm CTDB ClusterMon Delay Dummy EvmsSCC Evmsd Filesystem ICP IPaddr IPaddr2
IPsrcaddr IPv6addr LVM LVM-activate LinuxSCSI MailTo ManageRAID ManageVE NodeUtilization Pure-FTPd
Raid1 Route SAPDatabase SAPInstance SendArp ServeRAID SphinxSearchDaemon Squid Stateful SysInfo
VIPArip VirtualDomain WAS WAS6 WinPopup Xen Xinetd ZFS aliyun-vpc-move-ip anything apache asterisk
aws-vpc-move-ip aws-vpc-route53 awseip awsvip azure-events azure-events-az azure-lb clvm
conntrackd corosync-qnetd crypt db2 dhcpd dnsupdate docker docker-compose dovecot dummypy eDir88
ethmonitor exportfs fio galera garbd gcp-ilb gcp-pd-move gcp-vpc-move-ip gcp-vpc-move-route
gcp-vpc-move-vip iSCSILogicalUnit iSCSITarget ids iface-bridge iface-macvlan iface-vlan ipsec
iscsi jboss jira kamailio ldirectord lvmlockd lxc lxd-info machine-info mariadb mdraid minio
mpathpersist mysql mysql-proxy nagios named nfsnotify nfsserver nginx nvmet-namespace nvmet-port
nvmet-subsystem ocivip openstack-cinder-volume openstack-floating-ip openstack-info
openstack-virtual-ip oraasm oracle oralsnr ovsmonitor pgagent pgsql pingd podman portblock postfix
pound proftpd rabbitmq-cluster rabbitmq-server-ha redis rkt rsyncd rsyslog scsi2reservation sfex
sg_persist slapd smb-share storage-mon sybaseASE symlink syslog-ng tomcat varnish vdo-vol vmware
vsftpd zabbixserver
"""
_PACEMAKER = """
ClusterMon Dummy HealthCPU HealthIOWait HealthSMART Stateful SysInfo attribute controld ifspeed
o2cb ping remote
"""
# Agents that start no unit behind anybody's back, by provider (resource-agents 4.12, Pacemaker).
_KNOWN = {
    "heartbeat": frozenset(_HEARTBEAT.split()),
    "pacemaker": frozenset(_PACEMAKER.split()),
    "linbit": frozenset({"drbd", "drbd-attr"}),
}


@dataclass(frozen=True)
class Runner:
    """A primitive and the units that it runs, or whose program it runs.

    Args:
        id: the primitive's.
        top: the outermost resource that it is in: its clone, group or bundle, or itself.
        agent: as pcs writes it, a template's where the primitive is made from one.
        units: names with their suffix, those of other distributions too.
        opaque: whether it may run other units besides, which nothing here says.
        sole: whether no second instance of the program may be beside it.
    """

    id: str
    top: str
    agent: str
    units: frozenset[str]
    opaque: bool = False
    sole: bool = False

    def fights(self, other: Runner) -> bool:
        """Whether two resources cannot be side by side: each would stop the other's process.

        Two of one ocf agent can: with a port and folders of its own each is another program.
        """
        alike = self.agent == other.agent and self.sole
        return alike or (bool(self.units & other.units) and (self.sole or other.sole))

    def __str__(self) -> str:
        inside = f" in {self.top}" if self.top != self.id else ""
        return f"{self.id}{inside} ({self.agent})"


@lru_cache(maxsize=4)  # it is asked for in many places, and a CIB never changes
def runners(cib: Cib) -> tuple[Runner, ...]:
    """Return every primitive with what it runs, at whatever depth it stands."""
    return tuple(_runner(cib, primitive) for primitive in cib.resources.iter("primitive"))


def desired_runner(primitive: Primitive) -> Runner:
    """Return what a primitive that is to be made will run."""
    units = _units(primitive.agent, list(primitive.parameters.items())) | {*primitive.runs}
    sole = bool(primitive.runs) or _is_unit(primitive.agent)
    return Runner(primitive.id, primitive.id, primitive.agent, units, sole=sole)


def find_runner(cib: Cib, unit: str) -> Runner | None:
    """Return the primitive that runs a unit or its program, whatever it is called; else None."""
    return next((runner for runner in runners(cib) if unit in runner.units), None)


def find_rival(cib: Cib, primitive: Primitive) -> Runner | None:
    """Return what already runs a desired primitive's unit, under another id or by another class."""
    own, element = desired_runner(primitive), cib.element(primitive.id)
    if element is not None and agent_of(element) == primitive.agent:
        return None
    found = (r for r in runners(cib) if r.units & own.units and r.fights(own))
    return next(found, None)


def template_of(unit: str) -> str:
    """Return the unit of which another one is an instance: redis-server@cache.service; or itself.

    Packages bring both together (systemd.unit(5)).
    """
    return _INSTANCE.sub("", unit)


def _is_unit(agent: str) -> bool:
    return agent.partition(":")[0] in _OF_UNITS


def _runner(cib: Cib, primitive: etree._Element) -> Runner:
    agent = cib.agent(primitive)
    parameters = [pair for part in cib.sources(primitive) for pair in _parameters(cib, part)]
    return Runner(
        id=primitive.get("id", ""),
        top=_top(cib, primitive),
        agent=agent,
        units=_units(agent, parameters),
        opaque=_opaque(agent),
        sole=_is_unit(agent),
    )


def _top(cib: Cib, primitive: etree._Element) -> str:
    element = primitive
    while (parent := element.getparent()) is not None and parent is not cib.resources:
        element = parent
    return str(element.get("id", ""))


def _parameters(cib: Cib, element: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield the parameters of all sets, those with rules and those referred to included."""
    for nvset in element.iterfind("instance_attributes"):
        for pair in _meant(cib, nvset).iter("nvpair"):
            meant = _meant(cib, pair)
            yield pair.get("name", meant.get("name", "")), meant.get("value", "")


def _meant(cib: Cib, element: etree._Element) -> etree._Element:
    """Return what an element with an id-ref stands for."""
    name = element.get("id-ref")
    every = cib.root.iter(element.tag) if name else ()
    return next((other for other in every if other.get("id") == name), element)


def _units(agent: str, parameters: list[tuple[str, str]]) -> frozenset[str]:
    standard, _, rest = agent.partition(":")
    kind = rest.rpartition(":")[2]
    if standard in _OF_UNITS:
        return frozenset({_unit_name(standard, kind)})
    if standard != "ocf":
        return frozenset()
    found = set(_BY_AGENT.get(kind, (f"{kind}.service",)))
    for name, value in parameters:
        found.update(_named(name, value, opaque=_opaque(agent)))
    return frozenset(found)


def _unit_name(standard: str, kind: str) -> str:
    """Return a unit's whole name; sysv-generator(8) calls a script's unit by its name without .sh.

    Pacemaker adds .service to what has no suffix of a unit, as systemctl(1) does.
    """
    name = kind.removesuffix(".sh") if standard == "lsb" else kind
    return name if _SUFFIX.search(name) else f"{name}.service"


def _named(name: str, value: str, *, opaque: bool) -> Iterator[str]:
    """Yield the units whose program, or of an agent of unknown origin whose name, a value is."""
    if name in _PROGRAM_PARAMETERS.split() or opaque:
        for word in _WORD.findall(value):
            yield from _BY_PROGRAM.get(word.rpartition("/")[2], ())
            if opaque and "/" not in word:
                yield _unit_name("systemd", word)


def _opaque(agent: str) -> bool:
    standard, _, rest = agent.partition(":")
    provider, _, kind = rest.rpartition(":")
    return not standard or (standard == "ocf" and kind not in _KNOWN.get(provider, ()))
