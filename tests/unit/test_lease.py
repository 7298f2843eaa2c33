"""The lease of a cluster, taken on nodes whose files are in folders here, by a real shell."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from pacefab.errors import RefusedError, UnreachableError
from pacefab.transport import answers
from pacefab.transport.command import LOCK, Section, Step
from pacefab.transport.connection import Host
from pacefab.workflows.transaction import entry as entries
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.transaction import lease, log
from pacefab.workflows.transaction.entry import Entry, State
from pacefab.workflows.transaction.head import Head, Holder
from pacefab.workflows.transaction.lease import Lease
from pacefab.workflows.transaction.transaction import Hosts, OvertakenError, Transaction
from tests.unit.test_transaction import CIB, Silent, entry, head, run


class Node:
    """A node: its files are in a folder; `away`: it does not answer."""

    grip: Any = None

    def __init__(self, folder: Path) -> None:
        """Take the folder."""
        self.folder = folder
        self.away = False
        self.turn = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether something is at work there."""
        return self.turn.locked()

    def ask(self, steps: Sequence[Step], **_options: Any) -> Mapping[str, Section]:
        """Run each step, when it is their turn."""
        if self.away:
            raise UnreachableError("reach it", "no answer", "look")
        with self.turn:
            return {step.name: run(step, self.folder) for step in steps}

    def await_renewal(self) -> None:
        """Wait until the lease is renewed once more."""
        file = self.folder / "run" / "lease"
        before, deadline = file.read_text().count("renew "), time.monotonic() + 20
        while file.read_text().count("renew ") == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def change(self, steps: Sequence[Step], **_options: Any) -> Mapping[str, Section]:
        """Run each step, with the node's lock."""
        return {LOCK: Section(LOCK, 0, "", ""), **self.ask(steps)}


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Node]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(lease, "_POLL_SECONDS", 0.01)
    for name in ("c1", "c2", "c3"):
        (tmp_path / name).mkdir()
    return {name: Node(tmp_path / name) for name in ("c1", "c2", "c3")}


def hosts(nodes: Mapping[str, Node]) -> dict[str, Host]:
    return cast("dict[str, Host]", dict(nodes))


def take(own: Lease, nodes: Mapping[str, Node], needed: int = 2) -> list[str]:
    """Take a lease; return what was said meanwhile."""
    said: list[str] = []
    own.take(hosts(nodes), needed, lambda node, text: said.append(f"{node}: {text}"))
    return said


def holders(nodes: Mapping[str, Node]) -> list[str]:
    """Return the tokens of the leases that nodes have."""
    found = [head(node.folder).holder for node in nodes.values()]
    return [holder.token if holder else "" for holder in found]


def test_it_is_one_runs_and_another_is_refused_or_waits(nodes: dict[str, Node]) -> None:
    first, second = Lease("deploy"), Lease("rollback", wait=0)
    assert take(first, nodes) == []
    with pytest.raises(RefusedError, match=r"c1: deploy by .* holds the cluster") as refused:
        take(second, nodes)
    assert "--wait" in refused.value.next_step
    assert holders(nodes) == [first.token] * 3
    first.release()
    assert holders(nodes) == [""] * 3
    assert take(second, nodes) == []
    second.release()


