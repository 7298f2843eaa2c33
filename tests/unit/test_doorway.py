"""The doorway of a cluster: replaced when it is lost; what it may have done is looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytest
from lxml import etree

from pacefab.errors import CommandError, LostError, NoEndError, UnreachableError
from pacefab.pacemaker.cib import Cib, parse
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import Host
from pacefab.workflows.nodes import apply_cib, doorway, persistence
from pacefab.workflows.nodes.doorway import Doorway
from pacefab.workflows.nodes.persistence import persist
from tests.unit import captured

CIB = captured.text("debian12", "cib-clone.xml")
OLD = 103  # of cibadmin: the patch was made from an older CIB


class Node:
    """A host with a CIB, that of its cluster; `fails` says what becomes of the next commands."""

    def __init__(self, name: str, shared: dict[str, str]) -> None:
        self.name = name
        self.shared = shared
        self.quorum = True
        self.gone = False
        self.change: Callable[..., Mapping[str, Section]] = self.carry_out
        self.asked = 0

    def lose(self) -> None:
        """Be reachable no more."""
        self.gone = True

    def query(self, steps: Sequence[Step], **_: Any) -> Mapping[str, Section]:
        """Answer with the CIB."""
        self.asked += 1
        if self.gone:
            raise UnreachableError("open an SSH session", "no route", "look", host=self.name)
        text = self.shared["cib"]
        text = text if self.quorum else text.replace('have-quorum="1"', 'have-quorum="0"')
        return {step.name: Section(step.name, 0, text, "") for step in steps}

    def carry_out(self, steps: Sequence[Step], **_: Any) -> Mapping[str, Section]:
        """Patch, if the CIB is that from which the patch was made."""
        if self.gone:
            raise UnreachableError("open an SSH session", "no route", "look", host=self.name)
        (made,) = [step for step in steps if step.name == "patch"]
        status = 0 if made.stdin == self.shared.get("awaited", made.stdin) else OLD
        if status == 0:
            self.shared["cib"] = self.shared["new"]
        lock = Section("lock", 0, "", "")
        return {"lock": lock, "patch": Section("patch", status, "", "")}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(persistence, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(doorway, "_SUCCESSION_SECONDS", 0.2)


def cluster() -> tuple[Doorway, list[Node], dict[str, str]]:
    shared = {"cib": CIB.replace('dc-uuid="3"', 'dc-uuid="1"')}
    nodes = [Node(name, shared) for name in ("c1", "c2", "c3")]
    return Doorway(cast("dict[str, Host]", {n.name: n for n in nodes}), "c1"), nodes, shared


def changed(cib: Cib) -> Cib:
    after = cib.next()
    etree.SubElement(after.resources, "primitive", id="new")
    return after


def patch(door: Doorway, shared: dict[str, str]) -> tuple[int, Cib]:
    """Patch from the CIB that was there; return how often it was planned, and from which."""
    planned = 0

    def plan(cib: Cib) -> Cib:
        nonlocal planned
        planned += 1
        new = changed(cib)
        shared["new"] = new.text()
        return new

    before = apply_cib.patch(door, parse(shared["cib"]), plan)
    return planned, before


def test_a_question_goes_to_the_next_node_with_quorum_and_the_operator_hears_of_it() -> None:
    door, (c1, c2, c3), _ = cluster()
    heard: list[str] = []
    door.note = lambda node, said: heard.append(f"{node}: {said}")
    c1.lose()
    c2.quorum = False
    assert apply_cib.query_cib(door).quorum
    assert door.name == "c3"
    assert list(door.lost) == ["c1"]
    assert heard == ["c1: it was lost, the cluster is asked through c3 from now on"]
    assert c3.asked


def test_without_another_node_that_has_quorum_it_is_said_how_the_first_was_lost() -> None:
    door, (c1, c2, c3), _ = cluster()
    c1.lose()
    c2.quorum = c3.quorum = False
    with pytest.raises(UnreachableError, match="no route") as caught:
        apply_cib.query_cib(door)
    assert caught.value.host == "c1"


def test_a_node_that_lost_quorum_hands_over() -> None:
    door, (c1, _, _), _ = cluster()
    c1.quorum = False
    assert apply_cib.query_cib(door).quorum
    assert door.name == "c2"
    assert not door.lost


def test_a_patch_that_was_not_made_is_made_by_the_next_one() -> None:
    door, (c1, _, _), shared = cluster()

    def die(*_: Any, **__: Any) -> Mapping[str, Section]:
        c1.lose()
        raise LostError("run a command", "the connection was lost", "look", host="c1")

    c1.change = die
    planned, before = patch(door, shared)
    assert planned == 2
    assert before.version == parse(CIB).version
    assert "new" in shared["cib"]
    assert door.name == "c2"


def test_a_patch_that_was_made_is_not_made_again() -> None:
    door, (c1, c2, _), shared = cluster()

    def make_and_die(steps: Sequence[Step], **_: Any) -> Mapping[str, Section]:
        c1.carry_out(steps)
        c1.lose()
        raise LostError("run a command", "the connection was lost", "look", host="c1")

    def never(*_: Any, **__: Any) -> Mapping[str, Section]:
        raise AssertionError

    c1.change, c2.change = make_and_die, never
    planned, before = patch(door, shared)
    assert planned == 1
    assert before.element("new") is None


def test_a_patch_for_which_there_was_no_dc_is_made_again() -> None:
    door, (c1, _, _), shared = cluster()
    answers = [102, 124]

    def timed_out(steps: Sequence[Step], **_: Any) -> Mapping[str, Section]:
        if not answers:
            return c1.carry_out(steps)
        section = Section("patch", answers.pop(), "", "Timer expired")
        return {"lock": Section("lock", 0, "", ""), "patch": section}

    c1.change = timed_out
    planned, _ = patch(door, shared)
    assert planned == 3
    assert "new" in shared["cib"]


def test_a_patch_that_pacemaker_refuses_is_an_error() -> None:
    door, (c1, _, _), shared = cluster()
    refused = {"lock": Section("lock", 0, "", ""), "patch": Section("patch", 78, "", "invalid")}
    c1.change = lambda *_, **__: refused
    with pytest.raises(CommandError, match="invalid"):
        patch(door, shared)


def test_what_broke_off_is_asked_once_more() -> None:
    tried: list[int] = []

    def ask() -> int:
        tried.append(1)
        if len(tried) == 1:
            raise LostError("run", "the connection was lost")
        return len(tried)

    assert persist(ask) == 2


@pytest.mark.parametrize(
    ("error", "times"), [(LostError("run", "lost"), 2), (NoEndError("run", "no end"), 1)]
)
def test_what_breaks_off_again_or_finds_no_end_is_lost(error: LostError, times: int) -> None:
    tried: list[int] = []

    def ask() -> None:
        tried.append(1)
        raise error

    with pytest.raises(LostError):
        persist(ask)
    assert len(tried) == times


def test_a_connection_is_tried_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "AGAIN_SECONDS", 0.1)
    tried: list[int] = []

    def ask() -> None:
        tried.append(1)
        raise UnreachableError("open", "refused")

    with pytest.raises(UnreachableError):
        persist(ask)
    assert len(tried) > 1


def test_a_patch_is_made_on_the_dc_from_its_own_cib() -> None:
    """A node that was away may have a CIB of another version: the DC's counts."""
    door, (c1, c2, c3), shared = cluster()
    shared["cib"] = CIB  # whose DC is c3
    c1.lose()

    def never(*_: Any, **__: Any) -> Mapping[str, Section]:
        raise AssertionError

    c1.change = c2.change = never
    planned, _ = patch(door, shared)
    assert planned == 1
    assert door.name == "c3"
    assert c3.asked


def test_without_a_way_to_the_dc_it_is_made_where_the_cluster_was_asked() -> None:
    door, (_, _, c3), shared = cluster()
    shared["cib"] = CIB
    c3.lose()
    patch(door, shared)
    assert door.name == "c1"
    assert "new" in shared["cib"]
