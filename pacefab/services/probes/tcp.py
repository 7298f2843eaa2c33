"""Ask from a node whether addresses answer, over the network: a probe of several at once. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pacefab.addresses import bracketed
from pacefab.services.probes.node_python import python
from pacefab.services.service import Probe, Reading
from pacefab.transport.command import Section, Step

SECONDS = 2.0  # far more than a connection on a local network takes

_PROGRAM = Path(__file__).with_name("tcp_node.py")
_REFUSED = "ECONNREFUSED"
_WORDS = {
    _REFUSED: "connection refused",
    "EHOSTUNREACH": "no route to host",
    "ENETUNREACH": "network unreachable",
    "ECONNRESET": "connection reset",
}


@dataclass(frozen=True)
class Endpoint:
    """An address and what it should answer.

    After `say` is sent, `answer` has to be in the first line that comes back. Without, that the
    connection is accepted is enough; and with `refused`, that a host refuses it.
    """

    name: str
    address: str
    port: int
    say: str = ""
    answer: str = ""
    refused: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({bracketed(self.address)}:{self.port})"


def http(name: str, address: str, port: int, path: str, status: int) -> Endpoint:
    """Return a target that answers GET with this status."""
    request = f"GET {path} HTTP/1.0\r\nHost: {bracketed(address)}\r\n\r\n"
    return Endpoint(name, address, port, request, f" {status} ")


def observe(name: str, targets: Sequence[Endpoint], seconds: float = SECONDS) -> Step:
    """Return the step that asks all targets at once; each has `seconds` to answer."""
    request = {"targets": [[t.address, t.port, t.say] for t in targets], "seconds": seconds}
    return python(name, _PROGRAM, json.dumps(request))


def parse(targets: Sequence[Endpoint], section: Section) -> dict[Endpoint, str]:
    """Return what is wrong with each target's answer; empty when nothing is."""
    answers = zip(targets, json.loads(section.out), strict=True)
    return {target: _wrong(target, answer) for target, answer in answers}


def probe(name: str, node: str, targets: Sequence[Endpoint]) -> Probe:
    """Return the probe that asks all targets at once from `node`."""
    return Probe(name, node, (observe("tcp", targets),), partial(_judge, tuple(targets)))


def _judge(targets: Sequence[Endpoint], sections: Mapping[str, Section]) -> Reading:
    section = sections.get("tcp")
    if section is None or not section.ok:
        return Reading(f"the node could not ask: {section.text if section else 'no answer'}")
    answers = parse(targets, section).items()
    return Reading("; ".join(f"{target}: {words}" for target, words in answers if words))


def _wrong(target: Endpoint, answer: Mapping[str, str]) -> str:
    error = answer.get("error", "")
    if error:
        return "" if target.refused and error == _REFUSED else _WORDS.get(error, error)
    line = answer["line"]
    return "" if target.answer in f"{line} " else f"it said {line!r}, not{target.answer.rstrip()}"
