"""What nodes answered -> one view of the cluster: members, hosts that are none, and the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from pacefab.errors import PacefabError, RefusedError, UnreachableError
from pacefab.services.service import Look
from pacefab.transport.command import LOCK, Section, Step
from pacefab.transport.connection import Host
from pacefab.workflows.nodes.view import ClusterView, observe_cluster
from tests.unit import captured

CONF = captured.text("debian12", "corosync.conf")
CIB = captured.text("debian12", "cib-clone.xml")
RING = "c1 10.0.0.1\nc2 10.0.0.2\nc3 10.0.0.3\n"
SEEN = "runtime.members.{0}.ip (str) = r(0) ip(10.0.0.{0}) \n"  # corosync-cmapctl 3.1.7
ABSENT = Section("", 3, "", "")


class Answers:
    """A host that answers each step as a captured node did; what is not given failed there."""

    def __init__(self, name: str, number: int, **given: str | Section) -> None:
        """Take what differs from a member of the captured cluster."""
        self.name = name
        self.asked = 0
        self.busy, self.grip = False, None
        address = f"2: eth0    inet 10.0.0.{number}/24 scope global eth0\n"
        own = f"runtime.votequorum.this_node_id (u32) = {number}"
        usual = {
            "name": f"c{number}\n", "memory": "MemTotal: 1 kB\n", "addresses": address,
            "os": captured.text("debian12", "os-release"), "corosync": CONF, "ring": RING,
            "cib": CIB, "monitor": captured.text("debian12", "monitor-started.xml"), "node id": own,
        }  # fmt: skip
        self.given = {**usual, **{key.replace("_", " "): value for key, value in given.items()}}

    def query(self, steps: Sequence[Step], **_options: Any) -> Mapping[str, Section]:
        """Answer, and count it."""
        self.asked += 1
        return {step.name: self._section(step.name) for step in steps}

    observe = ask = query

    def change(self, steps: Sequence[Step], **_options: Any) -> Mapping[str, Section]:
        """Have the lock, and do all of it."""
        return {name: Section(name, 0, "", "") for name in (LOCK, *(step.name for step in steps))}

    def _section(self, name: str) -> Section:
        if name == "word":
            return self._word()
        given = self.given.get(name, Section(name, 1, "", ""))
        return given if isinstance(given, Section) else Section(name, 0, given, "")

    def _word(self) -> Section:
        """Answer with a Pacemaker that has nothing to do."""
        parts = [self._section(name) for name in ("cib", "monitor")]
        wrong = next((part for part in parts if not part.ok), None)
        texts = [part.out for part in parts] if parts[0].ok else []
        out = "\n--\n".join([*texts, "<transition_graph/>"]) if texts else ""
        return Section("word", wrong.status if wrong else 0, out, wrong.err if wrong else "")


class Silent(Answers):
    """A host that gives no answer."""

    def query(self, *_: Any, **_options: Any) -> Mapping[str, Section]:
        """Raise what a connection raises."""
        raise UnreachableError("connect", "no route", "is it up?", host=self.name)

    observe = query


def view(*hosts: Answers, reach: Mapping[str, Answers] | None = None) -> ClusterView:
    named = cast("dict[str, Host]", {host.name: host for host in hosts})
    rest = cast("Mapping[str, Host]", reach)
    return observe_cluster(named, Look(), 8, rest.__getitem__ if reach else None)


def bare(name: str, number: int) -> Answers:
    failed = Section("cib", 127, "none\n", "sh: 1: cibadmin: not found")
    return Answers(name, number, corosync=ABSENT, cib=failed)


def test_members_have_pacemakers_names_whatever_they_were_called() -> None:
    cib = re.sub(r'uname="c(\d)"', r'uname="N\1.example.com"', CIB)
    hosts = [Answers(name, n, cib=cib) for n, name in ((2, "10.0.0.2"), (1, "web-a"))]
    seen = view(*hosts)
    assert list(seen.views) == ["N1.example.com", "N2.example.com"]
    assert list(seen.hosts) == ["N2.example.com", "N1.example.com"]
    assert seen.views["N1.example.com"].host == "web-a"
    assert seen.doorway == "N2.example.com"  # the first that was named


def test_the_rest_of_the_cluster_is_asked_in_a_second_round() -> None:
    first, *rest = (Answers(f"c{n}", n) for n in (1, 2))
    away = Silent("c3", 3)
    seen = view(first, reach={"c2": rest[0], "c3": away})
    assert list(seen.views) == ["c1", "c2"]
    assert list(seen.silent) == ["c3"]
    assert (first.asked, rest[0].asked) == (1, 1)
    # Asked with the node, the status takes no further round.
    assert seen.status.quorum
    assert first.asked == 1


def test_a_doorway_is_a_node_with_quorum_and_its_status_is_its_own() -> None:
    alone = Answers("c1", 1, cib=CIB.replace('have-quorum="1"', 'have-quorum="0"'))
    second = Answers("c2", 2)
    seen = view(alone, second)
    assert seen.doorway == "c2"
    seen.check_quorum("try")
    assert seen.status.quorum
    assert second.asked == 2
    assert view(alone).doorway == "c1"
    with pytest.raises(RefusedError, match="quorum"):
        view(alone).check_quorum("try")


def test_hosts_that_are_no_members_are_named_with_the_way_to_make_them_some() -> None:
    other = re.sub("cluster_name: .*", "cluster_name: other", CONF)
    foreign = Answers("d1", 9, corosync=other, node_id=Section("", 1, "", ""))
    seen = view(Answers("c1", 1), bare("web-d", 8), bare("c3", 3), foreign)
    assert list(seen.views) == ["c1"]
    assert list(seen.strangers) == ["web-d", "c3", "d1"]
    assert str(seen.standing("web-d")) == "it is in no cluster: fab add-node --node web-d"
    assert seen.standing("c3").listed
    assert "cluster other (c1, c2, c3)" in seen.standing("d1").what
    assert list(seen.answered) == ["c1", "web-d", "c3", "d1"]
    assert not seen.stands(seen.membership.cluster)


def test_a_host_that_the_cluster_reaches_as_a_remote_node_is_called_so() -> None:
    """The inventory does not mention it, or as a member."""
    cib = captured.text("word", "remote-cib.xml")
    remote = bare("edge", 9)
    remote.given["addresses"] = "2: eth0    inet 192.0.2.99/24 scope global eth0\n"
    guest = bare("192.0.2.98", 8)
    guest.given["addresses"] = "2: eth0    inet 192.0.2.98/24 scope global eth0\n"
    seen = view(Answers("c1", 1, cib=cib), remote, guest, bare("c9", 7))
    cluster = seen.membership.cluster
    assert str(seen.standing("edge")) == (
        f"it is the remote node r2 of {cluster}: "
        "name it so in the inventory, under nodes: {name: r2, role: remote}"
    )
    assert seen.standing("192.0.2.98").what == f"the guest node g1 of {cluster}"
    assert seen.standing("c9").what == "in no cluster"
    assert "or name the other hosts alone with -H" in seen.outside["edge"].next_step


def test_a_host_with_a_broken_file_hides_nothing_of_the_others() -> None:
    broken = Answers("c3", 3, corosync="totem {")
    seen = view(Answers("c1", 1), broken)
    assert list(seen.views) == ["c1"]
    assert "brace" in seen.silent["c3"].seen
    with pytest.raises(PacefabError, match="brace"):
        view(broken)


def test_without_a_nodelist_pacemaker_says_who_and_corosync_where() -> None:
    text = re.sub(r"(?ms)^nodelist \{.*?^\}\n", "", CONF)
    seen = view(Answers("c1", 1, corosync=text, seen="".join(SEEN.format(n) for n in (1, 2))))
    assert seen.membership.names == ("c1", "c2", "c3")
    assert [m.addresses for m in seen.membership.members] == [("10.0.0.1",), ("10.0.0.2",), ()]
    stopped = bare("c1", 1)
    stopped.given["corosync"] = text
    with pytest.raises(RefusedError, match="no nodelist"):
        view(stopped)


def test_bare_hosts_are_no_cluster() -> None:
    seen = view(bare("c1", 1), bare("c2", 2))
    assert seen.formed is None
    assert list(seen.answered) == ["c1", "c2"]
    with pytest.raises(RefusedError, match=r"no /etc/corosync/corosync\.conf"):
        _ = seen.membership
