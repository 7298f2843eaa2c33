"""What a serving load balancer answers: its own statistics on each node, its proxies everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from pacefab.services.family import family_of
from pacefab.services.galera.service import RESOURCE as DATABASE
from pacefab.services.haproxy import stats
from pacefab.services.haproxy.config import SOCKET, endpoint
from pacefab.services.haproxy.section import HaproxySection
from pacefab.services.probes import tcp
from pacefab.services.probes.probe import Endpoint, Probe, Reading
from pacefab.services.service import Site
from pacefab.transport.command import Section

_ASKED = "HAProxy of {} gives its statistics"


def probes(section: HaproxySection, site: Site, resource: str) -> Iterator[Probe]:
    """Ask each node's own HAProxy, each page of statistics from a neighbour, each proxy from all.

    One that hangs still has its connections accepted, by the kernel; only what it says itself shows
    that it works.
    """
    nodes = site.membership.names
    running = site.instances(resource)
    for node in running:
        if node in site.facts:
            yield _own(section, site, resource, node)
        if section.stats:
            page = tcp.http("statistics", site.own_address(node), section.stats.port, "/", 401)
            yield tcp.probe(
                f"HAProxy of {node} asks for the password of its statistics",
                site.neighbour(node), [page], resource=resource, of=node,
            )  # fmt: skip
    proxies = [Endpoint(proxy.name, *endpoint(proxy, site)) for proxy in section.proxies]
    for node in nodes if proxies and running else ():
        if node in site.facts:
            yield tcp.probe("HAProxy takes connections", node, proxies)


def _own(section: HaproxySection, site: Site, resource: str, node: str) -> Probe:
    """Return the question to the node's own HAProxy, at its socket.

    Where Pacemaker runs the database, its proxy has a server, or clients have none. What is behind
    other proxies need not be there yet. One that pacefab did not configure may have no
    socket.
    """
    asked = Endpoint(
        "statistics", SOCKET[family_of(site.facts[node])], 0, stats.COMMAND, whole=True
    )
    database = site.placed.get(DATABASE)
    needed = frozenset(p.name for p in section.proxies if database and p.check == "galera")
    judge = partial(_judge_foreign if site.recognised else _judge, asked, needed)
    return Probe(_ASKED.format(node), node, (), judge, resource, node, endpoints=(asked,))


def _judge_foreign(
    asked: Endpoint, needed: frozenset[str], sections: Mapping[str, Section]
) -> Reading:
    found = tcp.answers([asked], sections)
    missing = isinstance(found, dict) and found[asked].wrong == tcp.NO_SOCKET
    return Reading() if missing else _judge(asked, needed, sections)


def _judge(asked: Endpoint, needed: frozenset[str], sections: Mapping[str, Section]) -> Reading:
    found = tcp.answers([asked], sections)
    if isinstance(found, str):
        return Reading(found)
    if found[asked].wrong:
        return Reading(f"{asked}: {found[asked].wrong}")
    try:
        said = stats.parse(found[asked].text)
    except ValueError as error:
        return Reading(f"{asked}: {error}")
    lost = [name for name in said.down if name in needed]
    empty = [name for name in said.down if name not in needed]
    return Reading(
        f"no server is up behind {', '.join(lost)}" if lost else "",
        said.figures,
        (f"haproxy: no server is up behind {', '.join(empty)}",) if empty else (),
    )
