"""Remote nodes: what an inventory says of them, what makes them, and what is left when they go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from lxml import etree

from pacefab.cli.inventory import ClusterInventory, read_inventory
from pacefab.errors import RefusedError, UsageError
from pacefab.host.model import FileState, HostFacts, Interface, Unit
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker import cib, monitor
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.members import departure
from pacefab.pacemaker.members.connections import check_connections
from pacefab.pacemaker.model import Configuration, Group, Member, Membership, Primitive
from pacefab.pacemaker.placement import graph, outcome
from pacefab.pacemaker.placement.constraints import may_include
from pacefab.pacemaker.placement.remote import able, kept_to_members
from pacefab.pacemaker.plan import ConfigurationPlan, plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.report import classic
from pacefab.report.health import render_json, render_text
from pacefab.services.memcached.memcached import desired_clone
from pacefab.workflows.checks.placed import node_troubles
from pacefab.workflows.checks.service_health import instances
from pacefab.workflows.formation.remote_plan import (
    DAEMON,
    KEY,
    LOOK,
    RemoteHost,
    RemoteNode,
    RemotePlan,
    plan_remotes,
)
from pacefab.workflows.recovery import start_galera
from pacefab.workflows.rollout.desired import Intent
from tests.unit import captured
from tests.unit.healths import health
from tests.unit.test_inventory import fab

if TYPE_CHECKING:
    from pacefab.workflows.nodes.view import ClusterView

OWN, OTHERS = "the key of this cluster", "the key of another one"
REMOTE = cib.parse(captured.text("word", "remote-cib.xml"))
START = """\
cluster: lab
nodes:
  - c1
  - {name: c2, role: member}
