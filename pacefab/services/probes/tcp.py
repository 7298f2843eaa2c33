"""Ask from a node whether addresses answer, over the network: a probe of several at once. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pacefab.addresses import bracketed
from pacefab.services.probes.node_python import python
from pacefab.services.probes.probe import Endpoint, Probe, Reading
from pacefab.transport.command import Section, Step

SECONDS = 2.5  # far more than a connection on a local network takes
SECTION = "tcp"

_PROGRAM = Path(__file__).with_name("tcp_node.py")
_REFUSED = "ECONNREFUSED"
NO_SOCKET = "there is no such socket"
_WORDS = {
    _REFUSED: "connection refused",
    "EHOSTUNREACH": "no route to host",
    "ENETUNREACH": "network unreachable",
    "ECONNRESET": "connection reset",
    "ENOENT": NO_SOCKET,
    "timeout": f"timed out after {SECONDS:g} s",
}


@dataclass(frozen=True)
class EndpointAnswer:
    """What an endpoint said, and what is wrong with that; `wrong` is empty when nothing is."""

    wrong: str
    text: str = ""
    seconds: float = 0.0


def http(name: str, address: str, port: int, path: str, status: int) -> Endpoint:
    """Return a target that answers GET with this status."""
    request = f"GET {path} HTTP/1.0\r\nHost: {bracketed(address)}\r\n\r\n"
    return Endpoint(name, address, port, request, f" {status} ")


def observe(targets: Sequence[Endpoint], seconds: float = SECONDS, name: str = SECTION) -> Step:
    """Return the step that asks all targets at once; each has `seconds` to answer."""
    asked = [[t.address, t.port, t.say, t.whole] for t in targets]
    return python(name, _PROGRAM, json.dumps({"targets": asked, "seconds": seconds}))


def part(section: Section, first: int, count: int) -> Section:
    """Return the answers to some of the targets, as if only they had been asked."""
    if not section.ok:
        return section
    out = json.dumps(json.loads(section.out)[first : first + count])
    return Section(section.name, 0, out, section.err)


def answers(
    targets: Sequence[Endpoint], sections: Mapping[str, Section]
) -> dict[Endpoint, EndpointAnswer] | str:
    """Return what each target said, or why the node could not ask."""
    section = sections.get(SECTION)
    if section is None or not section.ok:
        return f"the node could not ask: {section.text if section else 'no answer'}"
    return parse(targets, section)


def parse(targets: Sequence[Endpoint], section: Section) -> dict[Endpoint, EndpointAnswer]:
    """Return what each target said, of a step that ended well."""
    said = zip(targets, json.loads(section.out), strict=True)
    return {target: _answer(target, answer) for target, answer in said}


def probe(name: str, node: str, targets: Sequence[Endpoint], **instance: str) -> Probe:
    """Return the probe that asks all targets from `node`; `instance` says of which one they are."""
    every = tuple(targets)
    return Probe(name, node, (), partial(_judge, every), **instance, endpoints=every)


def _judge(targets: Sequence[Endpoint], sections: Mapping[str, Section]) -> Reading:
    found = answers(targets, sections)
    if isinstance(found, str):
        return Reading(found)
    return Reading("; ".join(f"{t}: {answer.wrong}" for t, answer in found.items() if answer.wrong))


def _answer(target: Endpoint, said: Mapping[str, object]) -> EndpointAnswer:
    seconds = float(str(said.get("seconds", 0)))
    error = str(said.get("error") or "")
    if error:
        wrong = "" if target.refused and error == _REFUSED else _WORDS.get(error, error)
        return EndpointAnswer(wrong, seconds=seconds)
    text = str(said.get("text", ""))
    line = text.partition("\n")[0].strip()
    wrong = "" if target.answer in f"{line} " else f"it said {line!r}, not{target.answer.rstrip()}"
    return EndpointAnswer(wrong, text, seconds)
