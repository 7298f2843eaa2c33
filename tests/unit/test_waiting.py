"""Waiting: until something holds, until time is up, until the look itself fails."""

from __future__ import annotations

import time

import pytest

from pacefab.errors import CommandError
from pacefab.waiting import Pending, wait_until


def test_the_first_result_ends_the_wait() -> None:
    looks = iter([Pending("nothing"), Pending("half"), 0])
    assert wait_until(lambda: next(looks), 60, poll=0) == 0  # false, and still a result
    assert next(looks, "no more looks") == "no more looks"


def test_when_time_is_up_the_last_look_says_what_is_missing() -> None:
    looks = iter(range(1_000_000))
    begun = time.monotonic()
    found = wait_until(lambda: Pending(f"look {next(looks)}"), 0.05, poll=0.01)
    assert isinstance(found, Pending)
    assert found.seen == f"look {next(looks) - 1}"
    assert time.monotonic() - begun >= 0.05


def test_without_time_there_is_one_look() -> None:
    assert wait_until(lambda: "there", 0) == "there"
    assert wait_until(lambda: Pending("absent"), -1) == Pending("absent")


def test_an_error_of_the_look_ends_the_wait() -> None:
    def look() -> Pending:
        raise CommandError("ask", "connection lost")

    heard: list[str] = []
    with pytest.raises(CommandError):
        wait_until(look, 60, waits=heard.append)
    assert heard == [""]  # nothing is waited for any more
