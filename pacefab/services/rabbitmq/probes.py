"""What a serving RabbitMQ answers: each node takes a message, confirms it and gives it back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pacefab.services.figures import Figure
from pacefab.services.probes.node_python import python, read_answer
from pacefab.services.probes.probe import Probe, Reading
from pacefab.services.rabbitmq.node import CREDENTIALS, MANAGEMENT, PORT, PROBE_USER, peer
from pacefab.services.rabbitmq.section import RabbitmqSection
from pacefab.services.service import Site
from pacefab.transport.command import Section

RESOURCE = "rabbitmq"
SECONDS = 2.5

FIGURES = (
    Figure("nodes_running", "Nodes of RabbitMQ that it sees running", column="nodes"),
    Figure("partitions", "Nodes from which a network partition separates it", column="partitions"),
    Figure("alarms", "Memory and disk alarms of this node: publishers wait", column="alarms"),
    Figure("messages_ready", "Messages that wait for a consumer", column="ready"),
    Figure("messages_unacknowledged", "Messages that consumers have, and have not acknowledged",
           column="unacked"),
    Figure("queues", "Queues of the whole cluster", column="queues"),
    Figure("queues_without_quorum", "Quorum queues of which no majority is there"),
    Figure("memory_bytes", "Memory of RabbitMQ on this node", column="memory",
           show=lambda figures: f"{float(figures['memory_bytes']) / 2**20:.0f} MiB"),
    Figure("confirm_seconds", "How long log-in, a confirmed message and its delivery took"),
)  # fmt: skip

_HERE = Path(__file__).parent
_ALARMS = {"mem_alarm": "memory", "disk_free_alarm": "disk"}
_SHOWN = 3  # names of queues in a sentence


def probes(section: RabbitmqSection, site: Site) -> Iterator[Probe]:
    """Publish and consume through each node from its neighbour; ask each node what it sees.

    The passwords are on the nodes. Where the cluster itself shows the service, and no file of ours
    is there, a greeting has to do.
    """
    nodes = site.instances(RESOURCE)
    called = {} if site.recognised else {peer(section, site, node): node for node in nodes}
    login = {"user": PROBE_USER, "credentials": CREDENTIALS, "seconds": SECONDS}
    for node in nodes:
        request = {
            **login,
            "address": site.own_address(node),
            "port": PORT,
            "queue": f"{PROBE_USER}-{node}",
            "greet": site.recognised,
        }
        ask = python("amqp", _HERE / "node_amqp.py", json.dumps(request))
        name = f"rabbitmq on {node} confirms and delivers"
        yield Probe(name, site.neighbour(node), (ask,), _confirmed, resource=RESOURCE, of=node)

        request = {**login, "port": MANAGEMENT}
        ask = python("figures", _HERE / "node_figures.py", json.dumps(request))
        name = f"rabbitmq on {node} sees all nodes"
        yield Probe(name, node, (ask,), partial(_seen, called), resource=RESOURCE, of=node)


def _confirmed(sections: Mapping[str, Section]) -> Reading:
    answer = read_answer(sections, "amqp")
    if wrong := answer.get("error"):
        return Reading(wrong)
    return Reading(figures={"confirm_seconds": answer["seconds"]})


def _seen(called: Mapping[str, str], sections: Mapping[str, Section]) -> Reading:
    """Read what a node says of itself and of the others; `called` are names in its own words."""
    answer = read_answer(sections, "figures")
    if wrong := answer.get("error"):
        return Reading(f"its management API: {wrong}")
    if not answer:
        return Reading()
    nodes = answer["nodes"]
    running = {found["name"] for found in nodes if found.get("running")}
    own = _own(answer)
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


def _own(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((found for found in answer["nodes"] if found["name"] == answer["own"]), {})


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
