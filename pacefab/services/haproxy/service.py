"""HAProxy on every node: the load balancer behind the services' VIPs."""

from __future__ import annotations

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.pacemaker.ownership import find_runner
from pacefab.services.family import family_of
from pacefab.services.haproxy import in_force, probes, stats
from pacefab.services.haproxy.config import render_config
from pacefab.services.haproxy.section import SECRET, HaproxySection, misfits
from pacefab.services.service import AtStart, DesiredNode, Look, Port, Service, Site, whole

PACKAGE = "haproxy"
UNIT = "haproxy.service"
AGENT = "systemd:haproxy"
RESOURCE = "lb-haproxy"
CLONE = f"{RESOURCE}-clone"
CONFIG = "/etc/haproxy/haproxy.cfg"
SYSCTL = "/etc/sysctl.d/60-pacefab-haproxy.conf"
# SELinux's policy lets it bind and connect to ports of its own alone, or with this to every port.
BOOLEAN = "haproxy_connect_any"

# HAProxy listens at the VIPs, and most of them are on other nodes.
KERNEL = {"net.ipv4.ip_nonlocal_bind": "1", "net.ipv6.ip_nonlocal_bind": "1"}
_SYSCTL_TEXT = "\n".join(
    [
        "# Written by pacefab: HAProxy listens at the VIPs, and most of them are on other nodes.",
        *(f"{name} = {value}" for name, value in KERNEL.items()),
        "",
    ]
)


def node(section: HaproxySection, site: Site, name: str) -> DesiredNode:
    """Return what one node is to have; the kernel's settings let HAProxy start."""
    text = render_config(section, site, name, family_of(site.facts[name]))
    check = ("haproxy", "-c", "-f", "{}")
    mode = "600" if section.stats else "644"
    config = whole(CONFIG, text, check=check, reload=UNIT, mode=mode, hidden=r"password \S+")
    ports = {Port(proxy.port, clients=True) for proxy in section.proxies}
    if section.stats and section.stats.port not in {port.number for port in ports}:
        ports.add(Port(section.stats.port))
    in_force.check(site.facts[name], UNIT, CONFIG)
    return DesiredNode(
        packages=(PACKAGE,),
        files=(whole(SYSCTL, _SYSCTL_TEXT), config),
        units=(UNIT,),
        ports=tuple(sorted(ports, key=lambda port: port.number)),
        kernel=KERNEL,
        booleans=(BOOLEAN,),
        at_start=(AtStart("haproxy", (PACKAGE,), (CONFIG,), reloaded=True),),
    )


def configuration(_section: HaproxySection, _site: Site) -> Configuration:
    """Return the clone. `interleave=true`: what follows it on a node waits for that node only."""
    primitive = Primitive(RESOURCE, AGENT)
    return Configuration(resources=(Clone(CLONE, primitive, {"interleave": "true"}),))


def _found(cib: Cib) -> HaproxySection | None:
    """Return a section without proxies: its configuration is not in the CIB."""
    return HaproxySection.model_construct(proxies=()) if find_runner(cib, UNIT) else None


SERVICE = Service(
    "haproxy",
    HaproxySection,
    look=lambda _: Look(
        packages=(PACKAGE,),
        units=(UNIT,),
        files=(CONFIG, SYSCTL, *in_force.ENVIRONMENT),
        kernel=tuple(KERNEL),
        processes=(PACKAGE,),
        booleans=(BOOLEAN,),
    ),
    node=node,
    configuration=configuration,
    probes=lambda section, site: tuple(probes.probes(section, site, RESOURCE)),
    secrets=lambda section: [SECRET] if section.stats else [],
    ids=lambda _: (CLONE,),
    units=(UNIT,),
    found=_found,
    figures=stats.FIGURES,
    misfits=misfits,
    needs=lambda section: [p.check for p in section.proxies if p.check == "galera"],
)
