"""Redis' section and site -> files, resource, and what an instance's answer means."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import HostFacts
from pacefab.pacemaker.model import Clone, Member, Membership
from pacefab.services.probes.probe import Probe, Reading
from pacefab.services.redis.section import RedisSection
from pacefab.services.redis.service import SERVICE
from pacefab.services.service import File, Site
from pacefab.services.vips.section import VipsSection
from pacefab.transport.command import Section

MEMBERS = tuple(Member(f"c{n}", (f"172.30.0.1{n}",)) for n in (1, 2, 3))
PASSWORD = "open sesame".replace(" ", "-")
# Of INFO, Redis 7.0.15 on Debian 12.
LEADS = {
    "role": "master",
    "connected_slaves": "2",
    "slave0": "ip=172.30.0.12,port=6379,state=online,offset=2030,lag=1",
    "slave1": "ip=172.30.0.13,port=6379,state=online,offset=2000,lag=0",
    "master_repl_offset": "2030",
    "used_memory": "1069600",
}
FOLLOWS = {
    "role": "slave",
    "master_host": "c1",
    "master_link_status": "up",
    "connected_slaves": "0",
    "used_memory": "1012960",
}


def site(*, family: str = "debian", distribution: str = "debian 12", **options: Any) -> Site:
    facts = {
        member.name: HostFacts(
            name=member.name,
            distribution=distribution,
            memory_mib=512,
            family=family,
            manager="dnf",
        )
        for member in MEMBERS
    }
    options = {"sections": {}, "secret": lambda _: PASSWORD, **options}
    return Site(Membership("cluster", MEMBERS), facts, **options)


def config(section: RedisSection, where: Site) -> File:
    return SERVICE.node(section, where, "c2").files[-1]


def lines(where: Site, **settings: Any) -> list[str]:
    return config(RedisSection(**settings), where).render(None).splitlines()


def probes(**options: Any) -> list[Probe]:
    return list(SERVICE.probes(RedisSection(), site(**options)))


def read(probe: Probe, info: dict[str, str]) -> Reading:
    return probe.read({"redis": Section("redis", 0, json.dumps({"info": info}), "")})


def test_it_listens_to_the_nodes_own_address_and_asks_for_the_password() -> None:
    text = lines(site(), memory=64)
    assert {"bind 127.0.0.1 172.30.0.12", f"requirepass {PASSWORD}", f"masterauth {PASSWORD}"} <= {
        *text
    }
    assert "maxmemory 64mb" in text
    assert not [line for line in text if line.startswith("protected-mode no")]


def test_the_password_is_seen_by_redis_alone() -> None:
    file = config(RedisSection(), site())
    assert (file.mode, file.owner) == ("640", "root:redis")
    assert PASSWORD not in re.sub(file.hidden, "hidden", file.render(None))
    asked = [word for probe in probes() for step in probe.steps for word in step.argv]
    assert asked
    assert not [word for word in (*asked, *file.apply) if PASSWORD in word]


@pytest.mark.parametrize("password", ["two words", 'a"quote', "a'quote"])
def test_a_password_that_the_agent_cannot_read_is_refused_without_showing_it(password: str) -> None:
    with pytest.raises(UsageError) as refused:
        lines(site(secret=lambda _: password))
    assert password not in str(refused.value)


@pytest.mark.parametrize(("given", "written"), [(None, 1), (0, 0), (2, 2)])
def test_a_write_needs_followers(given: int | None, written: int) -> None:
    assert f"min-replicas-to-write {written}" in lines(site(), min_replicas=given)


@pytest.mark.parametrize(
    ("family", "distribution", "package", "agent_user"),
    [
        ("debian", "debian 13", "redis-server", None),
        ("rhel", "centos 9", "redis", None),
        ("rhel", "centos 10", "valkey", "valkey"),
        ("rhel", "rocky 10.1", "valkey", "valkey"),
    ],
)
def test_valkey_where_the_distribution_has_no_redis(
    family: str, distribution: str, package: str, agent_user: str | None
) -> None:
    where = site(family=family, distribution=distribution)
    desired = SERVICE.node(RedisSection(), where, "c1")
    assert desired.packages == (package,)
    (clone,) = SERVICE.configuration(RedisSection(), where).resources
    assert isinstance(clone, Clone)
    assert clone.primitive.parameters.get("user") == agent_user
    assert clone.primitive.parameters["config"] == desired.files[0].path
    look = SERVICE.look(RedisSection())
    assert set(desired.packages) <= set(look.packages)
    assert set(desired.units) <= set(look.units)


def test_valkey_can_be_chosen() -> None:
    desired = SERVICE.node(RedisSection(software="valkey"), site(), "c1")
    assert desired.packages == ("valkey-server",)
    assert desired.files[0].owner == "root:valkey"


def test_distributions_that_offer_different_ones_are_refused() -> None:
    mixed = site(family="rhel", distribution="centos 9")
    facts = dict(mixed.facts)
    facts["c3"] = site(family="rhel", distribution="centos 10").facts["c3"]
    with pytest.raises(RefusedError, match="valkey"):
        SERVICE.configuration(RedisSection(), Site(mixed.membership, facts, {}, mixed.secret))


def test_each_instance_is_asked_from_its_neighbour() -> None:
    assert [(probe.node, probe.of, probe.resource) for probe in probes()] == [
        ("c2", "c1", "redis"),
        ("c3", "c2", "redis"),
        ("c1", "c3", "redis"),
    ]
    placed = {"redis": frozenset({"c1", "c2"})}
    assert [probe.of for probe in probes(placed=placed)] == ["c1", "c2"]


def test_one_leads_and_the_others_follow() -> None:
    first, second, _ = probes()
    leads, follows = read(first, LEADS), read(second, FOLLOWS)
    assert not leads.wrong
    assert leads.figures == {
        "role": "master",
        "connected_replicas": 2,
        "used_memory_bytes": 1069600,
        "lag_bytes": 30,
    }
    assert not follows.wrong
    assert follows.figures["master_link_up"] == 1


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({**LEADS, "connected_slaves": "1"}, "1 of 2 others follow it"),
        ({**LEADS, "slave1": "ip=172.30.0.13,port=6379,state=wait_bgsave,offset=0,lag=0"}, "1 of"),
        ({**FOLLOWS, "master_link_status": "down"}, "it follows c1, and the link to it is down"),
    ],
)
def test_replication_that_is_broken(info: dict[str, str], words: str) -> None:
    assert words in read(probes()[0], info).wrong


def test_who_leads_is_stopped_when_its_followers_answer_it() -> None:
    (probe,) = SERVICE.before_stop(RedisSection(), site(), "c1")
    assert not read(probe, LEADS).wrong
    assert not read(probe, FOLLOWS).wrong
    late = {**LEADS, "slave1": "ip=172.30.0.13,port=6379,state=online,offset=10,lag=7"}
    assert "172.30.0.13 7 s ago" in read(probe, late).wrong


def test_an_error_of_redis_is_what_is_wrong() -> None:
    refused = "NOREPLICAS Not enough good replicas to write."
    section = Section("redis", 0, json.dumps({"error": refused}), "")
    assert probes()[0].read({"redis": section}).wrong == refused
    assert probes()[0].read({}).wrong == "no answer"


def test_a_vip_that_follows_has_to_lead_to_the_master() -> None:
    vips = VipsSection.model_validate(
        {"follows": "redis", "addresses": ({"name": "redis", "address": "172.30.0.99"},)}
    )
    sections = {"redis": RedisSection(), "vips": vips}
    assert "bind 127.0.0.1 172.30.0.12 172.30.0.99" in lines(site(sections=sections))
    desired = SERVICE.node(RedisSection(), site(sections=sections), "c1")
    assert desired.kernel["net.ipv4.ip_nonlocal_bind"] == "1"
    *_, probe = probes(sections=sections)
    assert "172.30.0.99" in probe.steps[0].argv[-1]
    assert not read(probe, LEADS).wrong
    assert "is a slave, not the master" in read(probe, FOLLOWS).wrong
