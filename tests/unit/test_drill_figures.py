"""Figures of drills, from samples and windows as a run collects them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.drill.faults import FAULTS, PROCESS
from pacefab.drill.figures import hit_ratio, is_answered, measure
from pacefab.drill.timeline import Sample, Trace, Window, changes, take_sample
from pacefab.inventory.objectives import Objectives
from pacefab.pacemaker import monitor
from pacefab.pacemaker.model import Membership
from pacefab.services.memcached.load import load
from pacefab.services.memcached.section import MemcachedSection
from pacefab.services.service import Site
from tests.unit import captured

NODES = ("c1", "c2", "c3")
STARTED = frozenset((node, "Started") for node in NODES)
USUAL = Sample(
    at=0.0,
    nodes=dict.fromkeys(NODES, "online"),
    roles={"memcached": STARTED, "vip-a": frozenset({("c3", "Started")})},
    failures=frozenset(),
    serving=frozenset(NODES),
    vips={"vip-a": "c3"},
)
WITHOUT_C3 = frozenset((node, "Started") for node in ("c1", "c2"))
DEAD = replace(USUAL, at=11.0, serving=frozenset({"c1", "c2"}))
NOTICED = replace(DEAD, at=14.0, roles={**USUAL.roles, "memcached": WITHOUT_C3}, vips={"vip-a": ""})
MOVED = replace(NOTICED, at=16.0, vips={"vip-a": "c1"})
BACK = replace(USUAL, at=17.0, vips={"vip-a": "c1"})
SAMPLES = (USUAL, replace(USUAL, at=9.0), DEAD, NOTICED, MOVED, BACK, replace(BACK, at=18.0))
WINDOWS = (
    Window(9.0, hit=90, stored=10, worst=0.002),
    Window(11.0, hit=50, miss=50, stored=50, worst=0.4),
    Window(12.0, hit=60, miss=40, stored=40, unanswered=2, error=1, worst=0.7),
    Window(13.0, hit=100, worst=0.001),
    Window(18.0, hit=100, worst=0.001),
)
TRACE = Trace(
    PROCESS.of("memcached"), "c3", "2026-11-23T12:00:00", 10.0, 17.5, SAMPLES, WINDOWS, 6000, 2000
)
CACHE_LOAD = load(MemcachedSection(), Site(Membership("demo", ()), {}, {}))


def test_times_count_from_the_failure_where_pacemaker_ends_it() -> None:
    figures = measure(TRACE, Objectives())
    assert figures.noticed == 4.0
    assert figures.recovered == 7.0


def test_recovery_counts_from_the_undoing_where_that_ends_the_failure() -> None:
    figures = measure(replace(TRACE, fault=FAULTS["partition"], undone=15.5), Objectives())
    assert figures.recovered == 1.5


def test_what_is_broken_at_the_end_has_not_recovered() -> None:
    figures = measure(replace(TRACE, samples=SAMPLES[:4]), Objectives())
    assert figures.recovered is None
    assert [v.objective for v in figures.verdicts if not v.passed] == ["recovery", "client_errors"]


@pytest.mark.parametrize(
    ("later", "answered"),
    [
        ([], False),  # not noticed yet
        ([NOTICED, replace(NOTICED, at=19.0)], False),  # nobody has the VIP
        ([NOTICED, MOVED, replace(MOVED, at=16.5)], False),  # there may be more to come
        ([NOTICED, MOVED, replace(MOVED, at=19.0, pending=True)], False),
        ([NOTICED, MOVED, replace(MOVED, at=19.0)], True),
    ],
)
def test_a_failure_is_answered_once_all_that_moves_has_moved(
    later: list[Sample], answered: bool
) -> None:
    assert is_answered([*SAMPLES[:3], *later], 10.0) is answered


def test_a_hang_that_pacemaker_cannot_see_is_never_noticed() -> None:
    samples = (USUAL, DEAD, replace(USUAL, at=17.0))
    figures = measure(replace(TRACE, fault=FAULTS["pause"], samples=samples), Objectives())
    assert figures.noticed is None


def test_clients_are_judged_by_what_they_saw_after_the_failure() -> None:
    figures = measure(TRACE, Objectives())
    assert (figures.worst_stall, figures.client_errors, figures.unanswered) == (0.7, 1, 2)
    assert figures.hit_ratio_before == 1.0
    assert figures.hit_ratio_lowest == 0.6  # the first second alone is too short a look
    assert figures.hit_ratio_after == 1.0
    assert (figures.items_stored, figures.items_lost) == (6000, 2000)


def test_a_vip_is_away_until_another_node_answers_for_it() -> None:
    (move,) = measure(TRACE, Objectives()).vips
    assert (move.resource, move.source, move.target, move.away) == ("vip-a", "c3", "c1", 2.0)


@pytest.mark.parametrize(
    ("objectives", "missed"),
    [
        (Objectives(client_errors=1), []),
        (Objectives(recovery=6.9, client_errors=1), ["recovery"]),
        (Objectives(worst_stall=0.5, client_errors=1), ["worst_stall"]),
        (Objectives(vip_away=1.0), ["vip_away", "client_errors"]),
    ],
)
def test_an_objective_is_missed_beyond_its_limit(objectives: Objectives, missed: list[str]) -> None:
    figures = measure(TRACE, objectives)
    assert [v.objective for v in figures.verdicts if not v.passed] == missed
    assert figures.passed == (not missed)


def test_a_store_is_measured_by_what_it_acknowledged() -> None:
    windows = [replace(window, gap=window.at - 9.0) for window in WINDOWS]
    trace = replace(TRACE, windows=tuple(windows), lost=2, redelivered=1, kept=True)
    figures = measure(trace, Objectives(lost=1, worst_gap=9.0))
    assert (figures.worst_gap, figures.items_lost, figures.redelivered) == (9.0, 2, 1)
    assert [verdict.objective for verdict in figures.verdicts] == [
        "recovery", "vip_away", "worst_gap", "lost",
    ]  # fmt: skip
    assert [verdict.objective for verdict in figures.verdicts if not verdict.passed] == ["lost"]


def test_objectives_that_an_inventory_leaves_out_keep_their_defaults() -> None:
    given = {"recovery": "30s", "worst_stall": None, "client_errors": None}
    assert Objectives.model_validate(given) == Objectives(recovery=30.0)
    assert dict(Objectives().items())["recovery"] == 90.0


def test_events_show_every_change_once_and_in_order() -> None:
    texts = [event.text for event in measure(TRACE, Objectives()).events]
    assert texts == [
        "failure: memcached is killed (SIGKILL)",
        "c3 no longer answers",
        "memcached is stopped on c3",
        "vip-a is away",
        "vip-a is on c1",
        "memcached is Started on c3",
        "c3 answers again",
        "the drill clears the failure's record",
    ]


def test_nothing_looked_up_is_no_ratio() -> None:
    assert hit_ratio([Window(1.0, stored=5)]) is None


def test_a_sample_reads_what_crm_mon_prints() -> None:
    started, stopped = (
        take_sample(at, monitor.parse(captured.text("debian12", name)), {}, frozenset())
        for at, name in ((1.0, "monitor-started.xml"), (2.0, "monitor-one-stopped.xml"))
    )
    assert started.roles["memcached"] == STARTED
    assert started.nodes == dict.fromkeys(NODES, "online")
    assert [e.text for e in changes(started, stopped)] == ["memcached is stopped on c3"]
