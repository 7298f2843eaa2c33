"""Services of a cluster that stands -> their settings, where these make exactly what is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.export.draft import Source
from pacefab.export.export import Exported, export
from pacefab.export.settings import as_read
from pacefab.host.model import FileState, HostFacts, Interface, Unit
from pacefab.pacemaker import metadata
from pacefab.pacemaker.cib import parse
from pacefab.pacemaker.model import Configuration, Member, Membership
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.services import registry
from pacefab.workflows.rollout.desired import Intent
from tests.unit import captured

ROOT = Path(__file__).resolve().parents[2]
NODES = ("c1", "c2", "c3")
MEMBERSHIP = Membership(
    "core", tuple(Member(n, (f"192.0.2.1{i}",)) for i, n in enumerate(NODES, 1))
)
METADATA = {
    agent: metadata.parse(agent, captured.text("debian12", f"metadata-{agent.split(':')[-1]}.xml"))
    for agent in ("ocf:heartbeat:IPaddr2", "ocf:heartbeat:galera")
}
PASSWORD = "Correct-horse_battery"  # noqa: S105  # of tests
NODE = HostFacts("", "debian 12", 16384, family="debian", manager="apt-get")
EMPTY = f"""<cib><configuration><crm_config/><nodes>{
    "".join(f'<node id="{i}" uname="{n}"/>' for i, n in enumerate(NODES, 1))
}</nodes><resources/>
<constraints/></configuration></cib>"""


def stack(**services: Any) -> Source:
    """Return a cluster on which these services were deployed, as its nodes would show it."""
    sections = {
        name: registry.service(name).section.model_validate(as_read(data))
        for name, data in services.items()
    }
    intent = Intent(MEMBERSHIP, sections, tuple(sections), Configuration(), lambda _: PASSWORD)
    facts = {member.name: host(member) for member in MEMBERSHIP.members}
    desired = metadata.complete_configuration(intent.configuration(intent.site(facts)), METADATA)
    empty = parse(EMPTY)
    cib = render_configuration(empty, plan_configuration(empty, desired))
    there = {name: installed(intent, facts, name) for name in NODES}
    return Source(cib, "", MEMBERSHIP, "c1", METADATA, facts=there)


def host(member: Member) -> HostFacts:
    shipped = FileState(captured.text("debian12", "memcached-shipped.conf"), "644", "root:root")
    network = (Interface("eth0", member.addresses[0], 24),)
    files = {"/etc/memcached.conf": shipped}
    return replace(NODE, name=member.name, interfaces=network, files=files)


def installed(intent: Intent, facts: dict[str, HostFacts], name: str) -> HostFacts:
    """Return a node as it is once all is done there that is desired."""
    desired, look = intent.node(intent.site(facts), name), intent.look()
    files: dict[str, FileState | None] = dict.fromkeys(look.files)
    for file in desired.files:
        text = file.render(facts[name].text(file.path))
        files[file.path] = FileState(text, file.mode, file.owner)
    units = {unit: Unit(unit, "loaded", "active", "disabled", 7) for unit in desired.units}
    units |= {unit: Unit(unit, "loaded", "active", "enabled", 8) for unit in desired.helpers}
    packages = {**dict.fromkeys(look.packages), **dict.fromkeys(desired.packages, "1")}
    return replace(facts[name], files=files, units=units, packages=packages, kernel=desired.kernel)


def changed(source: Source, node: str, path: str, old: str, new: str) -> Source:
    """Return a cluster with a text of a node's file replaced."""
    facts = source.facts[node]
    state = facts.files[path]
    assert state is not None
    assert old in state.text
    files = {**facts.files, path: replace(state, text=state.text.replace(old, new))}
    return replace(source, facts={**source.facts, node: replace(facts, files=files)})


def edited(source: Source, old: str, new: str) -> Source:
    """Return a cluster with a text of its CIB replaced."""
    text = source.cib.text()
    assert old in text
    return replace(source, cib=parse(text.replace(old, new)))


def said(done: Exported) -> dict[str, Any]:
    """Return the services of an inventory as they are read."""
    assert not done.unsaid, done.unsaid
    return {name: section.model_dump() for name, section in done.inventory.sections.items()}


