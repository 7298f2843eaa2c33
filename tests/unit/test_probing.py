"""Questions are put side by side, each for some seconds: the script runs in a real shell here."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import cast

from pacefab.services.probes import tcp
from pacefab.services.probes.probe import Endpoint, Probe, Reading
from pacefab.transport.command import RECEIVER, Section, Step, parse_sections, render_query, step
from pacefab.transport.connection import Host
from pacefab.workflows.checks.probing import SECONDS, ProbeResult, put


class Here:
    """A host that is this one: it runs a query's script as sshd would."""

    def ask(self, steps: Sequence[Step], *, side_by_side: bool) -> dict[str, Section]:
        """Run the steps."""
        script = render_query(steps, side_by_side=side_by_side)
        done = subprocess.run([*RECEIVER], input=script, capture_output=True, text=True, check=True)
        return parse_sections(done.stdout)


def said(name: str) -> Probe:
    """Return a probe whose reading is what a program says."""

    def judge(sections: Mapping[str, Section]) -> Reading:
        return Reading(figures={"said": sections["say"].out, "status": sections["say"].status})

    return Probe(name, "c1", (step("say", "sh", "-c", f"cat; echo {name}; exit 3"),), judge)


def hanging(name: str) -> Probe:
    ask = (step("wait", "sleep", "60"),)
    return Probe(name, "c1", ask, lambda _: "not reached", name, "c1")


def ask(*probes: Probe) -> list[ProbeResult]:
    return put(cast("Mapping[str, Host]", {"c1": Here()}), probes)


def test_those_that_hang_cost_one_limit_and_hide_nothing() -> None:
    begun = time.monotonic()
    first, hung, other, last = ask(said("one"), hanging("a"), hanging("b"), said("two"))
    assert time.monotonic() - begun < 2 * SECONDS
    assert (hung.wrong, other.wrong) == (f"timed out after {SECONDS} s",) * 2
    assert first.reading.figures == {"said": "one\n", "status": 3}
    assert last.reading.figures == {"said": "two\n", "status": 3}


def test_each_probe_gets_the_answers_of_its_own_endpoints() -> None:
    with socket.create_server(("127.0.0.2", 0)) as closed:
        gone = closed.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = Endpoint("there", "127.0.0.1", server.getsockname()[1])
        away = Endpoint("away", "127.0.0.2", gone)
        results = ask(tcp.probe("1", "c1", [there]), said("x"), tcp.probe("2", "c1", [away, there]))
    assert [result.wrong for result in results] == [
        "", "", f"away (127.0.0.2:{gone}): connection refused",
    ]  # fmt: skip


def test_an_answer_that_makes_no_sense_is_no_defect() -> None:
    def judge(sections: Mapping[str, Section]) -> Reading:
        return Reading(figures={"queue": float(sections["say"].out)})

    odd = Probe("odd", "c1", (step("say", "echo", "NULL"),), judge)
    wrong, fine = ask(odd, said("one"))
    assert wrong.wrong.startswith("its answer makes no sense: ValueError: ")
    assert not fine.wrong


def test_a_node_that_was_not_reached_is_no_answer() -> None:
    (result,) = put({}, [said("one")])
    assert result.wrong == "c1 was not reached"
