"""deploy --update: what it restarts, in which order, and how the plan shows it."""

from __future__ import annotations

import pytest

from pacefab.inventory.model import Part
from pacefab.pacemaker.model import Member, Membership
from pacefab.report.plan import render_text
from pacefab.services import registry
from pacefab.services.service import Service, Site
from pacefab.workflows.nodes.in_force import PendingSetting
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.rollout.planning import Plan
from pacefab.workflows.rollout.updates import NodeByNode, find_updates, how_far

NODES = ("c1", "c2", "c3")
SITE = Site(Membership("demo", tuple(Member(n, ()) for n in NODES)), {}, {})


class Nothing(Part):
    """Settings of a service that has none."""


CACHE = Service(
    "cache",
    Nothing,
    needs=lambda _: ("store",),
    outlook=lambda _section, _site, node: "" if node == "c3" else "starts empty",
)
KNOWN = {"cache": CACHE, "store": Service("store", Nothing), "haproxy": Service("haproxy", Nothing)}
RELOAD = "systemctl reload haproxy"
SECTIONS = dict.fromkeys(KNOWN, Nothing())


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "service", KNOWN.__getitem__)
    monkeypatch.setattr(registry, "names", lambda: list(KNOWN))


def nodes(**pending: tuple[PendingSetting, ...]) -> dict[str, NodePlan]:
    return {name: NodePlan(pending=pending.get(name, ())) for name in NODES}


SMALLER, OLDER = PendingSetting("cache", "64 MiB, not 96"), PendingSetting("store", "older than /f")
HELD = ("cache", "c2")
EVERY = nodes(c1=(SMALLER,), c2=(SMALLER, OLDER), c3=(SMALLER,))


def test_what_others_need_comes_first_and_only_where_it_is_pending() -> None:
    store, cache = find_updates(EVERY, SITE, SECTIONS)
    assert store == NodeByNode("store", ("c2",), ("c2: older than /f",))
    assert (cache.service, cache.nodes) == ("cache", NODES)
    assert cache.said == ("c1, c2, c3: 64 MiB, not 96", "c1, c2: starts empty")


def test_what_a_reload_or_somebody_else_puts_in_force_is_not_restarted() -> None:
    others = (
        PendingSetting("haproxy", "older than /h", RELOAD),
        PendingSetting("foreign", "older"),
    )
    assert find_updates(nodes(c1=others), SITE, SECTIONS) == ()


def test_where_an_operator_has_set_something_against_it_it_stays_pending() -> None:
    updates = find_updates(EVERY, SITE, SECTIONS, lambda service, node: (service, node) != HELD)
    assert [update.nodes for update in updates] == [("c2",), ("c1", "c3")]
    lines = render_text(Plan("demo", nodes=EVERY, updates=updates))
    assert "in force after: fab update-cache (c2: 64 MiB, not 96)" in lines


def test_the_plan_shows_what_is_restarted_and_what_is_pending_after_all() -> None:
    every = nodes(c1=(SMALLER, PendingSetting("haproxy", "older than /h", RELOAD)))
    plan = Plan("demo", nodes=every, updates=find_updates(every, SITE, SECTIONS))
    lines = render_text(plan)
    begin = lines.index("then, node by node: stopped by Pacemaker, started, asked")
    assert lines[begin + 1 : begin + 3] == [
        "  ~ update cache: c1: 64 MiB, not 96",
        "      c1: starts empty",
    ]
    assert [line for line in lines if line.startswith("in force after")] == [
        "in force after: systemctl reload haproxy (c1: older than /h)"
    ]
    assert lines[-1] == "nothing to change; restarts cache node by node"
    assert max(map(len, lines)) <= 80


def test_how_far_it_came_names_what_was_not_restarted() -> None:
    due = find_updates(EVERY, SITE, SECTIONS)
    assert how_far(due, 0) == "deploy is done; not restarted: cache"
    assert how_far(due, 1) == "deploy is done; restarted: store"
