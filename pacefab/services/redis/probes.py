"""What a serving Redis answers: one instance takes writes, and all others follow it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pacefab.services.figures import Figure, Value
from pacefab.services.probes.node_python import python, read_answer
from pacefab.services.probes.probe import Probe, Reading
from pacefab.services.redis.node import NAME, PORT, following
from pacefab.services.service import Site
from pacefab.services.vips.section import PREFIX
from pacefab.transport.command import Section, Step

SECONDS = 2.0
_LATE_SECONDS = 2  # followers answer their master once a second

FIGURES = (
    Figure("role", "What Redis calls its role: master or slave", "info", column="role"),
    Figure("connected_replicas", "Followers that have all data of this one", column="followers"),
    Figure("lag_bytes", "How far the last follower of this one is behind", column="lag"),
    Figure("master_link_up", "Whether a follower is connected to the one it follows (1 or 0)"),
    Figure(
        "used_memory_bytes", "Memory of the data and of Redis itself", column="memory",
        show=lambda figures: f"{float(figures['used_memory_bytes']) / 2**20:.1f} MiB",
    ),
)  # fmt: skip

_PROGRAM = Path(__file__).with_name("node_redis.py")


def probes(site: Site, config: str) -> Iterator[Probe]:
    """Ask each instance from its neighbour, and each VIP that follows the promoted one."""
    nodes = site.instances(NAME)
    for node in nodes:
        ask = _ask(site.own_address(node), config)
        judge = partial(_replicates, len(nodes) - 1)
        name = f"redis on {node} replicates"
        yield Probe(name, site.neighbour(node), (ask,), judge, resource=NAME, of=node)
    for vip in following(site) if nodes else ():
        ask = _ask(vip.address, config)
        name = f"{PREFIX}{vip.name} leads to the Redis that takes writes"
        yield Probe(name, site.neighbour(nodes[0]), (ask,), _leads)


def before_stop(site: Site, config: str, node: str) -> tuple[Probe, ...]:
    """Ask an instance whether all that follow it have what it was given, where it leads."""
    ask = _ask(site.own_address(node), config)
    name = f"the followers of redis on {node} are up to date"
    return (Probe(name, site.neighbour(node), (ask,), _followed),)


def _followed(sections: Mapping[str, Section]) -> str:
    answer = read_answer(sections, NAME)
    if wrong := answer.get("error"):
        return str(wrong)
    info = answer["info"]
    late = [f for f in _followers(info) if int(f.get("lag", 0)) > _LATE_SECONDS]
    if info.get("role") != "master" or not late:
        return ""
    said = ", ".join(f"{f.get('ip', '')} {f['lag']} s ago" for f in late)
    return f"it takes the writes, and a follower has not answered it: {said}"


def _ask(address: str, config: str) -> Step:
    request = {"address": address, "port": PORT, "seconds": SECONDS, "config": config}
    return python(NAME, _PROGRAM, json.dumps(request))


def _leads(sections: Mapping[str, Section]) -> Reading:
    answer = read_answer(sections, NAME)
    if wrong := answer.get("error"):
        return Reading(wrong)
    role = answer["info"].get("role")
    return Reading("" if role == "master" else f"what answers there is a {role}, not the master")


def _replicates(others: int, sections: Mapping[str, Section]) -> Reading:
    """Read one instance's statistics; `others` follow where this one leads."""
    answer = read_answer(sections, NAME)
    if wrong := answer.get("error"):
        return Reading(wrong)
    info = answer["info"]
    followers = list(_followers(info))
    figures: dict[str, Value] = {
        "role": info.get("role", "unknown"),
        "used_memory_bytes": int(info.get("used_memory", 0)),
    }
    if info.get("role") == "master":
        offset = int(info.get("master_repl_offset", 0))
        behind = [offset - int(follower.get("offset", 0)) for follower in followers]
        figures["connected_replicas"] = len(followers)
        figures["lag_bytes"] = max((0, *behind))
        few = f"{len(followers)} of {others} others follow it"
        return Reading(few if len(followers) < others else "", figures)
    up = info.get("master_link_status") == "up"
    figures["master_link_up"] = int(up)
    down = f"it follows {info.get('master_host') or 'nothing'}, and the link to it is down"
    return Reading("" if up else down, figures)


def _followers(info: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Return the followers that a master has whole: slave0:ip=…,state=online,offset=…,lag=…."""
    for number in range(int(info.get("connected_slaves", 0))):
        fields = [pair.partition("=") for pair in info.get(f"slave{number}", "").split(",")]
        follower = {name: value for name, _, value in fields}
        if follower.get("state") == "online":
            yield follower
