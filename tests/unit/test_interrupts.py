"""Signals: raised at once before anything is changed, then only between commands on nodes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from pacefab import interrupts
from pacefab.errors import CommandError, add_ending
from pacefab.transport.fanout import fan_out, values


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Leave the process's signals as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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


def test_what_became_of_it_is_said_in_errors_too() -> None:
    error = CommandError("change", "it failed", "look")
    add_ending(error, "c1 is as before")
    add_ending(error, "")
    assert error.next_step == "c1 is as before; look"
