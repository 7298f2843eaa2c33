"""What a serving database cluster answers: every node is in sync, every health check says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from pacefab.services.activity import ActivityQuestion
from pacefab.services.family import family_of
from pacefab.services.figures import Alert, Figure, Value
from pacefab.services.galera import health_check
from pacefab.services.galera.node import FLAVOURS
from pacefab.services.probes import tcp
from pacefab.services.probes.probe import Probe, Reading
from pacefab.services.service import Site
from pacefab.transport.command import Section, step

_ASK = "SHOW GLOBAL STATUS WHERE Variable_name IN ({})"
_EXPECTED = {"wsrep_cluster_status": "Primary", "wsrep_local_state_comment": "Synced"}
_SIZE = "wsrep_cluster_size"

FIGURES = (
    Figure("state", "State of the node: Synced, Donor, ...", "info", column="state"),
    Figure("cluster_status", "Primary, or non-Primary", "info"),
    Figure("cluster_size", "Nodes of the cluster that it sees", column="size"),
    Figure("receive_queue", "Write-sets that wait to be applied", column="queue"),
    Figure(
        "receive_queue_average", "Mean of that queue since the last FLUSH STATUS",
        column="mean queue", alert=Alert("GaleraApplierBehind", "> 100"),
    ),
    Figure(
        "flow_control_paused_ratio",
        "Part of the time since the last FLUSH STATUS in which writes were paused",
        column="paused", show=lambda figures: f"{figures['flow_control_paused_ratio']:.1%}",
        alert=Alert("GaleraWritesPaused", "> 0.1"),
    ),
    Figure("flow_control_sent", "Pauses that this node asked for", "counter"),
    Figure("threads_connected", "Connections of clients", column="clients"),
    Figure("threads_running", "Threads that work at a question", column="running"),
)  # fmt: skip
_NUMBERS = {
    _SIZE: "cluster_size",
    "wsrep_local_recv_queue": "receive_queue",
    "wsrep_local_recv_queue_avg": "receive_queue_average",
    "wsrep_flow_control_paused": "flow_control_paused_ratio",
    "wsrep_flow_control_sent": "flow_control_sent",
    "Threads_connected": "threads_connected",
    "Threads_running": "threads_running",
}
_TEXTS = {"wsrep_local_state_comment": "state", "wsrep_cluster_status": "cluster_status"}


def probes(site: Site, resource: str) -> Iterator[Probe]:
    """Ask each node's database through its own socket, and its health check from a neighbour."""
    running = site.instances(resource)
    expected = {**_EXPECTED, _SIZE: str(len(running))}
    names = ", ".join(f"'{name}'" for name in (*_NUMBERS, *_TEXTS))
    for node in running:
        if node in site.facts:
            client = FLAVOURS[family_of(site.facts[node])].client
            ask = step(
                "galera", "runuser", "-u", "mysql", "--", client, "--connect-timeout=2",
                "--batch", "--skip-column-names", "--execute", _ASK.format(names),
            )  # fmt: skip
            judge = partial(_judge, expected)
            yield Probe(f"galera on {node} is in sync", node, (ask,), judge, resource, node)
        if _is_checked(site):
            check = tcp.http("health check", site.own_address(node), health_check.PORT, "/", 200)
            yield tcp.probe(
                f"galera's health check on {node} says so", site.neighbour(node), [check],
                resource=resource, of=node,
            )  # fmt: skip


def activity(site: Site, resource: str, node: str) -> ActivityQuestion:
    """Ask a node's database whether it is of a primary component, and of which."""
    client = FLAVOURS[family_of(site.facts[node])].client
    names = "'wsrep_cluster_conf_id', 'wsrep_cluster_size', 'wsrep_cluster_status'"
    return ActivityQuestion(
        resource,
        say=_ASK.format(names) + ";\n",
        answer=r"wsrep_cluster_status\t\S+\n",
        active=r"conf_id\t(\d+)\nwsrep_cluster_size\t(\d+)\nwsrep_cluster_status\tPrimary\n",
        argv=(
            "runuser", "-u", "mysql", "--", client, "--connect-timeout=2", "--batch",
            "--skip-column-names", "--unbuffered",
        ),
    )  # fmt: skip


def _is_checked(site: Site) -> bool:
    """Whether the nodes have the health check: a database that pacefab did not deploy may not."""
    ports = {listener.port for facts in site.facts.values() for listener in facts.listeners}
    return not site.recognised or health_check.PORT in ports


def _judge(expected: Mapping[str, str], sections: Mapping[str, Section]) -> Reading:
    section = sections.get("galera")
    if section is None or not section.ok:
        return Reading(section.text if section else "no answer")
    seen = dict(line.split("\t", 1) for line in section.out.splitlines() if "\t" in line)
    wrong = [
        f"{name} is {seen.get(name) or 'unknown'}, not {value}"
        for name, value in expected.items()
        if seen.get(name) != value
    ]
    return Reading(", ".join(wrong), _figures(seen))


def _figures(seen: Mapping[str, str]) -> dict[str, Value]:
    numbers = {key: float(seen[name]) for name, key in _NUMBERS.items() if seen.get(name)}
    return {**numbers, **{key: seen[name] for name, key in _TEXTS.items() if seen.get(name)}}
