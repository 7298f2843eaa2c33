"""What is promised of second runs holds, on whatever machine runs the tests.

The first install's promise is left to `invoke bench`: on nodes that share processors with other
tests its figure says more about those.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.quiet]


def test_second_runs_are_quick_and_restart_nothing(cluster: Cluster, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    options = ["--rounds", "3", "--first-rounds", "0", "--check", "--json", str(found)]
    program = str(REPOSITORY_ROOT / "scripts" / "benchmark")
    argv = [sys.executable, program, "--cluster", cluster.name, *options]

    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(found.read_text())["second"]["pacefab"]) == 3
