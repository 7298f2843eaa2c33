"""The example of a service in one file: what it wants, and what the nodes' roles mean."""

from __future__ import annotations

import json

import pytest

from pacefab.host.model import HostFacts
from pacefab.pacemaker.model import Member, Membership
from pacefab.services import redis
from pacefab.services.redis import RedisSection
from pacefab.services.service import Reading, Site
from tests.unit import captured

MEMBERS = tuple(Member(f"c{n}", (f"172.30.0.1{n}",)) for n in (1, 2, 3))
LEADS = captured.text("debian12", "redis-leader.txt")
FOLLOWS = captured.text("debian12", "redis-follower.txt")


def site(family: str = "debian") -> Site:
    facts = {
        member.name: HostFacts(
            name=member.name, distribution="x", memory_mib=512, family=family, manager="dnf"
        )
        for member in MEMBERS
    }
    return Site(Membership("cluster", MEMBERS), facts, {}, lambda name: name)


def read(text: str = "", error: str = "") -> Reading:
    """Return what the first node's probe reads of an answer."""
    probe = next(iter(redis.probes(RedisSection(), site())))
    answer = {"error": error} if error else {"text": text}
    return probe.read(captured.section("tcp", json.dumps([answer])))


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


def test_each_node_is_asked_from_its_neighbour() -> None:
    asked = [(probe.of, probe.node, probe.at) for probe in redis.probes(RedisSection(), site())]
    assert asked == [
        ("c1", "c2", "172.30.0.11:6379"),
        ("c2", "c3", "172.30.0.12:6379"),
        ("c3", "c1", "172.30.0.13:6379"),
    ]


def test_figures_of_a_leader_and_of_a_follower() -> None:
    leader, follower = read(LEADS), read(FOLLOWS)
    assert (leader.wrong, follower.wrong) == ("", "")
    assert leader.figures["role"] == "master"
    assert leader.figures["connected_replicas"] == 2
    assert leader.figures["version"] == "7.0.15"
    assert "replication_lag_seconds" not in leader.figures
    assert follower.figures["role"] == "slave"
    assert float(follower.figures["replication_lag_seconds"]) >= 0
    assert float(follower.figures["used_memory_bytes"]) > 1_000_000


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (LEADS.replace("connected_slaves:2", "connected_slaves:1"), "1 of 2 follow it"),
        (FOLLOWS.replace("link_status:up", "link_status:down"), "link to the leader is down"),
        ("-NOAUTH Authentication required.\n", "NOAUTH"),
        ("", "it said ''"),
    ],
)
def test_an_answer_that_is_no_service(answer: str, wrong: str) -> None:
    assert wrong in read(answer).wrong


def test_one_that_hangs_or_is_gone() -> None:
    assert read(error="timeout").wrong == "timed out after 2 s"
    assert read(error="ECONNREFUSED").wrong == "connection refused"
