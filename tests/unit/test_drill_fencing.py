"""What fencing did about a failure, by the nodes' own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacefab.drill.boots import Boots, sides_of
from pacefab.drill.drill import DrillReport, DrillResult
from pacefab.drill.faults import FAULTS, Fault
from pacefab.drill.figures import measure
from pacefab.drill.recording import Recording, Span
from pacefab.drill.timeline import Trace
from pacefab.inventory.objectives import Objectives
from pacefab.report import drill, drill_page
from tests.unit.test_drill_figures import CACHE_LOAD, NODES, SAMPLES, TRACE, USUAL, WITHOUT_C3

BEFORE = {"c1": "a 1", "c2": "a 2", "c3": "a 3"}
AFTER = {**BEFORE, "c3": "a 9"}
LOST = replace(
    USUAL, at=12.0, nodes={**USUAL.nodes, "c3": "UNCLEAN"}, serving=frozenset({"c1", "c2"})
)
OFF = replace(
    LOST, at=14.0, nodes={**USUAL.nodes, "c3": "offline"}, vips={"vip-a": ""},
    roles={"memcached": WITHOUT_C3, "vip-a": frozenset()},
)  # fmt: skip
TAKEN = replace(OFF, at=15.0, roles={**OFF.roles, "vip-a": frozenset({("c1", "Started")})})
MOVED = replace(TAKEN, at=16.0, vips={"vip-a": "c1"})
JOINED = replace(MOVED, at=40.0, nodes=USUAL.nodes)
BACK = replace(
    USUAL, at=42.0, vips={"vip-a": "c1"}, roles={**USUAL.roles, "vip-a": MOVED.roles["vip-a"]}
)
RECORDED = (
    Recording("c1", (Span("vip-a", "c1", "", 14.9, 42.0),), {"a 1": (5.0, 42.0)}),
    Recording("c2", (), {"a 2": (5.0, 42.0)}),
    Recording("c3", (Span("vip-a", "c3", "", 5.0, 13.4),), {"a 3": (5.0, 13.5)}),
)
FENCED = replace(
    TRACE, fault=FAULTS["power"], undone=39.0, fencing=True, recordings=RECORDED,
    boots=Boots(BEFORE, AFTER, ("c3",)),
    samples=(*SAMPLES[:2], LOST, OFF, TAKEN, MOVED, JOINED, BACK, replace(BACK, at=43.0)),
)  # fmt: skip
TWICE = replace(RECORDED[0], spans=(Span("vip-a", "c1", "", 12.9, 42.0),))


def test_a_fenced_node_is_off_its_resources_elsewhere_and_it_is_back() -> None:
    figures = measure(FENCED, Objectives(client_errors=1))
    fencing = figures.fencing
    assert fencing.switched == ("c3",)
    assert (fencing.off, fencing.elsewhere, fencing.back) == (3.5, 6.0, 30.0)
    assert figures.recovered == 32.0
    assert (fencing.wrong, fencing.unrecorded) == ((), ())
    assert figures.passed


def test_how_long_a_machine_boots_is_shown_and_not_judged() -> None:
    (verdict,) = [v for v in measure(FENCED, Objectives()).verdicts if v.objective == "recovery"]
    assert verdict.measured == 6.0
    lost = replace(FENCED, samples=(*SAMPLES[:2], LOST, OFF))
    (verdict,) = [v for v in measure(lost, Objectives()).verdicts if v.objective == "recovery"]
    assert verdict.measured is None


def test_a_node_that_stays_off_is_never_back() -> None:
    trace = replace(FENCED, samples=FENCED.samples[:-3], boots=Boots(BEFORE, {**AFTER, "c3": ""}))
    fencing = measure(trace, Objectives()).fencing
    assert (fencing.switched, fencing.back) == (("c3",), None)
    text = "\n".join(drill.render_text(reported(trace)))
    assert "power on c3: back in the cluster: never" in text
    assert "power on c3: c3 is off, or boots still: see its console" in text


def test_events_of_a_fencing_are_what_the_nodes_recorded_too() -> None:
    texts = [event.text for event in measure(FENCED, Objectives()).events]
    assert texts.index("c3 went off") < texts.index("vip-a is on c1")
    assert "the drill undoes what is left of it" in texts


def test_what_was_active_twice_is_held_against_a_cluster_with_fencing_only() -> None:
    sentence = "vip-a was active on c1 and c3 at once, for 0.5 s"
    guarded = replace(FENCED, recordings=(TWICE, *RECORDED[1:]))
    figures = measure(guarded, Objectives(client_errors=1))
    assert (figures.passed, figures.fencing.wrong) == (False, (sentence,))
    unguarded = measure(replace(guarded, fencing=False), Objectives(client_errors=1))
    assert (unguarded.passed, unguarded.fencing.wrong) == (True, ())
    assert [str(twice) for twice in unguarded.fencing.twice] == [sentence]


@pytest.mark.parametrize(
    ("kind", "after", "sides", "wrong"),
    [
        ("power", AFTER, ("c3",), []),
        ("power", {**BEFORE, "c2": "a 8"}, ("c3",),
         ["c2 was switched off, and it was not to be", "c3 was to be fenced, and no node was"]),
        ("partition", BEFORE, ("c3",), ["c3 was to be fenced, and no node was"]),
        ("corosync", BEFORE, ("c3",), []),
        ("corosync", AFTER, ("c3",), []),
        ("stop-node", AFTER, (), ["c3 was switched off, and it was not to be"]),
        ("fence-race", AFTER, ("c1", "c3"), []),
        ("fence-race", {**AFTER, "c1": ""}, ("c1", "c3"),
         ["c1 and c3 were switched off: neither side survived"]),
    ],
)  # fmt: skip
def test_exactly_one_side_survives_and_the_right_node_goes(
    kind: str, after: dict[str, str], sides: tuple[str, ...], wrong: list[str]
) -> None:
    said = Boots(BEFORE, after, sides).wrong(FAULTS[kind])
    assert sorted(said) == sorted(wrong)


@pytest.mark.parametrize(
    ("fault", "members", "sides"),
    [
        (FAULTS["partition"], NODES, ("c3",)),
        (FAULTS["partition"], ("c1", "c3"), ("c1", "c3")),
        (FAULTS["freeze"], ("c1", "c3"), ("c3",)),
    ],
)
def test_of_two_nodes_that_are_cut_off_either_may_be_fenced(
    fault: Fault, members: tuple[str, ...], sides: tuple[str, ...]
) -> None:
    assert sides_of(fault, "c3", members) == sides


def reported(trace: Trace) -> DrillReport:
    figures = measure(trace, Objectives(client_errors=1))
    return DrillReport(
        "web", "2026-11-23T12:00:00+00:00", "ops@desk", {}, "memcached", CACHE_LOAD, 1,
        Objectives(client_errors=1), (DrillResult(trace, figures),), (),
    )  # fmt: skip


def test_the_report_says_what_fencing_did() -> None:
    text = "\n".join(drill.render_text(reported(FENCED)))
    assert "power on c3: c3 off after 3.50 s, what ran there elsewhere: 6 s" in text
    assert "power on c3: back in the cluster: 30 s" in text
    assert "power on c3: nothing was active on two nodes at once" in text
    assert "MISSED" not in text
    assert "is off, or boots still" not in text


def test_a_failure_of_fencing_is_in_every_form_of_the_report() -> None:
    other = Boots(BEFORE, {**BEFORE, "c2": "a 8"}, ("c3",))
    report = reported(replace(FENCED, boots=other, recordings=(TWICE, *RECORDED[1:])))
    text, data = "\n".join(drill.render_text(report)), drill.to_data(report)
    page = drill_page.render(data)
    for said in (
        "c2 was switched off, and it was not to be",
        "c3 was to be fenced, and no node was",
        "vip-a was active on c1 and c3 at once, for 0.5 s",
    ):
        assert f"power on c3: {said}" in text
        assert said in data["drills"][0]["fencing"]["wrong"]
        assert f"✗ {said}" in page
    assert "MISSED" in text
    assert data["drills"][0]["fencing"]["active_twice"][0]["from_seconds"] == 2.9
    assert "until c3 was off" in drill_page.render(drill.to_data(reported(FENCED)))