def meant(**services: Any) -> dict[str, Any]:
    return {
        name: registry.service(name).section.model_validate(as_read(data)).model_dump()
        for name, data in services.items()
    }


VIPS = {
    "with_load_balancer": True,
    "addresses": [
        {"name": "db", "address": "192.0.2.101"},
        {"name": "web", "address": "192.0.2.102", "nic": "eth1", "netmask": 25},
    ],
}
PROXIES = [
    {"name": "galera", "vip": "db", "port": 3306, "check": "galera", "active": "one"},
    {"name": "rabbit", "vip": "db", "port": 5672, "timeout": 5400},
    {"name": "vip-web", "vip": "web", "port": 80, "mode": "http", "check": "http",
     "check_path": "/health", "balance": "source", "backend_port": 8080},
    {"name": "some", "vip": "0.0.0.0", "port": 81, "servers": ["c2", "192.0.2.77"]},
    {"name": "six", "vip": "2001:db8::9", "port": 82, "check": "http", "balance": "leastconn"},
]  # fmt: skip
WHOLE: dict[str, Any] = {
    "haproxy": {"stats": {"port": 1993, "user": "me"}, "proxies": PROXIES, "max_connections": 500},
    "vips": VIPS,
    "galera": {"settings": {"max_connections": 2000, "sql_mode": "A B#c", "init_connect": 'x"y'}},
    "memcached": {"memory": 128, "max_connections": 8192},
    "rabbitmq": {"memory": 512, "settings": {"channel_max": 2047}},
}
FOLLOWING: dict[str, Any] = {
    "redis": {"memory": 100, "min_replicas": 0, "appendonly": False},
    "vips": {"addresses": [{"name": "cache", "address": "192.0.2.103", "follows": "redis"},
                           {"name": "free", "address": "192.0.2.104"}]},
}  # fmt: skip
DEPLOYED: dict[str, dict[str, Any]] = {
    "whole": WHOLE,
    "following": FOLLOWING,
    "plain": {
        "haproxy": {"proxies": [{"name": "p", "vip": "192.0.2.9", "port": 80}]},
        "rabbitmq": {"user": "ann", "members": "names"},
        "memcached": {"listen": "0.0.0.0", "port": 11311, "restartable": True,
                      "memory": 64, "max_connections": 1024},
        "redis": {"software": "valkey"},
    },
    "copied": {"galera": {"sst": "mariabackup", "sst_user": "copy", "members": "names"}},
}  # fmt: skip


@pytest.mark.parametrize("name", DEPLOYED)
def test_what_was_deployed_is_given_back(name: str) -> None:
    done = export(stack(**DEPLOYED[name]))
    assert said(done) == meant(**DEPLOYED[name])
    assert list(done.inventory.sections) == list(DEPLOYED[name])
    assert "resources:" not in done.text
    assert PASSWORD not in done.text


def test_secrets_of_services_are_named() -> None:
    done = export(stack(**WHOLE))
    assert done.secrets == ("haproxy_stats", "rabbitmq", "rabbitmq_cookie")


def test_the_stack_that_is_delivered_is_given_back() -> None:
    inventory = read_inventory(ROOT / "inventory" / "openstack.yaml")
    data = {name: section.model_dump(exclude_unset=True)
            for name, section in inventory.sections.items()}  # fmt: skip
    done = export(stack(**data))
    assert done.inventory.services == inventory.services
    assert list(done.inventory.sections) == list(inventory.sections)


