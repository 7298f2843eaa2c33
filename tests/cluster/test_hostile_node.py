"""A node whose programs lie: one sentence about that node, and the others are shown as they are."""

from __future__ import annotations

import time

import pytest

from pacefab.harness.campaign.lies import LIARS, lying
from pacefab.harness.cluster import Cluster


@pytest.mark.parametrize("kind", LIARS)
def test_a_node_that_lies_is_named_and_hides_none(serving: Cluster, kind: str) -> None:
    program, script = LIARS[kind]
    with lying(serving, "c1", program, script):
        begun = time.monotonic()
        done = serving.fab("status", timeout=150)
        took = time.monotonic() - begun
        left = serving.run("c1", "pgrep -x yes", check=False).stdout
    said = done.stdout + done.stderr
    assert took < 100  # s: the limit of a look, and some
    assert done.returncode in {1, 2}, said
    assert "c1" in said.partition("degraded:")[2] + done.stderr, said
    for node in ("c2", "c3"):
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"{node} ")]
        assert "yes" in line, line
    assert "defect" not in said
    assert "Traceback" not in said
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    assert left == "", "what prints without end still runs"


def test_the_node_is_fine_again(serving: Cluster) -> None:
    done = serving.fab("status")
    assert done.returncode == 0, done.stdout
