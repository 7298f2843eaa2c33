"""Where a chart's lines and marks are, for a drill of three windows."""

from __future__ import annotations

from typing import Any

from pacefab.report.drill_chart import LEFT, RIGHT, WIDTH, draw

LONGEST = 2.0  # seconds, of an operation


def a_drill(**changes: Any) -> dict[str, Any]:
    timeline = {
        "seconds": [-1.0, 0.0, 1.0],
        "operations": [800, 400, 800],
        "hit_ratio": [1.0, None, 0.5],
        "median_seconds": [0.0001, 0.0, 0.001],
        "worst_seconds": [0.001, 0.5, 0.01],
        "errors": [0, 3, 0],
        "unanswered_sets": [0, 1, 0],
    }
    events = [{"seconds": at, "text": text} for at, text in ((0.0, "a"), (0.01, "b"), (0.9, "c"))]
    return {"timeline": timeline, "events": events, "undone_seconds": 0.5, **changes}


def points(path: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, pair.split(","))) for pair in path.strip("MZ").split("L")]


def test_time_runs_from_the_left_edge_to_the_right_one() -> None:
    chart = draw(a_drill(), LONGEST)
    worst = points(chart.panels[1].lines[0].path)
    middle = (LEFT + WIDTH - RIGHT) / 2
    assert [x for x, _ in worst] == [LEFT, middle, WIDTH - RIGHT]
    assert chart.failure[0] == middle


def test_a_window_without_a_look_up_leaves_no_point() -> None:
    ratio = draw(a_drill(), LONGEST).panels[0]
    assert [y for _, y in points(ratio.lines[0].path)] == [ratio.top, ratio.top + ratio.height / 2]


def test_a_longer_stall_is_higher_and_the_objective_above_it() -> None:
    latency = draw(a_drill(), LONGEST).panels[1]
    heights = [y for _, y in points(latency.lines[0].path)]
    assert latency.goal
    assert latency.top < latency.goal.at < heights[1] < heights[2] < heights[0] < latency.bottom


def test_errors_are_bars_where_they_were() -> None:
    ((x, height),) = draw(a_drill(), LONGEST).panels[2].bars
    assert x == (LEFT + WIDTH - RIGHT) / 2
    assert height > 0


def test_events_close_together_share_a_mark() -> None:
    marks = draw(a_drill(), LONGEST).marks
    assert [[event["text"] for event in mark.events] for mark in marks] == [["a", "b"], ["c"]]
    assert [mark.number for mark in marks] == [1, 2]


def test_ticks_are_round_and_a_dozen_at_most() -> None:
    timeline = {**a_drill()["timeline"], "seconds": [-3.9, 0.0, 121.7]}
    labels = [tick.label for tick in draw(a_drill(timeline=timeline), LONGEST).ticks]
    assert labels == ["0 s", "15 s", "30 s", "45 s", "60 s", "75 s", "90 s", "105 s", "120 s"]