def test_a_later_task_of_the_command_does_not_take_the_earlier_ones_lease_for_anothers(
    nodes: dict[str, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[Sequence[str]] = []
    monkeypatch.setattr(answers, "forget", lambda: forgotten.append(holders(nodes)))
    own = Lease("drill")
    own.release()
    assert forgotten == []
    take(own, nodes)
    own.release()
    assert forgotten == [[""] * 3]


def test_who_holds_one_node_alone_keeps_others_from_all(nodes: dict[str, Node]) -> None:
    one, other = Lease("install-redis"), Lease("deploy", wait=0)
    take(one, {"c3": nodes["c3"]}, 1)
    with pytest.raises(RefusedError, match="c3: install-redis"):
        take(other, nodes)
    assert holders(nodes) == ["", "", one.token]
    one.release()


@pytest.mark.parametrize(("away", "held"), [(("c1",), True), (("c1", "c3"), False)])
def test_a_minority_may_be_away(nodes: dict[str, Node], away: Sequence[str], held: bool) -> None:
    for name in away:
        nodes[name].away = True
    own = Lease("deploy")
    if held:
        take(own, nodes)
        assert sorted(own.hosts) == ["c2", "c3"]
    else:
        with pytest.raises(RefusedError, match="1 of 2 nodes that are needed"):
            take(own, nodes)
        assert holders(nodes) == [""] * 3
    own.release()


def test_one_whose_run_is_known_to_be_dead_is_not_waited_for(
    nodes: dict[str, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = Lease("deploy")
    take(dead, nodes)
    own = Lease("deploy", wait=0)
    monkeypatch.setattr(Holder, "dead", property(lambda self: self.token == dead.token))
    assert take(own, nodes) == []
    assert holders(nodes) == [own.token] * 3
    own.release()


def test_it_is_renewed_on_each_node_in_turn_with_what_is_asked_there(
    nodes: dict[str, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.01)
    own = Lease("deploy")
    take(own, nodes)
    with nodes["c1"].turn:  # a question that takes long
        for name in ("c2", "c3", "c2"):
            nodes[name].await_renewal()
    nodes["c1"].await_renewal()
    own.release()


def test_who_waits_goes_on_with_the_others_when_the_node_that_it_watches_is_lost(
    nodes: dict[str, Node],
) -> None:
    first, second = Lease("deploy"), Lease("rollback", wait=20)
    take(first, nodes)

    def note(node: str, _text: str) -> None:
        nodes["c1"].away = True
        if node == "c2":
            first.release()

    second.take(hosts(nodes), 2, note)
    assert sorted(second.hosts) == ["c2", "c3"]
    second.release()


@pytest.mark.parametrize("named", [("c1", "c2"), ("c3",), ("c2", "c3")])
def test_it_is_taken_in_the_same_order_whichever_nodes_are_named(
    nodes: dict[str, Node], named: Sequence[str]
) -> None:
    rest = [name for name in nodes if name not in named]
    own = Transaction("deploy", reach=hosts(nodes).get)
    own.hold(Hosts({n: hosts(nodes)[n] for n in named}, {}, rest), Silent())
    assert list(own.lease.hosts) == ["c1", "c2", "c3"]
    own.lease.release()


def seen(nodes: Mapping[str, Node]) -> Hosts:
    return Hosts(hosts(nodes), {name: head(node.folder) for name, node in nodes.items()})


def test_a_run_that_was_overtaken_looks_again_under_its_lease(nodes: dict[str, Node]) -> None:
    before = seen(nodes)
    quicker = Transaction("deploy")
    quicker.hold(before, Silent())
    quicker.begin("demo", ["a change"], CIB)
    quicker.end(State.DONE, Silent())
    quicker.lease.release()
    own, looks = Transaction("rollback"), [before]

    def work() -> str:
        looked = looks.pop() if looks else seen(nodes)
        own.hold(looked, Silent())
        return own.begin("demo", ["back"], CIB, target="x").id

    assert own.run(work, Silent()).startswith("s00000002-")
    assert holders(nodes) == [""] * 3
    with pytest.raises(OvertakenError):
        Transaction("deploy").hold(before, Silent())


def test_what_a_dead_run_began_is_finished_by_the_next_and_a_node_that_was_away_hears_of_it(
    nodes: dict[str, Node],
) -> None:
    cut_off = Transaction("deploy")
    cut_off.hold(seen(nodes), Silent())
    first = cut_off.begin("demo", ["a change"], CIB)
    cut_off.lease.release()
    nodes["c3"].away = True
    two = {name: nodes[name] for name in ("c1", "c2")}

    own = Transaction("deploy")
    own.hold(seen(two), Silent())
    own.begin("demo", ["the rest"], CIB)
    own.end(State.DONE, Silent())
    own.lease.release()

    assert heads.unfinished(head(node.folder) for node in two.values()) == ()
    nodes["c3"].away = False
    assert [e.id for e in head(nodes["c3"].folder).begun] == [first.id]
    later = Transaction("deploy")
    later.hold(seen(nodes), Silent())
    later.lease.release()
    assert head(nodes["c3"].folder).begun == ()


def test_a_node_that_was_away_does_not_make_two_changes_of_one(nodes: dict[str, Node]) -> None:
    """A deploy that was cut off and its repetition are one; c1, which is asked first, was away."""
    cut_off = Transaction("deploy")
    cut_off.hold(seen(nodes), Silent())
    first = cut_off.begin("demo", ["a change"], CIB)
    cut_off.lease.release()
    two = {name: nodes[name] for name in ("c2", "c3")}
    own = Transaction("deploy")
    own.hold(seen(two), Silent())
    last = own.begin("demo", ["the rest"], CIB)
    own.end(State.DONE, Silent())
    own.lease.release()
    later = Transaction("rollback")
    stale = Hosts(hosts(nodes), {"c2": Head()})
    with pytest.raises(OvertakenError):  # c1 hears of it all the same
        later.hold(stale, Silent())
    later.lease.release()
    assert head(nodes["c1"].folder).begun == ()

    folders = [nodes[name].folder for name in ("c1", "c2", "c3")]
    listed = [log.parse_entries("", run(log.observe_entries(), folder)) for folder in folders]
    copies = [e for found in listed for e in found if isinstance(e, Entry) and e.id == first.id]
    ended = entries.merge(copies)
    assert ended.ended_by == last.id
    done = replace(last, state=State.DONE)
    assert entries.counted([ended, done]) == (done,)
    assert entries.first_of(done, {ended.id: ended, done.id: done}).id == first.id


def test_changes_that_say_to_have_ended_each_other_are_read() -> None:
    one, two = (replace(entry(n), ended_by=entry(3 - n).id) for n in (1, 2))
    itself = replace(entry(3), ended_by=entry(3).id)
    known = {e.id: e for e in (one, two, itself)}
    assert entries.first_of(itself, known) == itself
    assert entries.first_of(two, known) == one


def test_what_only_nodes_know_that_were_not_named_is_not_finished_either(
    nodes: dict[str, Node],
) -> None:
    nodes["c1"].away = True
    two = {name: nodes[name] for name in ("c2", "c3")}
    cut_off = Transaction("deploy")
    cut_off.hold(seen(two), Silent())
    cut_off.begin("demo", ["a change"], CIB)
    cut_off.lease.release()
    nodes["c1"].away = False
    own = Transaction("update-redis", reach=hosts(nodes).get)
    named = Hosts({"c1": hosts(nodes)["c1"]}, {"c1": head(nodes["c1"].folder)}, ("c2", "c3"))
    with pytest.raises(RefusedError, match="not finished: deploy"):
        own.run(lambda: own.hold(named, Silent()), Silent())
    assert holders(nodes) == [""] * 3


def test_a_note_that_a_node_cannot_keep_is_withdrawn_everywhere(nodes: dict[str, Node]) -> None:
    (nodes["c2"].folder / "history").write_text("a file in the folder's place")
    own = Transaction("deploy")
    own.hold(seen(nodes), Silent())
    with pytest.raises(Exception, match="note the change in the history"):
        own.begin("demo", ["a change"], CIB)
    own.lease.release()
    assert head(nodes["c1"].folder).ids == frozenset()
