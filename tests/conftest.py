"""Makes the harness' fixtures known to all tests; none starts a cluster before it is used."""

import os
import signal

import pytest
from hypothesis import settings

pytest_plugins = ["pacefab.harness.plugin"]

# What the machine sets of Python's own behaviour would decide how programs under test behave.
_OF_THE_MACHINE = (
    "PYTHONUNBUFFERED",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "PYTHONWARNINGS",
    "PYTHONSTARTUP",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONINSPECT",
    "PYTHONDEVMODE",
)
for _name in _OF_THE_MACHINE:
    os.environ.pop(_name, None)

# A shell has what it starts in the background ignore Ctrl-C; programs under test would do so too.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, signal.SIG_DFL)

# How long one example takes says how busy the machine is, and nothing about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

SEEN_LINES = 15


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print a failed test at once, with what it saw: a run that is ended early has no summary."""
    if report.failed:
        seen = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
        text = "\n".join([f"\nFAILED {report.nodeid} ({report.when})", *seen[:SEEN_LINES]])
        print(text, flush=True)  # noqa: T201  # the run's own output
