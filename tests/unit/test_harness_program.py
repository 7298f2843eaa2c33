"""A program that fails or hangs shows what it wrote."""

from __future__ import annotations

import time

import pytest

from pacefab.harness.errors import HarnessError
from pacefab.harness.program import run, succeeds


def test_failure_shows_both_streams_and_the_node() -> None:
    with pytest.raises(HarnessError) as caught:
        run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout=5, node="c1")
    assert {"c1: exit 3: sh -c", "  out", "  err"} <= {
        line.partition(" echo")[0] for line in str(caught.value).splitlines()
    }


def test_hanging_program_ends_in_time_and_shows_what_it_wrote() -> None:
    started = time.monotonic()
    with pytest.raises(HarnessError, match=r"not done in 0\.3 s.*\n  so far"):
        run(["sh", "-c", "echo so far; exec sleep 60"], timeout=0.3)
    assert time.monotonic() - started < 5


def test_long_output_keeps_its_end() -> None:
    with pytest.raises(HarnessError) as caught:
        run(["sh", "-c", "seq 1000; exit 1"], timeout=5)
    text = str(caught.value)
    assert "  1000" in text
    assert len(text.splitlines()) < 20


def test_succeeds_is_no_error() -> None:
    assert succeeds(["true"], timeout=5)
    assert not succeeds(["false"], timeout=5)
    assert not succeeds(["sleep", "60"], timeout=0.1)
