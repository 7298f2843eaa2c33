"""One screen of text: what an operator reads."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pacefab.drill.drill import DrillReport, DrillResult
from pacefab.drill.figures import measure
from pacefab.errors import CommandError, PacefabError, UnreachableError
from pacefab.host.model import Mark, Outcome
from pacefab.inventory.objectives import Objectives
from pacefab.pacemaker import monitor
from pacefab.report import drill, drill_page, health, history
from pacefab.report.table import table
from pacefab.report.text import Printer, render_error
from pacefab.transport import fanout
from pacefab.workflows.checks.health import Health
from pacefab.workflows.nodes import progress
from pacefab.workflows.rollout.history import History
from pacefab.workflows.transaction.entry import Entry, State
from tests.unit import captured
from tests.unit.test_drill_figures import CACHE_LOAD, TRACE

LONG = "\n".join(f"line {n}" for n in range(40))
FAILED = CommandError("install memcached", LONG, "look", host="c2")


def test_one_failed_host_never_hides_the_others() -> None:
    screen = io.StringIO()
    outcomes = [
        Outcome("c1", "install-memcached", Mark.CHANGED, 1.25, ("package installed",)),
        Outcome("c2", "install-memcached", Mark.FAILED, 0.5, (), FAILED),
    ]
    printer = Printer(screen)
    for outcome in outcomes:
        printer.finished(outcome)
    printer.summary(outcomes)
    lines = screen.getvalue().splitlines()
    assert lines[0].split() == ["+", "c1", "install-memcached", "changed", "1.2", "s"]
    assert lines[1] == "    package installed"
    assert lines[2].startswith("! c2")
    assert re.fullmatch(r"install-memcached: 1 changed, 1 failed in \d+\.\d s", lines[3])
    assert "error on c2" in lines


def test_an_error_fits_one_screen_and_ends_with_what_to_do() -> None:
    lines = render_error(FAILED)
    assert len(lines) < 20
    assert lines[0] == "error on c2"
    assert lines[1] == "  attempted: install memcached"
    assert lines[2] == "  seen:      (28 lines before these)"
    assert lines[-1] == "  next:      look"


def test_results_keep_the_order_of_the_hosts_and_errors_are_values() -> None:
    def call(name: str, value: int) -> int:
        if name == "b":
            raise PacefabError("try", "no")
        if name == "c":
            raise KeyError("surprise")
        return value * 2

    results = fanout.fan_out({"a": 1, "b": 2, "c": 3, "d": 4}, call, limit=2)
    assert list(results) == ["a", "b", "c", "d"]
    assert fanout.values(results) == {"a": 2, "d": 8}
    failed = fanout.errors(results)
    assert failed["b"].host == "b"
    assert "surprise" in failed["c"].seen


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_hosts_at_a_time_than_allowed(limit: int) -> None:
    lock, now, most = threading.Lock(), [0], [0]
    full = threading.Barrier(limit, timeout=5)

    def call(_: str, __: int) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        full.wait()  # as many as allowed are really there at once
        with lock:
            now[0] -= 1

    fanout.fan_out(dict.fromkeys("abcdef"[: limit * 2], 0), call, limit=limit)
    assert most[0] == limit


def test_what_is_said_to_nobody_keeps_no_work_from_its_end() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as screen:
        printer = Printer(screen)
        printer.note("c1", "process: undoing it")
        printer.note("c1", "process: undone")
    assert printer.lost is not None
    assert printer.lost.errno == errno.EPIPE


@pytest.mark.parametrize("args", [("--list",), ("-H", "nowhere.invalid", "status")])
def test_a_reader_who_leaves_is_no_defect(args: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    fab = str(Path(sys.executable).with_name("fab"))
    done = subprocess.run([fab, *args], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_node_that_could_not_show_its_history_is_named() -> None:
    entry = Entry("20261123T195000.000000Z", "web", "ops@desk", ("add clone memcached-clone", "x"))
    away = UnreachableError("open an SSH session", "connection refused", "is it up?", host="c3")
    first, hint, *rest = history.render_text(History({entry: "c1"}, {"c3": away}))
    assert first.split(maxsplit=1) == [
        "1",
        "2026-11-23 19:50:00 UTC  ops@desk  add clone memcached-clone; and 1 more change",
    ]
    assert "--number" in hint
    assert "error on c3" in rest
    assert history.render_text(History({}, {})) == ["the nodes know of no apply"]
    undone = replace(entry, state=State.UNDONE)
    line, hint = history.render_text(History({undone: "c1"}, {}))
    assert line.endswith(" (undone)")
    assert hint == "there is nothing to roll back: each was undone, or only restarted"


def test_a_table_stands_in_columns_and_folds_nothing() -> None:
    long = "no: " + "Connection refused " * 10
    lines = table(("node", "answers"), [("controller1-vm", "yes, 2 ms"), ("c2", long)])
    assert lines[0] == "node            answers"
    assert lines[1] == "controller1-vm  yes, 2 ms"
    assert lines[2] == f"c2              {long.rstrip()}"


def test_nothing_to_show_is_no_empty_line() -> None:
    screen = io.StringIO()
    Printer(screen).lines([])
    assert screen.getvalue() == ""


def test_a_failure_that_pacemaker_remembers_comes_with_how_it_is_forgotten() -> None:
    status = monitor.parse(captured.text("debian13", "monitor-started.xml"))
    unhealthy = Health("web", status, (), (), reasons=("start failed",))
    *_, last = health.render_text(unhealthy)
    assert last.endswith("pcs resource cleanup memcached")
    *_, last = health.render_text(replace(unhealthy, status=replace(status, failures=())))
    assert last == "degraded: start failed"


class Clock:
    """A clock that moves when a test moves it."""

    now = 100.0

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now


def test_the_time_of_a_line_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    watch = progress.Stopwatch("deploy", Printer(io.StringIO()))
    clock.now += 2  # the hosts are asked
    unreachable = watch.fail_all({"c8": FAILED, "c9": FAILED})
    watch.begin("c1", "c2")
    clock.now += 3
    first = watch.finish("c1", Mark.CHANGED)
    clock.now += 1
    second = watch.finish("c2", Mark.CHANGED)
    asked = watch.finish("c3", Mark.UNCHANGED)
    clock.now += 7  # the operator is asked
    watch.begin()
    clock.now += 5
    cluster = watch.finish("web", Mark.CHANGED)
    lines = (*unreachable, first, second, asked, cluster)
    assert [line.seconds for line in lines] == [2, 2, 3, 4, 6, 5]


def test_a_drill_without_virtual_addresses_has_no_column_for_them() -> None:
    samples = tuple(replace(sample, vips={}) for sample in TRACE.samples)
    trace = replace(TRACE, samples=samples)
    result = DrillResult(trace, measure(trace, Objectives()))
    begun = "2026-11-23T12:00:00+00:00"
    report = DrillReport(
        "web", begun, "ops@desk", {}, "memcached", CACHE_LOAD, 1, Objectives(), (result,), ()
    )
    assert "VIPs" not in drill.render_text(report)[0]
    data = drill.to_data(report)
    assert "VIP away" not in drill_page.render(data)
    assert "ops@desk" in drill_page.render(data)


def test_a_time_of_a_report_is_the_one_of_the_clock_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        local = drill_page.local_time("2026-11-23T17:33:21+00:00")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert local == "2026-11-23 18:33:21 CET (UTC+0100)"
