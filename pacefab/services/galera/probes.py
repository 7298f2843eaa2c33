"""What a serving database cluster answers: every node is in sync, every health check says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from pacefab.services.family import family_of
from pacefab.services.galera import health_check
from pacefab.services.galera.node import FLAVOURS
from pacefab.services.probes import tcp
from pacefab.services.service import Probe, Reading, Site
from pacefab.transport.command import Section, step

_ASK = "SHOW GLOBAL STATUS WHERE Variable_name IN ({})"
_EXPECTED = {"wsrep_cluster_status": "Primary", "wsrep_local_state_comment": "Synced"}
_SIZE = "wsrep_cluster_size"


def probes(site: Site) -> Iterator[Probe]:
    """Ask each node's database through its own socket, and each health check over the network."""
    expected = {**_EXPECTED, _SIZE: str(len(site.membership.names))}
    names = ", ".join(f"'{name}'" for name in expected)
    for node, facts in site.facts.items():
        client = FLAVOURS[family_of(facts)].client
        ask = step(
            "galera", "timeout", "5", "runuser", "-u", "mysql", "--",
            client, "--batch", "--skip-column-names", "--execute", _ASK.format(names),
        )  # fmt: skip
        yield Probe(f"galera on {node} is in sync", node, (ask,), partial(_judge, expected))
    yield tcp.probe(
        "galera's health checks say so",
        site.membership.names[0],
        [
            tcp.http(node, site.own_address(node), health_check.PORT, "/", 200)
            for node in site.membership.names
        ],
    )


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
    return Reading(", ".join(wrong))
