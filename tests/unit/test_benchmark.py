"""What the benchmark makes of its figures."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "scripts" / "benchmark"


@pytest.fixture(scope="module")
def benchmark() -> Any:
    """The program as a module; it has no .py at its end."""
    loader = SourceFileLoader("benchmark", str(PROGRAM))
    spec = spec_from_loader("benchmark", loader)
    assert spec
    module = module_from_spec(spec)
    # Dataclasses look up their module by its name.
    sys.modules["benchmark"] = module
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("processors", "bare", "verdict"),
    [
        (2, 1.8, "excused"),  # the machine costs that much without us
        (2, 1.2, "missed"),  # it does not: we do
        (8, 1.8, "missed"),  # every node has a processor of its own
    ],
)
def test_a_slow_first_install_is_excused_by_the_machine_only(
    benchmark: Any, processors: int, bare: float, verdict: str
) -> None:
    def installs(ratio: float) -> Any:
        return benchmark.Installs({"c1": [1.0], "c2": [2.0], "c3": [1.5]}, [2.0 * ratio])

    runs = {"legacy": [10.0, 8.0, 9.0], "pacefab": [0.5, 1.5, 0.9]}
    restarts = {"legacy": 9, "pacefab": 0}

    results = benchmark.Results(runs, runs, restarts, installs(1.6), installs(bare), processors)

    second, restarted, first_run, first = results.bounds()
    assert (second.value, second.verdict) == (0.9 / 9.0, "met")
    assert (first_run.value, first_run.verdict) == (0.9 / 9.0, "met")
    assert (first.value, first.verdict) == (1.6, verdict)
    assert restarted.verdict == "met"


@pytest.mark.parametrize("rounds", ["0", "-1", "many"])
def test_a_number_of_rounds_that_is_none_is_refused_with_a_sentence(rounds: str) -> None:
    argv = [sys.executable, str(PROGRAM), "--rounds", rounds]

    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert f"'{rounds}' is not a whole number from 1 on" in done.stderr


def test_a_cluster_that_is_not_there_is_reported() -> None:
    argv = [sys.executable, str(PROGRAM), "--cluster", "never-started"]

    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("not measured: no cluster 'never-started' here")
