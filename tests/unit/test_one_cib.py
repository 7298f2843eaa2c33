"""Nodes that keep a CIB of their own: noticed, given the DC's, and named where that is in vain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pacefab.errors import LostError
from pacefab.pacemaker import cib as cibs
from pacefab.transport.command import Section
from pacefab.workflows.nodes import one_cib
from pacefab.workflows.nodes.view import ClusterView

TEXT = (
    '<cib epoch="{}" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/>'
    "<resources>{}</resources><constraints/></configuration></cib>"
)
NEW, OLD = TEXT.format(9, '<primitive id="new"/>'), TEXT.format(8, '<primitive id="old"/>')
ONLY_COUNTED = TEXT.format(12, '<primitive id="new"/>')


class Doorway:
    """The doorway's host: remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def approach(self, node: str) -> None:
        """Go there."""
        self.asked.append(f"to {node or 'nobody'}")

    def query(self, steps: Any) -> None:
        """Run steps."""
        self.asked += [" ".join(step.argv) for step in steps]


def view(**texts: str) -> ClusterView:
    """Return a cluster whose nodes have these CIBs; empty: Pacemaker does not run there."""
    sections = {name: Section("cib", 0 if text else 1, text, "") for name, text in texts.items()}
    # A node whose head says that its CIB is the first one's has that one's section.
    first = next(iter(sections.values()))
    alike = {n: first if s.out == first.out else s for n, s in sections.items()}
    views = {
        name: SimpleNamespace(sections={"cib": s}, cib=s.ok and cibs.parse(s.out))
        for name, s in alike.items()
    }
    seen = SimpleNamespace(views=views, doorway="c1", host=Doorway(), cib=views["c1"].cib)
    return cast("ClusterView", seen)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_cib, "_AGREE_SECONDS", 0.05)
    monkeypatch.setattr(one_cib, "_POLL_SECONDS", 0.01)


@pytest.mark.parametrize(
    ("third", "named"), [(NEW, []), (ONLY_COUNTED, []), (OLD, ["c3"]), ("", [])]
)
def test_a_member_with_another_configuration_is_noticed(third: str, named: list[str]) -> None:
    assert one_cib.apart(view(c1=NEW, c2=NEW, c3=third)) == named


def test_a_change_that_is_on_its_way_is_waited_for() -> None:
    looks = iter([view(c1=NEW, c2=OLD), view(c1=NEW, c2=NEW)])
    begun = view(c1=NEW, c2=OLD)
    seen, errors = one_cib.bring_together(lambda: next(looks), begun)
    assert (errors, cast("Any", begun.host).asked) == ({}, [])
    assert one_cib.apart(seen) == []


def test_a_node_that_keeps_its_own_gets_the_one_of_the_dc() -> None:
    apart, whole = view(c1=NEW, c2=OLD), view(c1=NEW, c2=NEW)
    asked = cast("Any", apart.host).asked
    _, errors = one_cib.bring_together(lambda: whole if asked else apart, apart)
    assert asked == ["to nobody", "cibadmin --bump"]
    assert errors == {}


def test_a_node_that_keeps_its_own_all_the_same_is_named_with_what_to_do() -> None:
    apart = view(c1=NEW, c2=OLD)
    _, errors = one_cib.bring_together(lambda: apart, apart)
    assert list(errors) == ["c2"]
    assert "c2 has another configuration than c1" in str(errors["c2"])
    assert "cibadmin --bump" in errors["c2"].next_step


def test_a_view_of_the_time_before_the_change_is_taken_again() -> None:
    _, errors = one_cib.bring_together(
        lambda: view(c1=NEW, c2=OLD), view(c1=OLD, c2=OLD), stale=True
    )
    assert list(errors) == ["c2"]


def test_that_all_are_lost_meanwhile_is_for_others_to_report() -> None:
    def lost() -> ClusterView:
        raise LostError("look", "no answer")

    seen = view(c1=NEW, c2=NEW)
    assert one_cib.bring_together(lost, seen, stale=True) == (seen, {})