"""


def read(folder: Path, text: str) -> ClusterInventory:
    file = folder / "lab.yaml"
    file.write_text(START + text)
    return read_inventory(file)


def connections(folder: Path, node: str) -> list[Primitive]:
    desired = desired_configuration(read(folder, f"  - {node}\n"), str)
    return [one for one in desired.resources if isinstance(one, Primitive)]


def test_a_remote_node_is_no_member_and_has_a_connection(tmp_path: Path) -> None:
    node = "{name: r1, address: 192.0.2.9, role: remote, attributes: {site: edge}}"
    inventory = read(tmp_path, f"  - {node}\n")
    assert inventory.membership() == Membership("lab", (Member("c1", ()), Member("c2", ())))
    assert desired_configuration(inventory, str).attributes == {"r1": {"site": "edge"}}
    (made,) = connections(tmp_path, node)
    assert made.agent == "ocf:pacemaker:remote"
    assert made.parameters == {"server": "192.0.2.9", "reconnect_interval": "60s"}


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ("{port: 3200}", {"port": "3200", "reconnect_interval": "60s"}),
        ("{reconnect_interval: 5min}", {"reconnect_interval": "5min"}),
        ("{reconnect_interval: 0}", {}),
        ("{server: edge.lab}", {"server": "edge.lab", "reconnect_interval": "60s"}),
    ],
)
def test_options_of_the_connection(
    tmp_path: Path, options: str, parameters: dict[str, str]
) -> None:
    (made,) = connections(tmp_path, f"{{name: r1, role: remote, connection: {options}}}")
    assert made.parameters == parameters  # without a server the agent takes the node's name


def test_the_connection_has_its_operations_and_meta_attributes(tmp_path: Path) -> None:
    options = "{meta: {priority: 5}, operations: [{name: monitor, interval: 20}]}"
    (made,) = connections(tmp_path, f"{{name: r1, role: remote, connection: {options}}}")
    assert made.meta == {"priority": "5"}
    assert [(one.name, one.interval) for one in made.operations] == [("monitor", "20")]


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("  - {name: r1, connection: {port: 3200}}\n", "for nodes whose role is remote"),
        ("  - {name: r1, role: remote, links: [192.0.2.8]}\n", "does not have"),
        (
            "  - {name: r1, address: 192.0.2.8, role: remote, connection: {server: r1.lab}}\n",
            "connection has no server then",
        ),
        (
            "  - {name: r1, role: remote}\nresources: {r1: {agent: 'ocf:pacemaker:Dummy'}}\n",
            "the id r1 is taken by nodes.2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, rest: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(tmp_path, rest)


def test_a_cluster_needs_a_member(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text("cluster: lab\nnodes: [{name: r1, role: remote}]\n")
    with pytest.raises(UsageError, match="a cluster needs members"):
        read_inventory(file)


GUEST = "  - {name: g1, role: guest, attributes: {site: edge}}\n"
MADE = "resources: {vm: {agent: 'ocf:pacemaker:Dummy', meta: {remote-node: g1}}}\n"


def test_a_guest_is_made_by_a_resource_and_is_no_host_of_ours(tmp_path: Path) -> None:
    inventory = read(tmp_path, GUEST + MADE)
    assert [node.name for node in inventory.members] == ["c1", "c2"]
    assert not inventory.remotes
    desired = desired_configuration(inventory, str)
    assert [one.id for one in desired.resources] == ["vm"]
    after = render_configuration(REMOTE, plan_configuration(REMOTE, desired))
    (entry,) = after.root.iterfind("configuration/nodes/node[@uname='g1']")
    assert [one.get("value") for one in entry.iter("nvpair")] == ["edge"]
    assert not plan_configuration(after, desired).changes


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (GUEST, "no resource makes this guest"),
        (GUEST + MADE.replace("g1", "g2"), "remote-node: g1"),
        ("  - {name: g1, role: guest, links: [192.0.2.8]}\n" + MADE, "a guest node does not have"),
    ],
)
def test_a_guest_that_nothing_makes_is_refused(tmp_path: Path, rest: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(tmp_path, rest)


def facts(name: str, key: str | None = None, owner: str = "root:haclient") -> HostFacts:
    state = FileState(key, "640", owner) if key else None
    return HostFacts(name, "debian 12", 4096, family="debian", files={KEY: state})


def host(name: str = "r1", key: str | None = None, *, ready: bool = False) -> RemoteHost:
    unit = Unit(DAEMON, "loaded", "active", "enabled", 7)
    found = replace(
        facts(name, key),
        manager="apt-get",
        interfaces=(Interface("eth0", "192.0.2.9", 24),),
        packages=dict.fromkeys(LOOK.packages, "2.1") if ready else {},
        units={DAEMON: unit} if ready else {},
    )
    return RemoteHost(RemoteNode(name), found, None)


def plan(members: Mapping[str, HostFacts], *hosts: RemoteHost, in_use: bool = False) -> RemotePlan:
    return plan_remotes("lab", members, hosts, in_use=in_use)


def test_the_members_key_goes_to_the_host_before_its_packages() -> None:
    made = plan({"c1": facts("c1", OWN)}, host())
    assert not made.members["c1"]
    first, *_ = made.hosts["r1"].install
    assert first.name == f"write {KEY}"
    assert OWN not in " ".join(first.argv)
    assert OWN not in repr(made) + " ".join(made.sentences())
    assert "package pacemaker-remote installed" in made.sentences()[0]


def test_what_is_ready_is_left_alone() -> None:
    assert not plan({"c1": facts("c1", OWN)}, host(key=OWN, ready=True))
    pcs = facts("c1", OWN, owner="hacluster:haclient")
    assert not plan({"c1": pcs}, host(key=OWN, ready=True))


def test_a_cluster_without_a_key_gets_one_of_4096_bytes() -> None:
    made = plan({"c1": facts("c1"), "c2": facts("c2")}, host())
    assert set(made.changed) == {"c1", "c2", "r1"}
    assert len(made.key.encode(errors="surrogateescape")) == 4096
    assert made.key != plan({"c1": facts("c1")}, host()).key


def test_a_member_that_joins_gets_the_key_of_the_others() -> None:
    made = plan({"c1": facts("c1", OWN), "c2": facts("c2")}, in_use=True)
    assert made.changed == ("c2",)
    assert made.key == OWN


def test_keys_that_debians_packages_made_become_one_and_those_in_use_are_kept() -> None:
    apart = {"c1": facts("c1", OWN), "c2": facts("c2", OTHERS)}
    assert plan(apart).changed == ("c2",)
    with pytest.raises(RefusedError, match="c2 has another key"):
        plan(apart, in_use=True)


def test_a_host_of_another_cluster_is_refused() -> None:
    with pytest.raises(RefusedError, match="r1 has the key of another cluster"):
        plan({"c1": facts("c1", OWN)}, host(key=OTHERS))
    member = replace(host(), membership=Membership("web", (Member("r1", ()),)))
    with pytest.raises(RefusedError, match=r"r1 is set up for cluster web \(r1\)"):
        plan({"c1": facts("c1", OWN)}, member)


def test_another_port_stands_in_the_daemons_settings() -> None:
    (settings, _) = replace(host(), node=RemoteNode("r1", 3200)).desired(OWN).files
    assert settings.render(None) == "PCMK_remote_port=3200\n"
    assert settings.render("A=1\nPCMK_remote_port=1\n") == "A=1\nPCMK_remote_port=3200\n"


def test_back_to_pacemakers_own_port_the_daemons_settings_say_so() -> None:
    settings = "/etc/default/pacemaker"
    there = host()
    for text, written in (("PCMK_remote_port=3200\n", True), ("# PCMK_remote_port=3121\n", False)):
        found = replace(there.facts, files={settings: FileState(text, "644", "root:root")})
        files = {file.path: file for file in replace(there, facts=found).desired(OWN).files}
        assert (settings in files) is written
        if written:
            assert files[settings].render(text) == "PCMK_remote_port=3121\n"


def connected_by(cib_: Cib, **parameters: str) -> ConfigurationPlan:
    primitive = Primitive("r9", "ocf:pacemaker:remote", {"server": "192.0.2.9", **parameters})
    return plan_configuration(cib_, Configuration(resources=(primitive,)))


def test_another_port_of_a_node_that_is_connected_is_refused() -> None:
    there = render_configuration(REMOTE, connected_by(REMOTE))
    with pytest.raises(RefusedError, match="connect to r9 by port 3200") as refused:
        check_connections(connected_by(there, port="3200"))
    assert "listens on port 3121" in refused.value.seen
    assert "fab remove-node --node r9" in refused.value.next_step
    check_connections(connected_by(there, port="3121"))
    check_connections(connected_by(there, reconnect_interval="60s"))
    check_connections(connected_by(REMOTE, port="3200"))


NODES = monitor.parse(captured.text("word", "remote-mon.xml")).nodes


def test_services_are_kept_to_members_where_there_are_remote_nodes() -> None:
    clone = desired_clone()
    intent = Intent(Membership("lab", ()), {}, (), Configuration(), str, beside_remotes=True)
    assert intent.configuration(intent.site({})).constraints == ()
    desired = Configuration(resources=(clone,), constraints=(kept_to_members(clone),))
    after = render_configuration(REMOTE, plan_configuration(REMOTE, desired))
    assert able(after, "memcached", NODES) == ("c1", "c2")
    assert able(after, "lone", NODES) is None


def test_that_a_service_does_not_run_on_remote_nodes_is_nothing_to_report() -> None:
    status = monitor.parse(captured.text("word", "remote-mon.xml"))
    to_do = graph.parse(captured.text("word", "remote-graph.xml"))
    assert "r2" in outcome.read(REMOTE, status, to_do).against["cache"]
    kept = Configuration(constraints=(kept_to_members(Group("cache-clone", ())),))
    after = render_configuration(REMOTE, plan_configuration(REMOTE, kept))
    assert "r2" not in outcome.read(after, status, to_do).against["cache"]


def test_an_attribute_comes_with_the_connection_whose_id_is_the_nodes() -> None:
    primitive = Primitive("r9", "ocf:pacemaker:remote", {"server": "192.0.2.9"})
    desired = Configuration(attributes={"r9": {"site": "edge"}}, resources=(primitive,))
    after = render_configuration(REMOTE, plan_configuration(REMOTE, desired))
    (entry,) = after.root.iterfind("configuration/nodes/node[@uname='r9']")
    assert [entry.get(key) for key in ("id", "type", "uname")] == ["r9", "remote", "r9"]
    assert after.element("r9") is not None
    assert not plan_configuration(after, desired).changes


def with_constraint(text: str) -> Cib:
    whole = REMOTE.text().replace("<constraints>", f"<constraints>{text}")
    return cib.parse(whole.replace("<constraints/>", f"<constraints>{text}</constraints>"))


PREFERENCE = '<rsc_location id="likes-c3" rsc="lone" node="c3" score="5"/>'


def test_nothing_names_a_remote_node_that_has_left() -> None:
    before = with_constraint(PREFERENCE)
    assert departure.is_known(before, "c3")
    assert departure.leftovers(before, "c3") == ("likes-c3", "location-afar-c3-INFINITY")
    after = departure.without(before, "c3")
    assert after is not None
    assert '"c3"' not in after.text(status=False)
    assert departure.without(after, "c3") is None
    assert departure.without(before, "nobody") is None


@pytest.mark.parametrize(
    ("expression", "nodes"),
    [
        ('attribute="#uname" operation="eq" value="c1"', {"c1"}),
        ('attribute="#uname" operation="ne" value="c1"', {"c2", "r2"}),
        ('attribute="site" operation="eq" value="edge"', {"r2"}),
        ('attribute="site" operation="defined"', {"r2"}),
        ('attribute="site" operation="not_defined"', {"c1", "c2"}),
        ('attribute="#kind" operation="eq" value="remote"', {"c1", "c2", "r2"}),  # not known here
    ],
)
def test_which_nodes_an_exclusive_rule_may_be_about(expression: str, nodes: set[str]) -> None:
    rule = f'<rule id="edge-rule" score="0"><expression id="edge-e" {expression}/></rule>'
    location = etree.fromstring(f'<rsc_location id="edge" rsc="lone">{rule}</rsc_location>')
    edge = Configuration(
        attributes={"r2": {"site": "edge"}}, resources=(Primitive("r2", "ocf:pacemaker:remote"),)
    )
    known = render_configuration(REMOTE, plan_configuration(REMOTE, edge))
    assert {node for node in ("c1", "c2", "r2") if may_include(known, location, node)} == nodes


def test_its_connection_stops_first() -> None:
    element = departure.apart(REMOTE, "c3").element("c3")
    assert element is not None
    assert element.xpath("meta_attributes/nvpair[@name='target-role']/@value") == ["Stopped"]


def test_a_guest_is_known_by_its_resource() -> None:
    assert departure.guest_of(REMOTE, "g1")
    assert departure.guest_of(REMOTE, "c3") == ""


def test_clones_are_counted_on_members_and_where_they_run() -> None:
    status = monitor.parse(captured.text("word", "remote-mon.xml"))
    assert dict(instances(status, "cache"))["c1"] == "Started"
    away = {node.name for node in status.nodes if node.remote and not node.online}
    assert away
    assert not away & set(dict(instances(status, "cache")))


def test_the_classic_layout_lists_remote_nodes_as_stopped() -> None:
    status = monitor.parse(captured.text("word", "remote-mon.xml"))
    assert "     Stopped: [ g1 r2 ]" in classic.render(status)


def test_a_guest_node_is_called_so() -> None:
    status = monitor.parse(captured.text("word", "remote-mon.xml"))
    kinds = {node.name: node.kind for node in status.nodes}
    assert kinds == {"c1": "member", "c2": "member", "c3": "remote", "g1": "guest", "r2": "remote"}
    found = health(monitored="remote-mon.xml", kind="word")
    assert any(line.split()[:3] == ["g1", "online,", "guest"] for line in render_text(found))
    assert any(line.split()[:3] == ["c3", "online,", "remote"] for line in render_text(found))
    shown = {node["node"]: node for node in json.loads(render_json(found))["nodes"]}
    assert (shown["g1"]["remote"], shown["g1"]["guest"]) == (True, True)
    assert "guest" not in shown["c3"]
    assert "remote" not in shown["c1"]


def test_a_remote_node_alone_is_no_host_to_work_on(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(START + "  - {name: r1, role: remote}\n")
    done = fab("-H", "r1", "status", "--inventory", str(file))
    assert done.returncode == 2
    assert "r1 is a remote node, and this works on members" in done.stderr


def test_a_guest_node_that_is_away_is_called_so() -> None:
    away = captured.text("word", "remote-mon.xml").replace(
        'name="g1" id="g1" online="true"', 'name="g1" id="g1" online="false"'
    )
    troubles = node_troubles(monitor.parse(away))
    assert troubles == ["the guest node g1 is offline", "the remote node r2 is offline"]


def test_remote_nodes_have_no_vote_in_what_start_galera_advises() -> None:
    status = monitor.parse(captured.text("word", "remote-mon.xml"))
    seen = SimpleNamespace(cib=REMOTE, status=replace(status, quorum=False), doorway="c1")
    with pytest.raises(RefusedError) as refused:
        start_galera._check_quorum(cast("ClusterView", seen))  # noqa: SLF001  # no galera is there
    assert "no node is not there, c1, c2 is" in refused.value.seen
    assert refused.value.next_step.endswith("expected-votes 2")
