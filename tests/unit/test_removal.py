"""remove-NAME --purge: never the packages of what Pacemaker runs under another id."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pacefab.errors import RefusedError
from pacefab.host.model import Unit
from pacefab.pacemaker.cib import parse
from pacefab.services import registry
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout import remove
from pacefab.workflows.rollout.remove import Remove
from tests.unit.test_ownership import cib_with, parameters, primitive
from tests.unit.test_view import Answers, view

ALIAS = Unit("mariadb.service", "loaded", "active", "disabled", 7,
             names=("mariadb.service", "mysql.service", "shop-db.service"))  # fmt: skip
SYSTEMD = 'class="systemd" type="{}"'
OCF = 'class="ocf" provider="heartbeat" type="{}"'


def purge(monkeypatch: pytest.MonkeyPatch, service: str, cib: str, *units: Unit) -> Any:
    """Purge a service of a cluster; the nodes are only looked at."""

    def observe(*_: Any) -> ClusterView:
        seen = view(*(Answers(f"c{n}", n, cib=cib) for n in (1, 2, 3)))
        known = {unit.name: unit for unit in units}
        found = {n: replace(v, facts=replace(v.facts, units=known)) for n, v in seen.views.items()}
        return replace(seen, views=found)

    monkeypatch.setattr(remove, "observe_members", observe)
    described = registry.service(service)
    known = {service: described.default} if described.default else {}
    asked = Remove(described, known, purge=True, dry_run=True)
    return asked.run({}, cast("Any", None), cast("Any", SimpleNamespace(finished=print)))


@pytest.mark.parametrize(
    ("service", "element"),
    [
        ("redis", primitive(OCF.format("redis"), parameters(config="/etc/redis/shop.conf"))),
        ("redis", primitive(SYSTEMD.format("redis"))),
        ("redis", primitive(SYSTEMD.format("redis-server@shop"))),
        ("rabbitmq", primitive('class="service" type="rabbitmq-server"')),
        ("rabbitmq", primitive('class="ocf" provider="rabbitmq" type="rabbitmq-server-ha"')),
        ("galera", primitive(OCF.format("mysql"))),
        ("galera", primitive('class="lsb" type="mysql"')),
        ("galera", primitive(SYSTEMD.format("shop-db"))),
        ("memcached", primitive(SYSTEMD.format("memcached@shop"))),
        ("haproxy", primitive('template="t"') + f'<template id="t" {SYSTEMD.format("haproxy")}/>'),
    ],
)  # fmt: skip
def test_what_another_resource_runs_keeps_its_packages(
    monkeypatch: pytest.MonkeyPatch, service: str, element: str
) -> None:
    with pytest.raises(RefusedError, match=r"p \(.*runs it") as refused:
        purge(monkeypatch, service, cib_with(element), ALIAS)
    assert "nothing was changed" in refused.value.next_step


@pytest.mark.parametrize("service", ["redis", "rabbitmq", "galera"])
def test_what_runs_and_may_be_pacemakers_keeps_them_too(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    unknown = cib_with(primitive('class="ocf" provider="acme" type="stack"'))
    name = registry.service(service).look(registry.service(service).default).units[0]
    running = Unit(name, "loaded", "active", "disabled", 7)
    with pytest.raises(RefusedError, match="nothing says what these resources run: p"):
        purge(monkeypatch, service, unknown, running)
    (outcome,) = purge(monkeypatch, service, unknown, replace(running, active="inactive"))
    assert outcome.notes[0].startswith("there is no ")


def test_a_broken_redis_counts_for_what_is_done_to_the_others() -> None:
    own = primitive(OCF.format("redis")).replace('"p"', '"redis"')
    other = primitive(OCF.format("redis"), parameters(config="/etc/redis/shop.conf"))
    cib = parse(cib_with(f'<clone id="redis-clone">{own}</clone>', other))
    assert registry.service("redis").primitives(cib) == ("redis",)
