"""What a serving RabbitMQ answers: each node takes a message, confirms it and gives it back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pacefab.services.figures import Figure
from pacefab.services.probes.node_python import python, read_answer
from pacefab.services.probes.probe import Probe, Reading
from pacefab.services.rabbitmq.node import CREDENTIALS, MANAGEMENT, PORT, PROBE_USER, peer
from pacefab.services.rabbitmq.section import RabbitmqSection
from pacefab.services.service import Site
from pacefab.transport.command import Section, Step

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
    Figure("queues_without_leader", "Quorum queues of which a majority is there, and no leader"),
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
    called = _called(section, site)
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

        name = f"rabbitmq on {node} sees all nodes"
        yield Probe(name, node, (_figures(),), partial(_seen, called), resource=RESOURCE, of=node)


def before_stop(section: RabbitmqSection, site: Site, node: str) -> tuple[Probe, ...]:
    """Ask a node whether its quorum queues keep a majority without it.

    The queues of the probes themselves do not count: nothing is in them.
    """
    name = f"the quorum queues of rabbitmq can do without {node}"
    return (Probe(name, node, (_figures(),), partial(_spared, _called(section, site), node)),)


def _called(section: RabbitmqSection, site: Site) -> dict[str, str]:
    """Return the nodes by what RabbitMQ calls them; none where no inventory says that."""
    if site.recognised:
        return {}
    return {peer(section, site, node): node for node in site.instances(RESOURCE)}


def _figures() -> Step:
    login = {"user": PROBE_USER, "credentials": CREDENTIALS, "seconds": SECONDS}
    request = json.dumps({**login, "port": MANAGEMENT})
    return python("figures", _HERE / "node_figures.py", request)


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
        "queues_without_leader": len(answer["without_leader"]),
        "memory_bytes": own.get("mem_used", 0),
    }
    absent = [name for spelled, name in called.items() if spelled not in running]
    wrong = (*_wrong(absent, own, alarms), *_queues(answer, called))
    return Reading("; ".join(wrong), figures)


def _spared(called: Mapping[str, str], node: str, sections: Mapping[str, Section]) -> str:
    """Return which queues would have no majority without the node."""
    answer = read_answer(sections, "figures")
    if wrong := answer.get("error"):
        return f"its management API: {wrong}"
    kept = [q for q in answer.get("critical", ()) if not q["name"].startswith(f"{PROBE_USER}-")]
    if not kept:
        return ""
    absent = _members({name for queue in kept for name in queue["absent"]}, called)
    way = f"start rabbitmq on {absent}" if absent else "rabbitmq-queues grow NODE all"
    return f"without {node} a majority of members would be gone: {_named(kept)}; first: {way}"


def _own(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((found for found in answer["nodes"] if found["name"] == answer["own"]), {})


def _queues(answer: Mapping[str, Any], called: Mapping[str, str]) -> Iterator[str]:
    """Yield which queues cannot be used, and the way out."""
    if queues := answer["without_quorum"]:
        absent = _members({name for queue in queues for name in queue["absent"]}, called)
        yield f"without a majority of its members: {_named(queues)}; start rabbitmq on {absent}"
    if queues := answer["without_leader"]:
        first = queues[0]["name"]
        yield (
            f"without a leader, though a majority of its members is there: {_named(queues)}; if it "
            f"stays so: rabbitmqctl delete_queue {shlex.quote(first)}, and have it declared again"
        )


def _named(queues: Sequence[Mapping[str, Any]]) -> str:
    names = [queue["name"] for queue in queues]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"queue {', '.join(names[:_SHOWN])}{more}"


def _members(names: Collection[str], called: Mapping[str, str]) -> str:
    return ", ".join(sorted(called.get(name, name) for name in names))


def _wrong(absent: Sequence[str], own: Mapping[str, Any], alarms: Sequence[str]) -> Iterator[str]:
    if absent:
        yield f"it does not see {', '.join(absent)} running"
    if own.get("partitions"):
        yield f"a partition separates it from {', '.join(own['partitions'])}"
    if alarms:
        yield f"{' and '.join(alarms)} alarm: publishers have to wait"
