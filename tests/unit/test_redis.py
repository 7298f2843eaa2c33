"""The example of a service in one file: what it wants, and what the nodes' roles mean."""

from __future__ import annotations

from pacefab.host.model import HostFacts
from pacefab.pacemaker.model import Member, Membership
from pacefab.services import redis
from pacefab.services.redis import RedisSection
from pacefab.services.service import Site
from pacefab.transport.command import Section

MEMBERS = tuple(Member(f"c{n}", (f"172.30.0.1{n}",)) for n in (1, 2, 3))
# redis-cli -h ADDRESS role, Redis 8.0 on Debian 13
LEADS = "master\n644\n172.30.0.12\n6379\n644\n172.30.0.11\n6379\n644\n"
FOLLOWS = "slave\nc3\n6379\nconnected\n644\n"


def site(family: str = "debian") -> Site:
    facts = {
        member.name: HostFacts(
            name=member.name, distribution="x", memory_mib=512, family=family, manager="dnf"
        )
        for member in MEMBERS
    }
    return Site(Membership("cluster", MEMBERS), facts, {}, lambda name: name)


def judge(*roles: str) -> str:
    (probe,) = redis.probes(RedisSection(), site())
    names = [member.name for member in MEMBERS]
    sections = {
        name: Section(name, 0, role, "") for name, role in zip(names, roles, strict=True) if role
    }
    return probe.read(sections).wrong


def test_it_listens_to_the_nodes_own_address() -> None:
    (file,) = redis.node(RedisSection(memory=64), site(), "c2").files
    assert "bind 127.0.0.1 172.30.0.12\n" in file.render(None)
    assert "maxmemory 64mb\n" in file.render(None)


def test_each_family_has_its_names() -> None:
    for family in ("debian", "rhel"):
        desired = redis.node(RedisSection(), site(family), "c1")
        look = redis.SERVICE.look(RedisSection())
        assert set(desired.packages) <= set(look.packages)
        assert set(desired.units) <= set(look.units)


def test_one_leads_and_the_others_follow() -> None:
    assert not judge(FOLLOWS, FOLLOWS, LEADS)


def test_roles_that_do_not_serve() -> None:
    for roles in (
        (FOLLOWS, FOLLOWS, FOLLOWS),
        (LEADS, FOLLOWS, LEADS),
        (FOLLOWS, FOLLOWS.replace("connected", "connect"), LEADS),
        (FOLLOWS, "", LEADS),
        (FOLLOWS, "Could not connect to Redis at 172.30.0.12:6379: Connection refused", LEADS),
    ):
        assert "one node should lead" in judge(*roles)
