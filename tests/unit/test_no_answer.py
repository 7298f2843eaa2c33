"""A Pacemaker that runs and gives no answer, one that is stopped, and none: three different things.

What cibadmin says is of Debian 12 (Pacemaker 2.1.5): a daemon that restarts; a CIB of 1,000
resources that no longer goes into a message of PCMK_ipc_buffer.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from pacefab.errors import CommandError, RefusedError
from pacefab.pacemaker import cib, cib_text, live
from pacefab.transport.command import Section, Step, parse_sections, render_query
from pacefab.transport.connection import Host
from pacefab.workflows.nodes import apply_cib
from tests.unit import captured

BUSY = "Could not connect to the CIB: Transport endpoint is not connected"
TOO_LARGE = "Call cib_query failed: Timer expired"
CIB = captured.text("debian12", "cib-clone.xml")


def sections(folder: Path, *, cibadmin: str, runs: bool, left: str | None) -> dict[str, Section]:
    """Return what the step says on a node with these programs."""
    programs = {"cibadmin": cibadmin, "systemctl": "exit 0" if runs else "exit 3"}
    for name, text in programs.items():
        if text:
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
    file = folder / "cib.xml"
    if left is not None:
        file.write_text(left)
    (step,) = cib_text.observe_configuration()
    script = render_query([step]).replace(cib_text.FILE, str(file))
    script = script.replace("PATH=/usr/local/sbin:", f"PATH={folder}:")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return parse_sections(done.stdout)


def fails(said: str) -> str:
    return f"echo '{said}' >&2; exit 1"


def test_the_live_cib_is_the_cib_whatever_was_left(tmp_path: Path) -> None:
    (tmp_path / "live").write_text(CIB)
    shows = f"cat {tmp_path}/live"
    found = sections(tmp_path, cibadmin=shows, runs=True, left="<cib/>")
    assert live.read_cib(found).version == cib.parse(CIB).version
    assert live.read_cib_even_offline(found)
    assert cib_text.read(found) == CIB.strip()


@pytest.mark.parametrize("said", [BUSY, TOO_LARGE])
def test_one_that_runs_and_does_not_answer_is_not_taken_for_a_stopped_one(
    tmp_path: Path, said: str
) -> None:
    found = sections(tmp_path, cibadmin=fails(said), runs=True, left=CIB)
    for read in (live.read_cib, live.read_cib_even_offline):
        with pytest.raises(live.NoAnswerError) as raised:
            read(found)
        assert said in raised.value.seen
        assert "PCMK_ipc_buffer" in raised.value.next_step
    assert not cib_text.read(found)


def test_one_that_runs_without_its_programs_is_not_taken_for_a_stopped_one(tmp_path: Path) -> None:
    found = sections(tmp_path, cibadmin="", runs=True, left=CIB)
    for read in (live.read_cib, live.read_cib_even_offline):
        with pytest.raises(RefusedError, match="not installed"):
            read(found)
    assert not cib_text.read(found)


def test_a_stopped_one_has_left_a_cib(tmp_path: Path) -> None:
    found = sections(tmp_path, cibadmin=fails(BUSY), runs=False, left=CIB)
    assert live.read_cib_even_offline(found)
    assert cib_text.read(found) == CIB.strip()
    with pytest.raises(RefusedError) as raised:
        live.read_cib(found)
    assert not isinstance(raised.value, live.NoAnswerError)
    assert raised.value.seen == f"the cluster does not run on this node: {BUSY}"


@pytest.mark.parametrize("cibadmin", [fails(BUSY), ""])
def test_one_that_left_nothing_manages_nothing(tmp_path: Path, cibadmin: str) -> None:
    found = sections(tmp_path, cibadmin=cibadmin, runs=False, left=None)
    assert live.read_cib_even_offline(found) is None
    assert not cib_text.read(found)


@pytest.mark.parametrize("left", ["", "<cib", "no XML"])
def test_one_whose_cib_cannot_be_read_is_not_taken_for_one_that_left_nothing(
    tmp_path: Path, left: str
) -> None:
    found = sections(tmp_path, cibadmin=fails(BUSY), runs=False, left=left)
    with pytest.raises(RefusedError) as raised:
        live.read_cib_even_offline(found)
    assert raised.value.attempted == f"read {cib_text.FILE}"


class Answering:
    """A host whose Pacemaker answers at some of the questions only."""

    def __init__(self, *answers: Section) -> None:
        self._answers = list(answers)

    def query(self, steps: Sequence[Step], **_options: Any) -> dict[str, Section]:
        """Give the next answer; the last one again and again."""
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return {step.name: answer for step in steps}


BUSY_CIB = Section("cib", 1, "active\n", BUSY)
WORD = "\n--\n".join(
    [CIB, captured.text("debian12", "monitor-started.xml"), "<transition_graph/>", ""]
)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pacefab.interrupts.pause", lambda _: None)


def test_who_waits_for_the_cluster_waits_for_an_answer_too() -> None:
    busy, word = Section("word", 1, "active\n", BUSY), Section("word", 0, WORD, "")
    heard: list[str] = []
    host = cast("Host", Answering(busy, busy, word))
    assert apply_cib.settle(host, lambda _: "", 60, waits=heard.append).quorum
    assert [f"it runs on this node, and gives no answer: {BUSY}"] * 2 == heard[:2]


def test_one_that_never_answers_ends_the_wait_with_what_it_said() -> None:
    host = cast("Host", Answering(Section("word", 1, "active\n", BUSY)))
    with pytest.raises(CommandError, match="gives no answer"):
        apply_cib.settle(host, lambda _: "", 0.0)


def test_the_cib_is_asked_again_while_pacemaker_is_too_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = cast("Host", Answering(BUSY_CIB, Section("cib", 0, CIB, "")))
    assert apply_cib.query_cib(host).version == cib.parse(CIB).version
    monkeypatch.setattr(apply_cib, "_BUSY_SECONDS", 0)
    with pytest.raises(live.NoAnswerError):
        apply_cib.query_cib(cast("Host", Answering(BUSY_CIB)))
