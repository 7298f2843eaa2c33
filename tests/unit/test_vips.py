"""VIPs and the nodes' networks -> IPaddr2 resources, and what ties them to the load balancer."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import HostFacts, Interface
from pacefab.pacemaker.cib import parse
from pacefab.pacemaker.model import Colocation, Configuration, Member, Membership, Order, Primitive
from pacefab.services.service import Site
from pacefab.services.vips import service
from pacefab.services.vips.section import VipsSection
from tests.unit import captured

DB: dict[str, object] = {"name": "db", "address": "192.0.2.101"}
ETH0 = Interface("eth0", "10.0.0.1", 8)
ETH1 = Interface("eth1", "192.0.2.1", 24)


def node(name: str, *interfaces: Interface) -> HostFacts:
    return HostFacts(
        name=name,
        distribution="debian 12",
        memory_mib=512,
        family="debian",
        manager="apt-get",
        interfaces=interfaces,
    )


def configuration(
    first: tuple[Interface, ...] = (ETH0, ETH1),
    second: tuple[Interface, ...] = (ETH0, ETH1),
    *,
    addresses: tuple[dict[str, object], ...] = (DB,),
    sections: dict[str, Any] | None = None,
    with_load_balancer: bool = False,
    follows: str | None = None,
) -> Configuration:
    section = VipsSection.model_validate(
        {"addresses": addresses, "with_load_balancer": with_load_balancer, "follows": follows}
    )
    members = (Member("c1", ("10.0.0.1",)), Member("c2", ("10.0.0.2",)))
    site = Site(
        membership=Membership("cluster", members),
        facts={"c1": node("c1", *first), "c2": node("c2", *second)},
        sections=sections or {},
        secret=lambda name: name,
        promoted={"redis": "redis-clone"} if "redis" in (sections or {}) else {},
    )
    return service.configuration(section, site)


def parameters(*args: Any, **options: Any) -> dict[str, str]:
    (resource,) = configuration(*args, **options).resources
    assert isinstance(resource, Primitive)
    return dict(resource.parameters)


def test_interface_and_netmask_are_those_of_the_nodes_network() -> None:
    assert parameters() == {"ip": "192.0.2.101", "nic": "eth1", "cidr_netmask": "24"}


def test_an_interface_with_two_names_is_left_to_each_node() -> None:
    other = Interface("ens3", "192.0.2.2", 24)
    assert parameters(second=(ETH0, other)) == {"ip": "192.0.2.101", "cidr_netmask": "24"}


def test_what_the_inventory_says_needs_no_network() -> None:
    given = {**DB, "nic": "eth7", "netmask": 32}
    assert parameters((), (), addresses=(given,)) == {
        "ip": "192.0.2.101",
        "nic": "eth7",
        "cidr_netmask": "32",
    }


def test_the_narrowest_network_counts() -> None:
    wide = Interface("eth2", "192.0.0.1", 16)
    assert parameters((wide, ETH1), (ETH1, wide))["nic"] == "eth1"


def test_a_vip_that_is_up_is_no_network() -> None:
    up = Interface("eth9", "192.0.2.101", 32)
    assert parameters((ETH1, up), (ETH1,))["cidr_netmask"] == "24"


def test_ipv6() -> None:
    own = Interface("eth0", "2001:db8::1", 64)
    found = parameters((own,), (own,), addresses=({"name": "db", "address": "2001:db8::9"},))
    assert found == {"ip": "2001:db8::9", "nic": "eth0", "cidr_netmask": "64"}


def test_a_node_outside_the_network_is_named_with_its_networks() -> None:
    with pytest.raises(RefusedError) as refused:
        configuration(second=(ETH0,))
    assert refused.value.host == "c2"
    assert "10.0.0.0/8 on eth0" in refused.value.seen


def test_networks_of_two_sizes_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"\[24, 25\]"):
        configuration(second=(Interface("eth1", "192.0.2.2", 25),))


def test_a_nodes_own_address_is_refused() -> None:
    with pytest.raises(RefusedError, match="c2's own address"):
        configuration(addresses=({"name": "db", "address": "10.0.0.2"},))


def test_a_vip_runs_only_where_the_load_balancer_does() -> None:
    desired = configuration(with_load_balancer=True, sections={"haproxy": object()})
    assert desired.constraints == (
        Order("vip-db", "lb-haproxy-clone", kind="Optional"),
        Colocation("vip-db", "lb-haproxy-clone"),
    )


def test_without_a_load_balancer_it_cannot() -> None:
    with pytest.raises(UsageError, match="there is no service haproxy"):
        configuration(with_load_balancer=True)


FOLLOWS_REDIS = (
    Order("redis-clone", "vip-db", first_action="promote"),
    Colocation("vip-db", "redis-clone", with_role="Promoted"),
)


def test_a_vip_follows_the_promoted_instance() -> None:
    sections = {"redis": object(), "haproxy": object()}
    assert configuration(follows="redis", sections=sections).constraints == FOLLOWS_REDIS
    own: dict[str, object] = {"name": "web", "address": "192.0.2.102"}
    mixed = configuration(
        addresses=({**DB, "follows": "redis"}, own), sections=sections, with_load_balancer=True
    )
    assert mixed.constraints == (
        *FOLLOWS_REDIS,
        Order("vip-web", "lb-haproxy-clone", kind="Optional"),
        Colocation("vip-web", "lb-haproxy-clone"),
    )


@pytest.mark.parametrize(
    ("sections", "seen", "next_step"),
    [
        (
            {"memcached": object()},
            "vip-db follows redis, and there is no such service",
            "add the service redis",
        ),
        ({}, "vip-db follows redis, and there is no such service", "add the service redis"),
    ],
)
def test_what_is_not_there_cannot_be_followed(
    sections: dict[str, Any], seen: str, next_step: str
) -> None:
    with pytest.raises(UsageError, match=seen) as refused:
        configuration(follows="redis", sections=sections)
    assert next_step in refused.value.next_step


def test_a_service_without_promoted_instance_cannot_be_followed() -> None:
    sections = {"memcached": object(), "redis": object()}
    with pytest.raises(UsageError, match="has no promoted instance") as refused:
        configuration(follows="memcached", sections=sections)
    assert "follow one of: redis" in refused.value.next_step


@pytest.mark.parametrize(
    ("addresses", "seen"),
    [
        ((DB, {**DB, "name": "other"}), "two VIPs have the address 192.0.2.101"),
        ((DB, {**DB, "address": "192.0.2.9"}), "two VIPs have the name db"),
        (({**DB, "name": "vip-db"},), "leave vip- out"),
        ((), "addresses"),
    ],
)
def test_vips_that_cannot_be(addresses: tuple[dict[str, object], ...], seen: str) -> None:
    with pytest.raises(ValidationError, match=seen):
        VipsSection.model_validate({"addresses": addresses})


def probes(placed: dict[str, frozenset[str]]) -> list[tuple[str, str]]:
    """Return of which node each probe asks, and from where."""
    section = VipsSection.model_validate({"addresses": (DB,)})
    members = tuple(Member(f"c{n}", (f"10.0.0.{n}",)) for n in (1, 2, 3))
    facts = {member.name: node(member.name, ETH0) for member in members}
    site = Site(Membership("cluster", members), facts, {}, placed=placed)
    return [(probe.of, probe.node) for probe in service.SERVICE.probes(section, site)]


def test_a_vip_is_asked_from_the_nodes_that_do_not_have_it() -> None:
    assert probes({"vip-db": frozenset({"c2"})}) == [("c2", "c1"), ("c2", "c3")]
    assert probes({}) == [("", "c1"), ("", "c2"), ("", "c3")]
    assert probes({"vip-db": frozenset()}) == []


def test_a_vip_that_pacemaker_has_is_recognised_under_whatever_id() -> None:
    cib = parse(captured.text("debian12", "cib-mixed.xml"))
    section = service.SERVICE.found(cib)
    assert section is not None
    assert [(vip.resource, vip.address) for vip in section.addresses] == [("vip", "172.31.255.250")]
    assert service.SERVICE.found(parse(captured.text("debian12", "cib-empty.xml"))) is None
