"""The drills' page in a real browser: what a person sees and does, with a real run's JSON."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

import pytest

from pacefab.report import drill_page
from tests.cluster.browser import Page

CAPTURED = Path(__file__).parents[1] / "captured" / "drill.json"


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """Four drills of a cluster that fences, as --json wrote them; one objective made unreachable.

    They are those of a longer run during which nothing else used the machine.
    """
    found: dict[str, Any] = json.loads(CAPTURED.read_text(encoding="utf-8"))
    goal = next(one for one in found["drills"][0]["objectives"] if one["objective"] == "recovery")
    goal |= {"limit": 0.5, "passed": False}
    found["objectives"]["recovery"] = 0.5
    found["drills"][0]["passed"] = found["passed"] = False
    return found


@pytest.fixture(scope="module")
def file(data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "drill.html"
    path.write_text(drill_page.render(data), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(file: Path) -> Page:
    return Page(file, file.with_name("profile"))


def test_it_renders_without_a_word_on_the_console(page: Page, data: dict[str, Any]) -> None:
    assert page.console == []
    assert page.texts("//h1") == [f"Drills on {data['cluster']}"]
    headings = [f"{one['kind']} on {one['node']}" for one in data["drills"]]
    assert page.texts("//section[contains(@class,'drill')]//h2") == headings


def test_it_needs_no_network(file: Path) -> None:
    assert (
        re.findall(
            r"(?:src|href|action)\s*=\s*[\"']?\s*(?:https?:|//)|url\(|@import",
            file.read_text(encoding="utf-8"),
        )
        == []
    )


def test_the_table_has_the_numbers_of_the_json(page: Page, data: dict[str, Any]) -> None:
    for place, one in enumerate(data["drills"], start=2):
        cells = page.texts(f"//table[@id='objectives']//tr[{place}]/td")
        assert cells[:2] == [one["kind"], one["node"]]
        assert numbers(cells[2]) == pytest.approx(some(one["noticed_seconds"]), rel=0.05)
        for cell, goal in zip(cells[3:], one["objectives"], strict=False):
            assert numbers(cell) == pytest.approx(some(goal["measured"]), rel=0.05, abs=0.001)


def test_a_missed_objective_is_reported_in_words(page: Page) -> None:
    assert page.texts("//header//*[contains(@class,'badge')]")[0] == "✗ objectives missed"
    (missed,) = page.texts("//table[@id='objectives']//td[contains(., 'missed')]")
    assert missed.startswith("✗ missed:")
    assert page.texts("//table[@id='objectives']//tr/td[last()]")[:2] == ["✗ fail", "✓ pass"]


def test_the_curves_have_a_point_for_each_window(page: Page, data: dict[str, Any]) -> None:
    for place, one in enumerate(data["drills"]):
        curves = page.values(f"//svg[@data-drill='{place}']//path[contains(@class,'worst')]/@d")
        assert len(curves) == 2  # for wide and for narrow screens
        assert {curve.count(",") for curve in curves} == {len(one["timeline"]["seconds"])}


def test_every_event_is_shown_with_its_time(page: Page, data: dict[str, Any]) -> None:
    for place, one in enumerate(data["drills"], start=1):
        (reported,) = page.texts(f"(//ol[@class='events what'])[{place}]")
        for event in one["events"]:
            assert f"{event['seconds']:+.1f} s {event['text']}" in reported


def test_it_is_readable_on_a_phone(file: Path) -> None:
    # A frame: a window of the browser's is never as narrow as that.
    frame = file.with_name("phone.html")
    content = escape(file.read_text(encoding="utf-8"))
    frame.write_text(f"<body>{_PHONE.format(content)}</body>", encoding="utf-8")
    page = Page(frame, file.with_name("phone"))
    needed, there = (int(page.values(f"//body/@data-{name}")[0]) for name in ("needed", "there"))
    assert there == 390
    assert needed <= there  # nothing to scroll sideways for
    assert float(page.values("//body/@data-letters")[0]) >= 9  # pixels


_PHONE = """
<iframe width="390" height="800" frameborder="0" srcdoc="{}"></iframe>
<script>
document.querySelector("iframe").addEventListener("load", (event) => {{
  const inner = event.target.contentDocument;
  const shown = [...inner.querySelectorAll("svg")].filter((svg) => svg.clientWidth > 0);
  const letters = shown.map((svg) => svg.clientWidth / svg.viewBox.baseVal.width * 11);
  document.body.dataset.needed = inner.documentElement.scrollWidth;
  document.body.dataset.there = event.target.contentWindow.innerWidth;
  document.body.dataset.letters = Math.min(...letters);
}});
</script>
"""


def test_every_dip_is_lettered_and_explained(page: Page, data: dict[str, Any]) -> None:
    for place, one in enumerate(data["drills"]):
        letters = page.texts(f"//svg[@data-drill='{place}' and @class='wide']//*[@class='letter']")
        reported = page.texts(
            f"//section[contains(@class,'drill')][{place + 1}]//ol[contains(@class,'dips')]/li"
        )
        assert [text.partition("+")[0].strip() for text in reported if "+" in text]
        assert len(reported) == len(letters) > 0
        ratios = [text for text in reported if "hit ratio down to" in text]
        assert ratios
        for text in ratios:
            assert any(f"“{event['text']}”" in text for event in one["events"])


def test_pointing_at_the_chart_reads_the_window_below(file: Path, data: dict[str, Any]) -> None:
    point = """
      const picture = document.querySelector("svg[data-drill='0']");
      const place = {clientX: picture.getBoundingClientRect().right};
      picture.dispatchEvent(new PointerEvent("pointermove", place));
    """
    page = Page(file, file.with_name("pointed"), point)
    assert page.console == []
    line = data["drills"][0]["timeline"]
    said = page.texts("//p[@class='reading']")[0]
    assert said.startswith(f"{line['seconds'][-1]:.1f} s · hit ratio ")
    assert f"{line['operations'][-1]} operations" in said


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"\d+\.?\d*", text)]


def some(value: float | None) -> list[float]:
    return [] if value is None else [value]
