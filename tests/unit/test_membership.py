"""Who is a member, and what it is called: corosync.conf, Pacemaker's CIB, several nodes' words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pacefab.pacemaker import cib
from pacefab.pacemaker.members import corosync
from pacefab.pacemaker.members.membership import Claim, completed, difference, find_members, named
from pacefab.pacemaker.model import Member, Membership
from tests.unit import captured

RESOLVED = {"c1": "10.0.0.1", "c2": "10.0.0.2", "c3": "10.0.0.3"}
CONF = captured.text("debian12", "corosync.conf")
PROD = corosync.parse(CONF, RESOLVED)
NAMES = ("c1", "c2", "c3")


def without_names(text: str) -> str:
    """Return a file as public guides have it: addresses, and no name: lines."""
    text = re.sub(r"(?m)^ *name:.*\n", "", text)
    return re.sub(r"ring0_addr: c(.)", r"ring0_addr: 10.0.0.\1", text)


def reversed_nodes(text: str) -> str:
    """Return the file with the blocks of its nodelist in reverse."""
    blocks = re.findall(r"(?ms)^    node \{.*?^    \}\n", text)
    turned = iter(reversed(blocks))
    return re.sub(r"(?ms)^    node \{.*?^    \}\n", lambda _: next(turned), text)


def claim(membership: Membership | None, number: int, name: str = "") -> Claim:
    return Claim(membership, (f"10.0.0.{number}",), name or f"c{number}")


@pytest.mark.parametrize("kind", captured.KINDS)
def test_names_are_pacemakers_by_node_id(kind: str) -> None:
    conf = captured.text(kind, "corosync.conf")
    names = cib.parse_names(captured.text(kind, "cib-clone.xml"))
    assert names == {"1": "c1", "2": "c2", "3": "c3"}
    found = corosync.parse(without_names(conf), {})
    assert found.names == ("10.0.0.1", "10.0.0.2", "10.0.0.3")
    assert named(found, names).names == NAMES


def test_remote_and_guest_nodes_are_no_members_of_corosync() -> None:
    text = captured.text("debian12", "cib-clone.xml")
    remote = '<node type="remote" id="r1" uname="r1"/></nodes>'
    assert "r1" not in cib.parse_names(text.replace("</nodes>", remote))


@pytest.mark.parametrize(
    "spelled",
    [
        reversed_nodes(CONF),
        CONF.replace("\n", "\r\n"),
        re.sub(r"(?m)$", "  \t", CONF),
        re.sub(r"(?m)^ *", "", CONF),
        CONF.replace("{", "{ ").replace("node {", "node{"),
        "# nodelist { }\n" + CONF.replace("nodelist {", "nodelist {\n  # node {\n"),
        CONF.replace("    }\n\n    node {", "    }\n}\n\nnodelist {\n    node {"),
        CONF.replace("ring0_addr: c2", "ring0_addr: 10.0.0.2"),
        CONF.replace(": ", ":"),
        re.sub(r"nodeid: (\d)", r"nodeid: 0\1", CONF),
        f"# a comment\u2028nodelist {{\n{CONF}",
    ],
    ids=["order", "crlf", "trailing", "indent", "braces", "comments", "parts", "address", "colon",
         "zeros", "line"],
)  # fmt: skip
def test_what_corosync_reads_as_the_same_is_the_same(spelled: str) -> None:
    assert spelled != CONF
    found = corosync.parse(spelled, RESOLVED)
    assert found == PROD
    assert not difference(PROD, found)


@pytest.mark.parametrize(
    ("spelled", "said"),
    [
        (CONF.replace("ring0_addr: c3", "ring0_addr: 10.0.0.9"), "10.0.0.9 for c3, not 10.0.0.3"),
        (CONF.replace("nodeid: 3", "nodeid: 4"), "it lacks c3 (node id 3)"),
        (
            re.sub(r"(?m)^cluster_name.*|cluster_name: .*", "cluster_name: o", CONF),
            "cluster o, not",
        ),
        (re.sub(r"(?s)    node \{\s+ring0_addr: c3.*?\}", "", CONF), "it lacks c3"),
    ],
)
def test_a_real_difference_is_named(spelled: str, said: str) -> None:
    other = corosync.parse(spelled, RESOLVED)
    assert said in difference(PROD, other)
    claims = {"c1": claim(PROD, 1), "c2": claim(PROD, 2), "c3": claim(other, 3)}
    with pytest.raises(ValueError, match="c3 differs from c1") as refused:
        find_members(claims)
    assert said in str(refused.value)


def test_links_are_in_the_order_of_their_numbers() -> None:
    rings = "".join(f"        ring{n}_addr: 10.0.{n}.1\n" for n in (10, 2, 0))
    text = CONF.replace("        ring0_addr: c1\n", rings)
    assert corosync.parse(text, RESOLVED).members[0].addresses == (
        "10.0.0.1", "10.0.2.1", "10.0.10.1",
    )  # fmt: skip


def test_an_ipv6_address_is_an_address() -> None:
    found = corosync.parse(CONF.replace("ring0_addr: c1", "ring0_addr: 2001:db8::1"), RESOLVED)
    assert found.members[0].addresses == ("2001:db8::1",)


@pytest.mark.parametrize(("high", "number"), [("", "2886729739"), ("yes", "739246091")])
def test_a_node_without_an_id_has_its_address_as_one(high: str, number: str) -> None:
    text = re.sub(r"(?m)^ *nodeid:.*\n", "", CONF)
    text = text.replace("totem {", f"totem {{\n    clear_node_high_bit: {high}")
    found = corosync.parse(text, {"c1": "172.16.0.11"})
    assert {m.name: m.id for m in found.members} == {"c1": number, "c2": "", "c3": ""}


def test_the_order_is_that_of_node_ids() -> None:
    text = CONF.replace("nodeid: 1", "nodeid: 10")
    assert corosync.parse(text, RESOLVED).names == ("c2", "c3", "c1")


def test_a_name_on_loopback_too_has_its_other_address() -> None:
    found = corosync.parse_resolved("c1 127.0.1.1\nc1 10.0.0.1\nc1 10.9.9.9\nc2 127.0.1.1\n")
    assert found == {"c1": "10.0.0.1"}


def test_a_stopped_cluster_without_names_is_called_as_its_hosts_are() -> None:
    bare = corosync.parse(without_names(CONF), {})
    claims = [claim(bare, 1, "web-a"), claim(bare, 2, "web-b")]
    assert completed(bare, claims).names == ("web-a", "web-b", "10.0.0.3")
    # One node's Pacemaker runs, and knows all names.
    running = claim(named(bare, {"1": "a", "2": "b", "3": "c"}), 3, "c")
    assert completed(bare, [claims[0], running]).names[2] == "c"


def test_an_address_that_one_node_cannot_resolve_comes_from_another() -> None:
    own = corosync.parse(CONF, {k: v for k, v in RESOLVED.items() if k != "c1"})
    assert own.members[0].addresses == ()
    assert completed(own, [claim(PROD, 2)]).members[0].addresses == ("10.0.0.1",)


@pytest.mark.parametrize("name", ["C1", "c1.example.com", "C1.Example.com"])
def test_a_host_is_known_by_another_spelling_of_its_name(name: str) -> None:
    member = PROD.member_with((), name)
    assert member is not None
    assert member.name == "c1"


def test_two_full_names_of_one_short_name_are_two_nodes() -> None:
    whole = Membership("prod", (Member("c1.example.com", ()),))
    assert whole.member_with((), "c1.example.org") is None


OTHER = Membership("other", (Member("d1", ("10.0.0.3",), "1"), Member("d2", ("10.0.0.4",), "2")))
SMALLER = replace(PROD, members=PROD.members[:2])


@pytest.mark.parametrize(
    ("third", "members"),
    [
        (None, ("c1", "c2")),
        (PROD, ("c1", "c2")),  # it was taken out while it was off, and does not know
        (OTHER, ("c1", "c2")),
        (SMALLER, ("c1", "c2", "c3")),
    ],
    ids=["in-none", "taken-out", "of-another", "of-this"],
)
def test_a_host_that_the_members_do_not_list_is_none(
    third: Membership | None, members: tuple[str, ...]
) -> None:
    claims = {"c1": claim(SMALLER, 1), "c2": claim(SMALLER, 2), "c3": claim(third, 3)}
    assert find_members(claims) == members


def test_hosts_of_two_clusters_are_refused_where_neither_has_more() -> None:
    claims = {"c1": claim(SMALLER, 1), "c3": claim(OTHER, 3)}
    with pytest.raises(ValueError, match=r"c1: capture-.* \(c1, c2\); c3: other \(d1, d2\)"):
        find_members(claims)
    assert find_members({"c1": claim(None, 1)}) == ()
