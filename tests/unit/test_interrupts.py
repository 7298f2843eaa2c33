"""Signals: raised at once before anything is changed, then only between commands on nodes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from fabric import Config, Connection

from pacefab import interrupts
from pacefab.errors import CommandError, add_ending
from pacefab.pacemaker.readiness import StartFailedError
from pacefab.report.text import Printer
from pacefab.tasks import cluster
from pacefab.transport.connection import Access, Host
from pacefab.transport.fanout import fan_out, values
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.rollout import rollout
from pacefab.workflows.rollout.rollout import _RolloutRun
from tests.unit.screens import Terminal


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Leave the process's signals as they were, and forget those that came."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    with interrupts.listening():
        pass


def come(number: int = signal.SIGTERM) -> None:
    """Send this process a signal; Python calls its handler before it goes on."""
    os.kill(os.getpid(), number)


def interrupted(work: Callable[[], object]) -> interrupts.Interrupted:
    """Return how a command ended that was interrupted."""
    try:
        with interrupts.listening():
            work()
    except interrupts.Interrupted as stop:
        return stop
    raise AssertionError("it was not interrupted")


def change(host: str) -> None:
    """Change a host; a signal comes meanwhile."""
    with interrupts.changing(host):
        come()


def test_before_anything_is_changed_it_ends_at_once() -> None:
    steps: list[str] = []

    def work() -> None:
        come()
        steps.append("went on")

    stop = interrupted(work)
    assert steps == []
    assert interrupts.sentence(stop) == "interrupted: nothing was changed"
    assert interrupts.status(stop) == 143


def test_a_change_under_way_ends_first_and_none_is_begun_after_it() -> None:
    steps: list[str] = []

    def work() -> None:
        with interrupts.changing("c1"):
            come(signal.SIGINT)
            assert interrupts.under_way() == ("c1",)
            steps.append("done")
        change("c2")

    stop = interrupted(work)
    assert steps == ["done"]
    assert interrupts.changed() == ("c1",)
    assert "what already ran on c1 finishes there" in interrupts.sentence(stop)
    assert interrupts.status(stop) == 130


def test_what_is_undone_is_undone_to_its_end_whatever_comes() -> None:
    undone: list[str] = []

    def undo(name: str, _: int) -> str:
        interrupts.check()
        with interrupts.changing(name):
            undone.append(name)
        return name

    def work() -> None:
        change("c1")
        try:
            interrupts.check()
        except KeyboardInterrupt as stop:
            with interrupts.undoing():
                come()
                come()
                assert list(values(fan_out({"c1": 1, "c2": 2}, undo))) == ["c1", "c2"]
            add_ending(stop, "c1 is as before")
            raise

    assert interrupts.sentence(interrupted(work)) == "interrupted: c1 is as before"
    assert sorted(undone) == ["c1", "c2"]


def test_a_signal_that_comes_while_undoing_counts_afterwards() -> None:
    steps: list[str] = []

    def work() -> None:
        with interrupts.undoing():
            change("c1")
            interrupts.check()
            steps.append("undone")
        interrupts.check()
        steps.append("went on")

    interrupted(work)
    assert steps == ["undone"]


def test_a_signal_that_comes_when_all_is_done_keeps_the_next_task_from_running() -> None:
    stop = interrupted(lambda: change("c1"))
    assert "this task is done" in interrupts.sentence(stop)


def test_a_fan_out_that_is_undone_next_waits_for_what_is_under_way() -> None:
    begun, may_end = threading.Event(), threading.Event()
    ended: list[str] = []

    def work(name: str, _: int) -> None:
        with interrupts.changing(name):
            begun.set()
            may_end.wait(10)
            ended.append(name)

    def interrupt() -> None:
        begun.wait(10)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        may_end.set()

    threading.Thread(target=interrupt, daemon=True).start()
    interrupted(lambda: fan_out({"c1": 1}, work, patient=True))
    assert ended == ["c1"]


def test_a_question_ends_at_once_though_something_was_changed() -> None:
    steps: list[str] = []

    def work() -> None:
        with interrupts.changing("c1"):
            pass
        with interrupts.at_once():
            come()
            steps.append("went on")

    interrupted(work)
    assert steps == []


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in `fab … &` of a script
    with interrupts.listening():
        come(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_between_two_tasks_ends_the_command_with_a_word(
    number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
    interrupts.prepare()
    with interrupts.listening():
        pass
    with pytest.raises(SystemExit) as ended:
        come(number)
    assert ended.value.code == 128 + number
    assert capfd.readouterr().err == "interrupted: no task was under way\n"


def test_a_signal_after_the_last_task_says_nothing_of_python() -> None:
    late = "atexit.register(os.kill, os.getpid(), signal.SIGTERM)"
    code = (
        f"import atexit, os, signal; from pacefab import interrupts; {late}; interrupts.prepare()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")


def test_a_signal_while_a_task_stops_listening_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    restore, previous, due = signal.signal, signal.getsignal(signal.SIGINT), [signal.SIGTERM]

    def restored(number: int, handler: Any) -> Any:
        if handler is previous and due:  # the task is over, SIGTERM is still the task's
            come(due.pop())
        return restore(number, handler)

    def work() -> None:
        with interrupts.changing("c1"):
            pass

    monkeypatch.setattr(signal, "signal", restored)
    assert interrupts.status(interrupted(work)) == 143


def test_an_ignored_signal_stays_ignored_by_the_program() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    interrupts.prepare()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_task_that_a_signal_ended_well_leaves_the_next_one_listening() -> None:
    with interrupts.listening(), contextlib.suppress(interrupts.Interrupted):  # status --watch
        come()
    assert interrupts.status(interrupted(come)) == 143


def test_who_waits_for_another_run_has_changed_nothing() -> None:
    with interrupts.listening():
        with interrupts.changing("c1", waiting=True):
            assert interrupts.under_way() == ()
        assert interrupts.changed() == ()


def test_a_session_that_an_interruption_ends_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def establish(_: Host) -> None:
        raise interrupts.Interrupted(signal.SIGINT)

    monkeypatch.setattr(Host, "_establish", establish)
    host = Host("c1", Connection("c1", config=Config(lazy=True)), Access())
    host.open_ahead()
    with pytest.raises(interrupts.Interrupted):
        host.query([])


def test_a_failed_rollout_is_taken_back_though_a_signal_came_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    restored: list[str] = []

    def settle(*_: object) -> None:
        change("c1")
        raise StartFailedError("start memcached", "it does not", "look")

    def journals(*_: object) -> str:
        interrupts.check()
        return "\nc1: why"

    def restore(*_: object) -> None:
        interrupts.check()
        restored.append("c1")

    monkeypatch.setattr(apply_cib, "settle_plan", settle)
    monkeypatch.setattr(rollout, "last_words", journals)
    monkeypatch.setattr(rollout, "restore_cluster", restore)
    seen: Any = MagicMock()
    run = _RolloutRun(rollout.Rollout(seen), {}, seen, seen, seen)
    with pytest.raises(StartFailedError, match="c1: why"), interrupts.listening():
        run._follow(seen, seen, seen, {})  # noqa: SLF001  # what deploys do once the CIB is patched
    assert restored == ["c1"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 2), (signal.SIGTERM, None)])
def test_watching_ends_by_ctrl_c_with_the_last_looks_status(
    monkeypatch: pytest.MonkeyPatch, number: int, status: int | None
) -> None:
    def end(_: float) -> None:
        raise interrupts.Interrupted(number)

    monkeypatch.setattr(cluster, "_look", lambda _: CommandError("ask", "no answer"))
    monkeypatch.setattr("time.sleep", end)
    run: Any = SimpleNamespace(printer=Printer(Terminal()))
    try:
        ended = cluster._watch(run, "text", 1)  # noqa: SLF001  # the task asks for hosts first
    except interrupts.Interrupted:
        ended = None
    assert ended == status


def test_what_became_of_it_is_said_in_errors_too() -> None:
    error = CommandError("change", "it failed", "look")
    add_ending(error, "c1 is as before")
    add_ending(error, "")
    assert error.next_step == "c1 is as before; look"
