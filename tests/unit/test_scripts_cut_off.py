"""Scripts on nodes that are ended by the limit of their time: nothing of theirs stays.

timeout(1) sends SIGTERM to all of a script's processes; a shell that is ended by a signal runs no
trap of EXIT.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pacefab.host.files import plan_write
from pacefab.host.model import FileState
from pacefab.pacemaker import cib, live
from pacefab.transport.command import render_change, render_query
from tests.unit import captured

WAITS = 'touch "$MARK"; while :; do sleep 0.1; done'


SOURCES = Path(__file__).resolve().parents[2] / "pacefab"
OLD = cib.parse(captured.text("debian12", "cib-clone.xml"))


def cut_off(script: str, folder: Path, program: str) -> list[str]:
    """End a script while one of its programs is at work; return which files it leaves."""
    own, mark, place = folder / "bin", folder / "mark", folder / "place"
    for made in (own, place):
        made.mkdir(mode=0o700)
    (own / program).write_text(f"#!/bin/sh\n{WAITS}\n")
    (own / program).chmod(0o755)
    script = script.replace("PATH=/usr/local/sbin:", f"PATH={own}:/usr/local/sbin:")
    script = script.replace("unset TMPDIR", "unset").replace("/run/pacefab.lock", f"{folder}/lock")
    process = subprocess.Popen(
        ["timeout", "600", "sh", "-c", script],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(place), "MARK": str(mark)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert list(place.iterdir())
    process.send_signal(signal.SIGTERM)  # as when its own time is over, it hands that on
    process.wait(timeout=60)
    while (left := list(place.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.02)  # the script's own end comes after that of timeout(1)
    return [path.name for path in left]


@pytest.mark.parametrize("at_once", [False, True])
def test_a_look_that_is_ended_leaves_no_folder(tmp_path: Path, *, at_once: bool) -> None:
    script = render_query(live.observe_word(), side_by_side=at_once)
    assert cut_off(script, tmp_path, "cibadmin") == []


def test_a_patch_that_is_ended_leaves_no_cib_with_its_passwords(tmp_path: Path) -> None:
    steps = live.plan_patch(OLD, OLD.next())
    assert cut_off(render_change(steps), tmp_path, "crm_verify") == []


def test_a_file_that_was_being_written_leaves_no_second_one(tmp_path: Path) -> None:
    desired = FileState("text\n", "600", "root:root")
    step = plan_write(f"{tmp_path}/place/haproxy.cfg", desired, None, ["haproxy", "{}"])
    assert cut_off(render_change([step]), tmp_path, "haproxy") == []


def test_whatever_removes_a_temporary_file_at_its_end_does_so_when_it_is_ended() -> None:
    for source in SOURCES.rglob("*.py"):
        if "harness" not in source.parts:
            lines = [line for line in source.read_text().splitlines() if "' EXIT" in line]
            for line in (line for line in lines if "trap 'rm" in line):
                assert "trap 'exit 143' TERM" in line, (source, line)
