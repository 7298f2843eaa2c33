"""What a serving RabbitMQ answers: each node takes a message, confirms it and gives it back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pacefab.services.probes.node_python import python
from pacefab.services.rabbitmq.node import MANAGEMENT, PORT, peer
from pacefab.services.rabbitmq.section import SECRET, RabbitmqSection
from pacefab.services.service import Probe, Reading, Site
from pacefab.transport.command import Section

RESOURCE = "rabbitmq"
SECONDS = 2.5

_HERE = Path(__file__).parent
_ALARMS = {"mem_alarm": "memory", "disk_free_alarm": "disk"}
_SHOWN = 3  # names of queues in a sentence


def probes(section: RabbitmqSection, site: Site) -> Iterator[Probe]:
    """Publish and consume through each node from its neighbour; ask each node what it sees."""
    nodes = site.instances(RESOURCE)
    password = site.secret(SECRET)
    called = {peer(section, site, node): node for node in nodes}
    for place, node in enumerate(nodes):
        request = {
            "address": site.own_address(node),
            "port": PORT,
            "user": section.user,
            "queue": f"pacefab-probe-{node}",
            "seconds": SECONDS,
        }
        ask = python("amqp", _HERE / "node_amqp.py", json.dumps(request), secret=password)
        name = f"rabbitmq on {node} confirms and delivers"
        asking = nodes[place - 1]
        yield Probe(name, asking, (ask,), _confirmed, resource=RESOURCE, of=node)

        request = {"port": MANAGEMENT, "user": section.user, "seconds": SECONDS}
        ask = python("figures", _HERE / "node_figures.py", json.dumps(request), secret=password)
        name = f"rabbitmq on {node} sees all nodes"
        yield Probe(name, node, (ask,), partial(_seen, called, node), resource=RESOURCE, of=node)


def _answer(sections: Mapping[str, Section], name: str) -> Mapping[str, Any]:
    section = sections.get(name)
    if section is None or not section.ok:
        return {"error": section.text if section else "no answer"}
    answer: Mapping[str, Any] = json.loads(section.out)
    return answer


def _confirmed(sections: Mapping[str, Section]) -> Reading:
    answer = _answer(sections, "amqp")
    if wrong := answer.get("error"):
        return Reading(wrong)
    return Reading(figures={"confirm_seconds": answer["seconds"]})


def _seen(called: Mapping[str, str], node: str, sections: Mapping[str, Section]) -> Reading:
    """Read what a node says of itself and of the others; `called` names nodes as it does."""
    answer = _answer(sections, "figures")
    if wrong := answer.get("error"):
        return Reading(f"its management API: {wrong}")
    nodes = answer["nodes"]
    running = {found["name"] for found in nodes if found.get("running")}
    own: Mapping[str, Any] = next(
        (found for found in nodes if called.get(found["name"]) == node), {}
    )
    alarms = [word for key, word in _ALARMS.items() if own.get(key)]
    figures = {
        "nodes_running": len(running),
        "partitions": len(own.get("partitions", ())),
        "alarms": len(alarms),
        "messages_ready": answer["messages"]["ready"],
        "messages_unacknowledged": answer["messages"]["unacknowledged"],
        "queues": answer["queues"],
        "queues_without_quorum": len(answer["without_quorum"]),
        "memory_bytes": own.get("mem_used", 0),
    }
    absent = [name for spelled, name in called.items() if spelled not in running]
    return Reading("; ".join(_wrong(absent, own, alarms, answer["without_quorum"])), figures)


def _wrong(
    absent: Sequence[str], own: Mapping[str, Any], alarms: Sequence[str], queues: Sequence[str]
) -> Iterator[str]:
    if absent:
        yield f"it does not see {', '.join(absent)} running"
    if own.get("partitions"):
        yield f"a partition separates it from {', '.join(own['partitions'])}"
    if alarms:
        yield f"{' and '.join(alarms)} alarm: publishers have to wait"
    if queues:
        more = f" and {len(queues) - _SHOWN} more" if len(queues) > _SHOWN else ""
        yield f"without a majority of its members: queue {', '.join(queues[:_SHOWN])}{more}"
