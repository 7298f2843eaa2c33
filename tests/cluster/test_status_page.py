"""The page of `status --html` in a real browser, from what a real stack was and said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pacefab.errors import UnreachableError
from pacefab.report.pages import status
from pacefab.services.memcached.probe import Answer
from pacefab.services.probes.probe import Reading
from pacefab.workflows.checks.health import Health
from tests.cluster.browser import Page, assert_it_fits_a_phone
from tests.unit import healths

NODES = ("controller1-vm", "controller2-vm", "controller3-vm")
WHEN = datetime(2026, 11, 29, 3, 30, tzinfo=UTC)
SERVES = Answer(served=True, error="", seconds=0.002, stats={"version": "1.6.18"}, settings={})
REASON = "Pacemaker calls galera Promoted on controller2-vm, yet it does not serve: <timed out>"


def health() -> Health:
    """Return the captured stack with a database that hangs."""
    synced = Reading("", {"state": "Synced", "cluster_size": 3.0, "receive_queue": 12.0})
    readings = {NODES[0]: synced, NODES[1]: Reading("timed out after 3 s"), NODES[2]: synced}
    vips = healths.service("vips", {NODES[0]: Reading()}, "vip-db", "vip-qpid")
    return healths.health(
        healths.memcached(dict.fromkeys(NODES, SERVES)),
        healths.service("galera", readings),
        vips,
        monitored="monitor-services.xml",
        reasons=(REASON,),
        notices=("fencing is disabled",),
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "status.html"
    path.write_text(status.render(health(), WHEN), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def page(file: Path) -> Page:
    return Page(file, file.with_name("profile"))


def test_the_verdict_and_its_reasons_come_first(page: Page) -> None:
    assert page.console == []
    assert page.texts("//*[@id='verdict']") == ["✗ degraded"]
    assert page.texts("//*[@id='reasons']//li") == [REASON]
    assert page.texts("//*[@id='notices']//li") == ["fencing is disabled"]


def test_the_matrix_shows_what_runs_where(page: Page) -> None:
    assert page.texts("//table[@id='matrix']//th") == ["resource", *NODES]
    rows = {
        name: page.texts(f"//table[@id='matrix']//tr[td[1][normalize-space()='{name}']]/td")[1:]
        for name in ("galera", "redis", "vip-db")
    }
    assert rows["galera"] == ["● Promoted"] * 3
    assert sorted(rows["redis"]) == ["● Promoted", "● Unpromoted", "● Unpromoted"]
    assert sorted(rows["vip-db"]) == ["-", "-", "● Started"]


def test_each_service_has_its_figures(page: Page) -> None:
    cells = page.texts("//section[@id='service-galera']//tbody/tr[1]/td")
    assert cells[:6] == ["controller1-vm", "Started", "✓ yes", "Synced", "3", "12"]
    (hung,) = page.texts("//section[@id='service-galera']//tbody/tr[2]/td[3]")
    assert hung == "✗ no: timed out after 3 s"
    assert page.texts("//section[@id='service-vips']//tbody/tr/td[1]") == [
        "vip-db on controller1-vm", "vip-qpid on controller1-vm",
    ]  # fmt: skip


def test_it_needs_no_network(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"(?:src|action)\s*=|url\(|@import", text) == []
    assert re.findall(r"href=\S*", text) == ['href="data:,">']


def test_a_healthy_cluster_has_no_box_of_reasons(file: Path) -> None:
    path = file.with_name("healthy.html")
    path.write_text(status.render(replace(health(), reasons=()), WHEN), encoding="utf-8")
    page = Page(path, path.with_name("healthy"))
    assert page.texts("//*[@id='verdict']") == ["✓ healthy"]
    assert page.texts("//*[@id='reasons']") == []


def test_a_cluster_that_nobody_could_ask_has_a_page_too(file: Path) -> None:
    error = UnreachableError("open an SSH session", "connection refused", "is it up?", host="c3")
    path = file.with_name("unknown.html")
    path.write_text(status.render_unknown(error, WHEN), encoding="utf-8")
    page = Page(path, path.with_name("unknown"))
    assert page.texts("//*[@id='verdict']") == ["✗ unknown"]
    assert "connection refused" in page.texts("//*[@id='reasons']")[0]


def test_what_operators_have_set_is_neither_good_nor_bad(file: Path) -> None:
    whole = healths.health(monitored="monitor-standby.xml")
    path = file.with_name("standby.html")
    path.write_text(status.render(whole, WHEN), encoding="utf-8")
    page = Page(path, path.with_name("standby"))
    row = "//table[@id='matrix']//tr[td[1]='the node itself']/td[position()>1]"
    assert page.texts(row) == ["● online", "○ standby", "● online"]
    assert page.values(f"{row}/@class") == ["good", "none", "good"]


def test_it_is_readable_on_a_phone_and_in_the_dark(file: Path) -> None:
    assert_it_fits_a_phone(file)
