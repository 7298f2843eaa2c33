"""Nothing that is shown fails for an encoding, a locale, a colour; nor does it move a cursor."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pacefab.errors import CommandError
from pacefab.host.model import Mark, Outcome
from pacefab.inventory.objectives import Objectives
from pacefab.report import drill_page, health, live, plan, verification
from pacefab.report.stream import clean
from pacefab.report.text import Printer, render_last_words
from pacefab.services.checks import Check
from pacefab.workflows.checks.verification import Verification
from tests import conftest
from tests.unit.screens import NarrowTerminal, Terminal, left, seen
from tests.unit.test_deploy_plan import moved
from tests.unit.test_widths import cluster

ROOT = Path(conftest.__file__).parents[1]
FAB = str(Path(sys.executable).with_name("fab"))
LOCALES = (
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "utf-8"},
)
POOREST = LOCALES[1:3]
# As in a fabfile of somebody's own: nothing of pacefab's program has been started.
EMBEDDED = """
from pacefab.errors import CommandError
from pacefab.host.model import Mark, Outcome
from pacefab.report.text import Printer
error = CommandError("read “it”", "caf\\u00e9 \\u2026 \\u4e2d \\udc80 \\x1b[31m", "→ look")
printer = Printer()
with printer.working("install", ["c1", "c2"]):
    printer.note("c1", "installing…")
    printer.waiting("c1", "…")
    printer.finished(Outcome("c1", "install", Mark.FAILED, 1.0, ("note…",), error))
