"""Every dip of a drill's curves is explained by what happened shortly before it."""

from __future__ import annotations

import json
from typing import Any

from pacefab.report.drill_dips import find_dips, longest
from tests.unit.captured import FOLDER

LOAD = {"options": {"dead_timeout": 10}}


def a_drill(events: dict[float, str], **lines: list[Any]) -> dict[str, Any]:
    """Return a drill of thirty windows of a second, from -4 s."""
    usual = {
        "seconds": [float(second) for second in range(-4, 26)],
        "hit_ratio": [1.0] * 30, "worst_seconds": [0.01] * 30, "operations": [800] * 30,
        "errors": [0] * 30,
    }  # fmt: skip
    return {
        "hit_ratio": {"before": 1.0},
        "events": [{"seconds": at, "text": text} for at, text in events.items()],
        "timeline": usual | lines,
    }


def test_a_dip_is_put_down_to_the_event_before_it() -> None:
    ratios = [1.0] * 5 + [0.7, 0.8, 0.9] + [1.0] * 22
    drill = a_drill({0.0: "failure: killed", 9.0: "c3 answers again"}, hit_ratio=ratios)
    (dip,) = find_dips(drill, LOAD, stall=2.0)
    assert (dip.first, dip.last, dip.event) == (1.0, 3.0, 0)
    assert dip.text == "hit ratio down to 70%"


def test_clients_come_back_to_an_empty_cache_later() -> None:
    ratios = [1.0] * 20 + [0.8] + [1.0] * 9  # 12 s after it answers again
    drill = a_drill({0.0: "failure: x", 4.5: "c3 answers again", 9.0: "vip is on c3"},
                    hit_ratio=ratios)  # fmt: skip
    (dip,) = find_dips(drill, LOAD, stall=2.0)
    assert dip.event == 1
    assert dip.returns


def test_a_stall_errors_and_a_standstill_are_dips_of_their_own() -> None:
    drill = a_drill(
        {0.0: "failure: x"}, worst_seconds=[0.01] * 5 + [1.5] + [0.01] * 24,
        operations=[800] * 5 + [0] + [800] * 24, errors=[0] * 5 + [3] + [0] * 24,
    )  # fmt: skip
    found = find_dips(drill, LOAD, stall=2.0)
    assert [dip.panel for dip in found] == [1, 2, 2]
    assert [dip.event for dip in found] == [0, 0, 0]


def test_what_no_event_explains_is_not_put_down_to_one() -> None:
    drill = a_drill({0.0: "failure: x"}, operations=[800] * 20 + [10] + [800] * 9)
    (dip,) = find_dips(drill, LOAD, stall=2.0)
    assert dip.event is None


def test_every_hit_ratio_dip_of_a_real_run_has_an_event() -> None:
    data = json.loads((FOLDER / "drill.json").read_text(encoding="utf-8"))
    for drill in data["drills"]:
        found = find_dips(drill, data["load"], longest(drill))
        assert all(dip.event is not None for dip in found if dip.panel == 0)
        assert any(dip.panel == 0 for dip in found)