HAPROXY = "/etc/haproxy/haproxy.cfg"
OTHERS: dict[str, tuple[Callable[[Source], Source], str, str]] = {
    "a line of a file": (
        lambda s: changed(s, "c2", HAPROXY, "retries 3", "retries 4"), "haproxy",
        f"not the service haproxy: it would change c2: {HAPROXY}\n"),
    "a file of settings alone": (
        lambda s: changed(s, "c3", "/etc/rabbitmq/rabbitmq.conf", "= 2047", "= 2048"), "rabbitmq",
        "not the service rabbitmq: it would change c3: /etc/rabbitmq/rabbitmq.conf\n"),
    "a meta attribute": (
        lambda s: edited(s, 'name="interleave" value="true"', 'name="interleave" value="false"'),
        "memcached", "not the service memcached: it would change memcached-clone meta"),
    "an id": (
        lambda s: edited(s, '"memcached-clone"', '"cache-copies"'), "memcached",
        "not the service memcached: it has no memcached-clone"),
    "a node that is silent": (
        lambda s: replace(s, facts={n: f for n, f in s.facts.items() if n != "c3"}), "galera",
        "not the service galera: c3 did not answer"),
    "a utilization": (
        lambda s: edited(s, '<primitive id="memcached" class="systemd" type="memcached">',
                         '<primitive id="memcached" class="systemd" type="memcached">'
                         '<utilization id="u"><nvpair id="n" name="cpu" value="1"/></utilization>'),
        "memcached", "not the service memcached: memcached-clone has more"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_exactly_there_stays_in_pacemakers_terms(name: str) -> None:
    change, service, reason = OTHERS[name]
    done = export(change(stack(**WHOLE)))
    assert not done.unsaid
    assert service not in done.inventory.sections
    assert f"; {reason}" in done.text
    assert PASSWORD not in done.text


REMOTE = """<primitive id="r1" class="ocf" provider="pacemaker" type="remote">
<instance_attributes id="i"><nvpair id="s" name="server" value="192.0.2.51"/></instance_attributes>
</primitive></resources>"""
OFF_REMOTES = """<constraints><rsc_location id="l" rsc="memcached-clone" resource-discovery="never">
<rule id="r" score="-INFINITY"><expression id="e" attribute="#kind" operation="ne" value="cluster"/>
</rule></rsc_location></constraints>"""


def test_a_cluster_with_remote_nodes_keeps_its_services() -> None:
    source = edited(
        stack(memcached={"memory": 64, "max_connections": 1024}), "</resources>", REMOTE
    )
    source = edited(source, "</nodes>", '<node id="r1" uname="r1" type="remote"/></nodes>')
    done = export(edited(source, "<constraints/>", OFF_REMOTES))
    assert not done.unsaid
    assert list(done.inventory.sections) == ["memcached"]
    assert [node.name for node in done.inventory.members] == list(NODES)
    assert [node.name for node in done.inventory.remotes] == ["r1"]
    assert not done.inventory.constraints.location  # the role makes it


@pytest.mark.parametrize("tie", ["rsc_colocation", "rsc_order"])
def test_a_vip_that_is_tied_otherwise_is_by_itself(tie: str) -> None:
    source = stack(**WHOLE)
    gone = next(e for e in source.cib.all_constraints
                if e.tag == tie and "vip-db" in {e.get("rsc"), e.get("first")})  # fmt: skip
    parent = gone.getparent()
    assert parent is not None
    parent.remove(gone)
    done = export(replace(source, cib=parse(source.cib.text())))
    assert not done.unsaid
    section = done.inventory.sections["vips"]
    assert [vip.name for vip in section.addresses] == ["web"]
    assert section.with_load_balancer
    proxies = {proxy.name: proxy.vip for proxy in done.inventory.sections["haproxy"].proxies}
    assert proxies["galera"] == "192.0.2.101"
    assert "vip-db" in done.inventory.resources


def test_a_vip_of_another_name_is_left_alone() -> None:
    done = export(edited(stack(**FOLLOWING), "vip-free", "vip-fr.ee"))
    assert not done.unsaid
    assert [vip.name for vip in done.inventory.sections["vips"].addresses] == ["cache"]
    assert list(done.inventory.resources) == ["vip-fr.ee"]
    assert "; not the service vips: it is called or tied otherwise than its VIPs" in done.text


def test_a_file_shows_no_nodes_and_plain_says_no_services() -> None:
    source = stack(**WHOLE)
    from_file = export(replace(source, facts={}))
    assert not from_file.inventory.sections
    assert "; only nodes show whether it is the service haproxy: none was asked" in from_file.text
    plain = export(replace(source, plain=True))
    assert not plain.inventory.sections
    assert "not the service" not in plain.text
