"""HAProxy on every node: the load balancer behind the services' VIPs."""

from __future__ import annotations

from pacefab.pacemaker.model import Clone, Configuration, Primitive
from pacefab.services.family import family_of
from pacefab.services.haproxy.config import endpoint, render_config
from pacefab.services.haproxy.section import SECRET, HaproxySection
from pacefab.services.probes import tcp
from pacefab.services.probes.tcp import Endpoint
from pacefab.services.service import AtStart, DesiredNode, Look, Port, Probe, Service, Site, whole

PACKAGE = "haproxy"
UNIT = "haproxy.service"
RESOURCE = "lb-haproxy"
CLONE = f"{RESOURCE}-clone"
CONFIG = "/etc/haproxy/haproxy.cfg"
SYSCTL = "/etc/sysctl.d/60-pacefab-haproxy.conf"

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
    private = {"mode": "600", "hidden": r"password \S+"} if section.stats else {}
    config = whole(CONFIG, text, check=("haproxy", "-c", "-f", "{}"), reload=UNIT, **private)
    ports = {proxy.port for proxy in section.proxies}
    if section.stats:
        ports.add(section.stats.port)
    return DesiredNode(
        packages=(PACKAGE,),
        files=(whole(SYSCTL, _SYSCTL_TEXT), config),
        units=(UNIT,),
        ports=tuple(Port(port) for port in sorted(ports)),
        kernel=KERNEL,
        at_start=(AtStart("haproxy", (PACKAGE,), (CONFIG,), reloaded=True),),
    )


def configuration(_section: HaproxySection, _site: Site) -> Configuration:
    """Return the clone. `interleave=true`: what follows it on a node waits for that node only."""
    primitive = Primitive(RESOURCE, "systemd:haproxy")
    return Configuration(resources=(Clone(CLONE, primitive, {"interleave": "true"}),))


def probes(section: HaproxySection, site: Site) -> list[Probe]:
    """Ask from every node whether each proxy accepts, and whether statistics need a password."""
    nodes = site.membership.names
    targets = [Endpoint(proxy.name, *endpoint(proxy, site)) for proxy in section.proxies]
    if section.stats:
        port = section.stats.port
        targets += [
            tcp.http(f"statistics of {name}", site.own_address(name), port, "/", 401)
            for name in nodes
        ]
    return [tcp.probe("HAProxy takes connections", name, targets) for name in nodes]


SERVICE = Service(
    "haproxy",
    HaproxySection,
    look=lambda _: Look(
        packages=(PACKAGE,),
        units=(UNIT,),
        files=(CONFIG, SYSCTL),
        kernel=tuple(KERNEL),
        processes=(PACKAGE,),
    ),
    node=node,
    configuration=configuration,
    probes=probes,
    secrets=lambda section: [SECRET] if section.stats else [],
    ids=lambda _: (CLONE,),
)
