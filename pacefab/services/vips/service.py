"""VIPs: virtual IP addresses (ocf:heartbeat:IPaddr2), alone, or where something else runs."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import partial

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import HostFacts, Interface
from pacefab.pacemaker.model import Colocation, Configuration, Constraint, Order, Primitive
from pacefab.services.figures import Figure
from pacefab.services.probes import tcp
from pacefab.services.probes.probe import Endpoint, Probe, Reading
from pacefab.services.service import Service, Site
from pacefab.services.vips.found import AGENTS, find_section
from pacefab.services.vips.section import Vip, VipsSection, misfits
from pacefab.transport.command import Section

AGENT = "ocf:heartbeat:IPaddr2"
LOAD_BALANCER = "lb-haproxy-clone"
_SSH = 22  # firewalls let it through, and every node listens to it or refuses


def configuration(section: VipsSection, site: Site) -> Configuration:
    """Return a primitive for each VIP, and what ties it to the load balancer.

    Raises:
        RefusedError: a node has no network for an address, or has the address itself.
        UsageError: VIPs are to run with a load balancer, and the inventory has none.
    """
    if section.with_load_balancer and "haproxy" not in site.sections:
        raise UsageError(
            "read the inventory",
            "services: vips: with_load_balancer: true, and there is no service haproxy",
            "add haproxy to services, or write with_load_balancer: false",
        )
    resources = tuple(_primitive(vip, section, site) for vip in section.addresses)
    tied = (constraint for vip in section.addresses for constraint in _ties(vip, section, site))
    return Configuration(resources=resources, constraints=tuple(tied))


def _ties(vip: Vip, section: VipsSection, site: Site) -> tuple[Constraint, ...]:
    """Return what ties a VIP to a service; one that follows one needs no load balancer."""
    name = vip.resource
    followed = section.followed_by(vip)
    if followed:
        clone = _promoted(name, followed, site)
        return (
            Order(clone, name, first_action="promote"),
            Colocation(name, clone, with_role="Promoted"),
        )
    if section.with_load_balancer:
        # As the classic scripts say: before it, if both start; and only where it runs.
        return (Order(name, LOAD_BALANCER, kind="Optional"), Colocation(name, LOAD_BALANCER))
    return ()


def _promoted(vip: str, service: str, site: Site) -> str:
    """Return the promotable clone of a service.

    Raises:
        UsageError: the inventory has no such service, or none of its instances is promoted.
    """
    if service not in site.promoted:
        there = service in site.sections
        can = ", ".join(site.promoted)
        raise UsageError(
            "read the inventory",
            f"services: vips: {vip} follows {service}, "
            + ("which has no promoted instance" if there else "and there is no such service"),
            f"follow one of: {can}" if can else "add the service redis to services",
        )
    return site.promoted[service]


def _primitive(vip: Vip, section: VipsSection, site: Site) -> Primitive:
    """Return the VIP's resource; nic and netmask that were not given come from the nodes.

    IPaddr2 would take both from the routing table, which may differ from node to node. nic is
    written when it has one name on all nodes.
    """
    _check_free(vip, site)
    known = {"nic": vip.nic, "cidr_netmask": vip.netmask}
    if None in known.values():
        found = [_interface(vip, section, name, facts) for name, facts in site.facts.items()]
        nics = {interface.name for interface in found}
        netmasks = {interface.prefix for interface in found}
        if len(netmasks) > 1 and vip.netmask is None:
            raise _refused(vip, f"the nodes' networks have prefixes of {sorted(netmasks)}")
        known["nic"] = vip.nic or (nics.pop() if len(nics) == 1 else None)
        known["cidr_netmask"] = vip.netmask or netmasks.pop()
    parameters = {"ip": vip.address, **{key: str(value) for key, value in known.items() if value}}
    return Primitive(vip.resource, AGENT, parameters)


def _check_free(vip: Vip, site: Site) -> None:
    for member in site.membership.members:
        if vip.address in member.addresses:
            raise _refused(vip, f"it is {member.name}'s own address")


def _interface(vip: Vip, section: VipsSection, name: str, facts: HostFacts) -> Interface:
    """Return the node's own address that is in the VIP's network, the narrowest if several are.

    VIPs that are up count for nothing: with a netmask of their own they would be a network.
    """
    address = ipaddress.ip_address(vip.address)
    vips = {other.address for other in section.addresses}
    own = [interface for interface in facts.interfaces if interface.address not in vips]
    fitting = [
        interface
        for interface in own
        if address in _network(interface) and vip.nic in {None, interface.name}
    ]
    if not fitting:
        networks = ", ".join(f"{_network(interface)} on {interface.name}" for interface in own)
        raise _refused(vip, f"the node's networks are {networks or 'none'}", host=name)
    return max(fitting, key=lambda interface: interface.prefix)


def _network(interface: Interface) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(f"{interface.address}/{interface.prefix}", strict=False)


def _refused(vip: Vip, seen: str, host: str | None = None) -> RefusedError:
    return RefusedError(
        f"find the network of {vip.resource}, {vip.address}",
        seen,
        "fix the address in the inventory (services: vips), or give nic and netmask there",
        host=host,
    )


def probes(section: VipsSection, site: Site) -> list[Probe]:
    """Ask from every node but its own whether a host has each VIP; being refused shows it too."""
    return [
        Probe(
            f"{vip.resource} answers", asker, (), partial(_judge, target),
            resource=vip.resource, of=owner, at=vip.address, endpoints=(target,),
        )
        for vip in section.addresses
        for owner in _owners(vip, site)
        for target in [Endpoint(vip.resource, vip.address, _SSH, refused=True)]
        for asker in _askers(owner, site)
    ]  # fmt: skip


def _owners(vip: Vip, site: Site) -> tuple[str, ...]:
    """Return the node that has the VIP; an empty name where it may be any."""
    return site.instances(vip.resource) if vip.resource in site.placed else ("",)


def _askers(owner: str, site: Site) -> tuple[str, ...]:
    others = tuple(n for n in site.membership.names if n != owner and n in site.facts)
    return others or site.membership.names


def _judge(target: Endpoint, sections: Mapping[str, Section]) -> Reading:
    found = tcp.answers([target], sections)
    if isinstance(found, str):
        return Reading(found)
    return Reading(found[target].wrong, {"address": target.address})


def _needs(section: VipsSection) -> list[str]:
    followed = [name for vip in section.addresses if (name := section.followed_by(vip))]
    return [*followed, *(["haproxy"] if section.with_load_balancer else [])]


SERVICE = Service(
    "vips",
    VipsSection,
    configuration=configuration,
    probes=probes,
    ids=lambda section: tuple(vip.resource for vip in section.addresses),
    agents=AGENTS,
    found=find_section,
    figures=(Figure("address", "The virtual IP address", "info", column="address"),),
    misfits=misfits,
    needs=_needs,
)