printer.summary([Outcome("c1", "install", Mark.FAILED, 1.0, (), error)])
printer.lines(["{}…"])
print("whole", flush=True)
"""


def run(*argv: str, **changes: str) -> subprocess.CompletedProcess[bytes]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    return subprocess.run(argv, capture_output=True, check=False, env=kept | changes, cwd=ROOT)


@pytest.mark.parametrize("locale", LOCALES, ids=str)
def test_a_task_in_a_fabfile_of_somebodys_own_reaches_its_end(
    locale: dict[str, str], tmp_path: Path
) -> None:
    program = tmp_path / "own.py"
    program.write_text(EMBEDDED, encoding="utf-8")
    done = run(sys.executable, str(program), PYTHONPATH=str(ROOT), **locale)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.endswith(b"whole\n")
    assert b"\x1b" not in done.stdout
    if locale.get("PYTHONIOENCODING") == "ascii":
        assert b"... c1           installing..." in done.stdout
        assert b'read "it"' in done.stdout


@pytest.mark.parametrize("locale", POOREST, ids=str)
@pytest.mark.parametrize(
    "args",
    [
        ("--list",), ("--help", "client-config"), ("--help", "drill"),
        ("-H", "nödë.invalid", "status"), ("-H", "nowhere.invalid", "install-memcached"),
        ("client-config", "--format", "nô"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_program_says_what_it_says_in_any_locale(
    locale: dict[str, str], args: tuple[str, ...]
) -> None:
    done = run(FAB, *args, **locale)
    assert b"UnicodeEncodeError" not in done.stderr + done.stdout
    assert b"Traceback" not in done.stderr
    assert b"please report" not in done.stderr
    assert done.returncode in {0, 1, 2}


@pytest.mark.parametrize("locale", POOREST, ids=str)
def test_a_migration_is_accounted_for_in_any_locale(locale: dict[str, str], tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "a.sh").write_text("#!/bin/bash\n# café …\npcs öffne “das…”\n", encoding="utf-8")
    target, report = tmp_path / "made.yaml", tmp_path / "report.json"
    invoke = str(Path(FAB).with_name("invoke"))
    done = run(
        invoke, "migrate", "--from", str(scripts), "--to", str(target), "--report", str(report),
        **locale,
    )  # fmt: skip
    assert b"UnicodeEncodeError" not in done.stderr + done.stdout
    assert "öffne" in report.read_text(encoding="utf-8")  # files are UTF-8 whatever the terminal is


def test_a_terminal_in_a_one_byte_encoding_shows_work_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = NarrowTerminal()
    printer = Printer(terminal)
    with printer.working("deploy", ["c1"]):
        printer.note("c1", "it failed: putting the old configuration back…")
        printer.waiting("c1", "memcached on “c1”…")
        printer.finished(Outcome("c1", "deploy", Mark.CHANGED, 1.0))
    assert "putting the old configuration back..., 0.0 s" in terminal.getvalue()


def test_a_question_is_seen_where_the_output_goes_into_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr("builtins.input", lambda: "y")
    assert Printer(pipe).ask("Apply this? [y/N] ") == "y"
    assert capsys.readouterr().err == "Apply this? [y/N] "
    assert pipe.getvalue() == ""


def test_notes_and_reports_name_commands_as_they_are_typed() -> None:
    pipe = io.StringIO()
    printer = Printer(pipe, lambda line: line.replace("fab ", "pacefab "))
    printer.note("c1", "see fab status")
    printer.finished(Outcome("c1", "verify", Mark.FAILED, 1.0, ("run fab deploy",)))
    printer.text(["degraded: fab create-memcached makes it"])
    assert pipe.getvalue().count("pacefab ") == 3
    printer.lines(["# fab of a file"])
    assert pipe.getvalue().endswith("\n# fab of a file\n")


def test_a_host_that_goes_on_after_the_end_leaves_no_live_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    printer = Printer(terminal)
    with printer.working("deploy", ["c1"]):
        pass
    printer.note("c1", "installing")
    printer.waiting("c1", "a lock")
    assert left(terminal.getvalue()) == ["… c1           installing"]


def test_a_nodes_words_move_no_cursor() -> None:
    evil = "\x1b]0;title\x07\x1b[2J\rback\x08\x9b31m\u202eabc\x00"
    pipe = io.StringIO()
    printer = Printer(pipe)
    error = CommandError("read it", evil, "look")
    printer.note("c1", evil)
    printer.finished(Outcome("c1", "install", Mark.FAILED, 1.0, (evil,), error))
    printer.summary([Outcome("c1", "install", Mark.FAILED, 1.0, (), error)])
    printer.lines([evil])
    shown = pipe.getvalue() + render_last_words(error, io.StringIO())
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert r"\x1b[2J" in shown


def test_line_ends_and_tabs_stay_as_they_are() -> None:
    assert clean("a\tb\r\nc\n") == "a\tb\nc\n"


def test_what_a_node_says_makes_no_junit_and_no_page_unreadable() -> None:
    check = Check("set and get", "c1", ok=False, seen="\x1b[31m\x00", cause="\x08")
    assert rb"\x1b[31m" in verification.render_junit(Verification("memcached", "web", (check,)))
    page = drill_page.render(page_data(reasons=["\x1b[31mred\x07"]))
    assert r"\x1b[31mred\x07" in page
    assert "\x1b" not in page


def page_data(**changes: Any) -> dict[str, Any]:
    """Return a run without a drill."""
    load = {"what": "clients", "operations_per_second": 1, "threads": 1, "servers": [],
            "options": {}}  # fmt: skip
    return {
        "cluster": "web", "service": "redis", "begun": "2026-11-23T12:00:00+00:00", "passed": True,
        "load": load,
        "healthy_after": True, "reasons": [], "objectives": Objectives().model_dump(), "drills": [],
        **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
    ids=str,
)
def test_colour_is_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        printer = Printer(stream)
        printer.text(health.render_text(cluster()), health.style)
        printer.text(plan.render_text(moved()), plan.style)
        stream.write(render_last_words(CommandError("try", "no", "look"), stream))
    assert "\x1b" not in pipe.getvalue()
    lines = terminal.getvalue().splitlines()
    for begin in ("degraded:", "  ~ update", "error"):
        (line,) = [line for line in lines if seen(line) and seen(line)[0].startswith(begin)][:1]
        assert line.startswith("\x1b[") is coloured


def test_a_log_without_a_terminal_shows_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUIET_SECONDS", 0.0)
    log = io.StringIO()
    printer = Printer(log)
    with printer.working("install-memcached", ["c1", "c2"]):
        printer.note("c1", "installing the package with apt-get")
        printer.waiting("c1", "another package manager's lock")
        wait_for(log, "waiting: another package manager's lock, ")
        wait_for(log, "c2")
    assert "\x1b" not in log.getvalue()


def test_a_terminal_shows_each_host_since_when_and_keeps_its_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "4")
    terminal = Terminal()
    printer = Printer(terminal)
    with printer.working("install-memcached", [f"c{number}" for number in range(1, 9)]):
        printer.note("c1", "installing " + "the package " * 20)
        wait_for(terminal, "the package the pack...  ")  # its seconds are not cut
        wait_for(terminal, "and 6 more hosts")
    assert max(map(len, seen(terminal.getvalue()))) <= 60
    (note, *folded) = left(terminal.getvalue())  # and nothing of the live lines
    assert note.startswith("… c1 ")
    assert re.search(r", \d+\.\d s$", folded[-1])


def wait_for(stream: io.StringIO, text: str) -> None:
    """Wait until the text is there; the suite's own time limit ends it otherwise."""
    for _ in range(200):
        if text in stream.getvalue():
            return
        time.sleep(0.05)
    raise AssertionError(stream.getvalue())


def test_a_line_of_a_file_has_the_colour_of_its_sign() -> None:
    assert plan.style("  /etc/memcached.conf: + -m 128") == "green"
    assert plan.style("  /etc/memcached.conf: - -m 64") == "red"
    assert plan.style("  note: takes effect at the next restart") == ""
