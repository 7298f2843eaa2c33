"""Whatever is shown fits the terminal, without losing a word; a pipe has no width."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pacefab.clients.finding import Finding
from pacefab.drill.drill import DrillReport, DrillResult
from pacefab.drill.figures import measure
from pacefab.errors import CommandError, UnreachableError
from pacefab.host.model import Mark, Outcome
from pacefab.inventory.objectives import Objectives
from pacefab.legacy.migrate import migrate
from pacefab.report import clients, drill, health, history, plan, verification
from pacefab.report.migration import print_report
from pacefab.report.screen import screen
from pacefab.report.text import Printer, render_error
from pacefab.services.checks import Check, Contact
from pacefab.services.figures import Value
from pacefab.services.memcached.probe import Answer
from pacefab.services.probes.probe import Reading
from pacefab.workflows.checks.health import Health
from pacefab.workflows.checks.verification import Verification
from pacefab.workflows.rollout.history import History
from pacefab.workflows.transaction.entry import Entry
from tests.unit import healths
from tests.unit.screens import Terminal, seen
from tests.unit.test_deploy_plan import moved
from tests.unit.test_drill_figures import CACHE_LOAD, TRACE

WIDTHS = (40, 80, 100, 200)
STATS = {
    "version": "1.6.18", "uptime": "86512", "curr_items": "6906123", "bytes": "1363148",
    "limit_maxbytes": "536870912", "get_hits": "964", "get_misses": "36", "evictions": "104",
    "curr_connections": "1021",
}  # fmt: skip
SERVES = Answer(served=True, error="", seconds=0.0021, stats=STATS, settings={})
REFUSED = "connection refused by the node's own firewall, as it seems, or nothing listens there"
LONG_NODES = [f"controller-{number:02}-rack-7" for number in range(12)]
ERROR = CommandError("install memcached", "E: no space left on device " * 5, "make room " * 12)
LEGACY = Path(__file__).resolve().parents[1] / "data" / "legacy"


def cluster() -> Health:
    """Return the captured stack with memcached that serves, refuses, and was not asked."""
    answers = [
        SERVES,
        Answer(served=False, error=REFUSED, seconds=0.5, stats={}, settings={}),
        None,
    ]
    asked = healths.memcached(dict(zip(("c1", "c2", "c3"), answers, strict=True)))
    figures: dict[str, Value] = {
        "state": "Synced",
        "cluster_size": 3.0,
        "receive_queue_average": 0.25,
    }
    synced = {"c1": Reading("", figures), "c2": Reading(REFUSED), "c3": Reading("", figures)}
    vips = healths.service("vips", {"c1": Reading(), "c2": Reading(REFUSED)}, "vip-db", "vip-cache")
    reasons = ("Pacemaker calls memcached Started on c2, yet it does not serve", "c3 is standby")
    return healths.health(
        asked, healths.service("galera", synced), vips,
        cluster="openstack", monitored="monitor-mixed.xml", reasons=reasons,
        notices=("fencing is disabled: a test cluster, whose data nobody needs and nobody keeps",),
    )  # fmt: skip


def drilled() -> DrillReport:
    result = DrillResult(TRACE, measure(TRACE, Objectives()))
    trace = replace(TRACE, node=LONG_NODES[0])
    other = DrillResult(trace, measure(trace, Objectives()))
    begun = "2026-11-23T12:00:00+00:00"
    return DrillReport(
        "openstack",
        begun,
        "ops@desk",
        {},
        "memcached",
        CACHE_LOAD,
        4000,
        Objectives(),
        (result, other),
        (),
    )


def verified() -> Verification:
    contacts = [
        Contact(asker, name, "192.0.2.11", 11211, served=True, seconds=0.0021)
        for asker in LONG_NODES
        for name in LONG_NODES
    ]
    asked = [Check("set and get", "c1 -> c2", ok=True, seen="", contact=c) for c in contacts]
    failed = Check("set and get", "c1 -> c3", ok=False, seen=REFUSED, cause="a firewall on c3")
    checks = (Check("UDP off", "c1", ok=True, seen=""), failed, *asked)
    return Verification("memcached", "openstack", checks)


def applied() -> History:
    changes = ("update primitive vip-db: parameter ip from 192.0.2.130 to 192.0.2.131", "another")
    away = UnreachableError("open an SSH session", REFUSED, "is it up?", host="c3")
    entry = Entry("20261123T195000.000000Z", "web", "operator@workstation.example.org", changes)
    return History({entry: "c1"}, {"c3": away})


FINDING = Finding("/etc/nova/nova.conf", 12, "memcache_dead_retry = 300", REFUSED, "10")
REPORTS: dict[str, Callable[[int | None], list[str]]] = {
    "status": lambda width: health.render_text(cluster(), width),
    "watched": lambda width: health.render_text(cluster(), width, watched=True),
    "unknown": lambda _: health.render_unknown(ERROR),
    "drill": lambda width: drill.render_text(drilled(), width),
    "verify": lambda width: verification.render_text(verified(), width),
    "history": lambda _: history.render_text(applied()),
    "plan": lambda _: plan.render_text(moved(), full=True),
    "clients": lambda _: clients.render_findings([FINDING], ["/etc/nova/nova.conf"]),
    "error": lambda _: render_error(ERROR),
}


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    columns: int = request.param
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    return columns


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_fits_the_terminal_and_loses_no_word(width: int, report: str) -> None:
    terminal = Terminal()
    printer = Printer(terminal)
    assert printer.width == width
    printer.text(REPORTS[report](width))
    shown = seen(terminal.getvalue())
    assert max(map(len, shown)) <= width
    whole = {word for line in REPORTS[report](None) for word in line.split()}
    text = "".join("".join(shown).split())
    assert [word for word in whole if len(word) < width // 3 and word not in text] == []


def test_what_matters_most_of_a_node_stands_in_the_first_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = health.render_text(cluster(), 80)
    del lines[next(n for n, line in enumerate(lines) if line.startswith("galera ")) :]
    first, *others = [line.split() for line in lines if line.startswith("node ")]
    assert first[:4] == ["node", "Pacemaker", "memcached", "answers"]
    assert others
    assert sum(line.startswith("c1 ") for line in lines) == 1 + len(others)


def test_an_outcome_and_its_long_notes_hang_below_their_begin(width: int) -> None:
    terminal = Terminal()
    printer = Printer(terminal)
    note = "takes effect at the next restart: memory 64 to 512 MiB, connections 1024 to 4096, -U 0"
    printer.finished(Outcome(LONG_NODES[0], "install-memcached", Mark.CHANGED, 1.25, (note,)))
    printer.note("c1", note)
    shown = seen(terminal.getvalue())
    assert max(map(len, shown)) <= width
    if width == 80:
        place = next(n for n, line in enumerate(shown) if line.startswith("    takes effect"))
        assert shown[place + 1].startswith("      ")


def test_the_account_of_a_migration_fits(width: int) -> None:
    terminal = Terminal()
    print_report(migrate(LEGACY / "controllers" / "scripts"), terminal)
    assert max(map(len, seen(terminal.getvalue()))) <= width


def test_a_pipe_gets_the_whole_table_whatever_the_terminal_is(width: int) -> None:
    pipe = io.StringIO()
    printer = Printer(pipe)
    printer.text(health.render_text(cluster(), printer.width), health.style)
    assert pipe.getvalue().splitlines() == health.render_text(cluster())
    heading = next(line for line in pipe.getvalue().splitlines() if line.startswith("node "))
    assert heading.endswith("connections")


@pytest.mark.parametrize(("columns", "expected"), [("0", 80), ("", 80), ("many", 80), ("3", 20)])
def test_a_terminal_that_does_not_know_its_width_is_an_ordinary_one(
    monkeypatch: pytest.MonkeyPatch, columns: str, expected: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert Printer(Terminal()).width == expected


@pytest.mark.parametrize(("columns", "lines"), [(80, 10), (80, 24), (40, 10), (200, 6)])
def test_the_verdict_is_never_what_a_watched_screen_cuts_off(
    monkeypatch: pytest.MonkeyPatch, columns: int, lines: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    printer = Printer(terminal)
    with screen(printer, health.style) as show:
        show(["12:00:00, every 2 s; Ctrl-C ends", *REPORTS["watched"](columns)])
    frame = terminal.getvalue().partition("\x1b[H")[2].partition("\x1b[?25h")[0]
    shown = seen(frame)
    assert len(shown) <= lines
    assert max(map(len, shown)) <= columns
    assert shown[1].startswith("degraded: Pacemaker calls")
    assert re.search(r"more lines", shown[-1]) or lines > len(shown)
