"""Hosts in every state -> what makes one cluster of them, or why that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import Absent, HostFacts, Interface, Program, Unit
from pacefab.pacemaker.model import Member, Membership
from pacefab.pacemaker.placement.remote import Beside
from pacefab.workflows.formation.bootstrap import check_fencing
from pacefab.workflows.formation.plan import (
    COROSYNC,
    PACEMAKER,
    PACKAGES,
    PCSD,
    Candidate,
    Formation,
    plan_formation,
)

INSTALLED = dict.fromkeys(PACKAGES, "1.0")
NAMES = ("c1", "c2", "c3")
IPMI = Program("/usr/sbin/fence_ipmilan", ("fence-agents-ipmilan", "fence-agents"))


def desired(*names: str, cluster: str = "mine") -> Membership:
    members = (Member(name, (f"192.0.2.1{name[1:]}",)) for name in names or NAMES)
    return Membership(cluster, tuple(members))


def unit(name: str, *, up: bool) -> Unit:
    active, enabled = ("active", "enabled") if up else ("inactive", "disabled")
    return Unit(name, "loaded", active, enabled, 0)


def host(
    name: str,
    membership: Membership | None = None,
    *,
    running: bool | None = None,
    packages: Mapping[str, str | None] = INSTALLED,
    resources: tuple[str, ...] = (),
) -> Candidate:
    """Return a host; one that is a member runs, unless it is said not to."""
    up = membership is not None if running is None else running
    units = {n: unit(n, up=up) for n in (COROSYNC, PACEMAKER)}
    facts = HostFacts(
        name, "debian 12", 4096, family="debian", manager="apt-get", packages=packages,
        interfaces=(Interface("eth0", f"192.0.2.1{name[1:]}", 24),),
        units=units | {PCSD: unit(PCSD, up=True)},
    )  # fmt: skip
    return Candidate(name, facts, membership, resources)


def bare(name: str) -> Candidate:
    return host(name, packages={})


def plan(*hosts: Candidate, of: Membership | None = None) -> Formation:
    return plan_formation(of or desired(), {one.name: one for one in hosts})


def refusal(*hosts: Candidate, of: Membership | None = None) -> str:
    with pytest.raises(RefusedError) as error:
        plan(*hosts, of=of)
    return f"{error.value.host or ''} {error.value.seen} {error.value.next_step}"


def test_bare_hosts_are_set_up() -> None:
    found = plan(*map(bare, NAMES))
    assert (found.setup, found.start, found.join) == (NAMES, NAMES, ())
    assert found.prepare == dict.fromkeys(NAMES, PACKAGES)
    assert "cluster mine set up of c1, c2, c3" in found.sentences()


def test_the_repository_that_el_leaves_off_is_enabled_where_a_package_is_missing() -> None:
    off = {"baseos": True, "highavailability": False}

    def el(one: Candidate) -> Candidate:
        facts = replace(
            one.facts, distribution="centos 9", family="rhel", manager="dnf", repositories=off
        )
        return replace(one, facts=facts)

    found = plan(el(bare("c1")), el(host("c2")), el(bare("c3")))
    assert found.repositories == {"c1": "highavailability", "c3": "highavailability"}
    assert found.sentences()[:2] == (
        "c1: repository highavailability enabled",
        "c3: repository highavailability enabled",
    )
    assert found.sentences()[2] == "c1: pacemaker, corosync, pcs, resource-agents, pcsd ready"


def test_what_stands_is_left_alone() -> None:
    found = plan(*(host(name, desired()) for name in NAMES))
    assert not found
    assert found.sentences() == ()


def test_more_members_than_the_inventory_has_are_none_of_our_business() -> None:
    assert not plan(*(host(name, desired(*NAMES, "c4")) for name in NAMES))


def test_a_bare_host_joins() -> None:
    others = [host(name, desired("c1", "c2")) for name in ("c1", "c2")]
    found = plan(*others, bare("c3"))
    assert (found.setup, found.start, found.forget, found.join) == ((), (), (), ("c3",))
    assert list(found.prepare) == ["c3"]


def test_a_reinstalled_member_is_forgotten_first() -> None:
    found = plan(host("c1", desired()), host("c2", desired()), bare("c3"))
    assert (found.forget, found.join) == (("c3",), ("c3",))


def test_a_setup_that_reached_some_hosts_only_is_begun_anew() -> None:
    found = plan(host("c1", desired(), running=False), host("c2"), host("c3"))
    assert (found.setup, found.join) == (NAMES, ())


def test_a_stopped_cluster_with_resources_is_started_not_set_up() -> None:
    stopped = [host(n, desired(), running=False, resources=("db",)) for n in ("c1", "c2")]
    found = plan(*stopped, bare("c3"))
    assert (found.setup, found.start, found.join) == ((), ("c1", "c2"), ("c3",))


def test_a_member_that_starts_yet_is_waited_for() -> None:
    yet = replace(host("c1", desired()), starting=True)
    found = plan(yet, *(host(name, desired()) for name in ("c2", "c3")))
    assert (found.setup, found.start, found.join) == ((), ("c1",), ())


def test_a_member_that_lacks_a_fence_agent_gets_its_package_and_nothing_else() -> None:
    facts = replace(
        host("c1", desired()).facts, absent={IPMI.path: Absent("fence-agents", installed=False)}
    )
    lacking = replace(host("c1", desired()), facts=facts, programs=(IPMI,))
    found = plan(lacking, host("c2", desired()), host("c3", desired()))
    assert found.prepare == {"c1": ("fence-agents",)}
    assert (found.setup, found.start, found.join) == ((), (), ())
    assert not lacking.desired.units  # they run, and must go on


def test_another_clusters_host_is_named_with_its_cluster() -> None:
    other = host("c2", desired("c2", "c9", cluster="other"))
    assert "c2 runs in cluster other (c2, c9)" in refusal(bare("c1"), other, bare("c3"))


def test_another_cluster_of_the_same_name() -> None:
    other = host("c2", desired("c8", "c9"))
    assert "another one of that name, of c8, c9" in refusal(bare("c1"), other, bare("c3"))


def test_a_cib_with_resources_and_no_cluster_is_somebodys() -> None:
    somebodys = host("c2", resources=("db", "vip"))
    assert "configuration of its own: db, vip" in refusal(bare("c1"), somebodys, bare("c3"))


def test_running_nodes_that_disagree() -> None:
    seen = refusal(host("c1", desired()), host("c2", desired()), host("c3", desired("c2", "c3")))
    assert "do not agree" in seen
    assert "c3 knows c2, c3" in seen
    assert "pcs cluster sync" in seen


def test_a_node_that_was_taken_out_while_it_was_off() -> None:
    stay = [host(name, desired("c1", "c2")) for name in ("c1", "c2")]
    assert "c3 was taken out: run `pcs cluster destroy`" in refusal(*stay, host("c3", desired()))


def test_an_address_is_needed_where_a_host_has_several() -> None:
    one = Membership("mine", (Member("c1", ()),))
    (member,) = plan(bare("c1"), of=one).members
    assert member.addresses == ("192.0.2.11",)
    two = bare("c1")
    both = (*two.facts.interfaces, Interface("eth1", "198.51.100.1", 24))
    object.__setattr__(two.facts, "interfaces", both)
    assert "c1 it has 2 addresses" in refusal(two, of=one)


def test_without_a_word_on_fencing_it_is_explained() -> None:
    check_fencing(decided=True)
    with pytest.raises(UsageError, match="corrupt data"):
        check_fencing(decided=False)


def test_a_host_that_the_cluster_reaches_as_a_remote_node_is_no_member() -> None:
    mine = desired("c1", "c2")
    reached = (Beside("edge", "remote", "192.0.2.13"), Beside("g1", "guest", "g1.example.com"))
    members = [replace(host(name, mine), reached=reached) for name in ("c1", "c2")]
    said = refusal(*members, bare("c3"))
    assert "c3 it is the remote node edge of the cluster" in said
    assert "{name: edge, role: remote}" in said
    asked = replace(host("c3", resources=("db", "edge")), reached=reached)  # it passes it on
    assert "c3 it is the remote node edge of the cluster" in refusal(*members, asked)
    elsewhere = [replace(each, reached=reached[1:]) for each in members]
    assert plan(*elsewhere, bare("c3")).join == ("c3",)


def test_a_cluster_that_is_called_otherwise_is_renamed_by_pcs_or_in_the_inventory() -> None:
    said = refusal(*(host(name, desired(cluster="old")) for name in NAMES))
    assert "c1 runs in cluster old (c1, c2, c3)" in said
    assert "write cluster: old" in said
    assert "pcs cluster rename mine" in said
    # With a bare host beside it, it may as well be another one.
    others = [host(name, desired("c1", "c2", cluster="old")) for name in ("c1", "c2")]
    said = refusal(*others, bare("c3"))
    assert "c1 runs in cluster old (c1, c2)" in said
    assert "rename" not in said


def test_a_node_that_is_called_otherwise_cannot_be_renamed() -> None:
    renamed = replace(host("c3", desired()), name="db-3")
    of = desired("c1", "c2")
    of = replace(of, members=(*of.members, Member("db-3", ("192.0.2.13",))))
    said = refusal(*(host(name, desired()) for name in ("c1", "c2")), renamed, of=of)
    assert "db-3 it is the node c3 of cluster mine, and the inventory calls it db-3" in said
    assert "write name: c3" in said
    assert "fab remove-node --node c3" in said
    assert "fab add-node --node db-3" in said
