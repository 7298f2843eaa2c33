"""What an inventory wants of the CIB besides its services, and in which order it names them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pacefab.cli.inventory import ClusterInventory, read_inventory
from pacefab.inventory.configuration import desired_configuration, secret_names
from pacefab.inventory.objectives import Objectives
from pacefab.inventory.pacemaker_options import PROPERTIES, RESOURCE_META, Properties
from pacefab.pacemaker.model import (
    Clone,
    Colocation,
    Group,
    Location,
    Member,
    Membership,
    Operation,
    Order,
    Primitive,
)
from pacefab.services import registry
from tests.unit import captured

ROOT = Path(__file__).resolve().parents[2]
START = "cluster: lab\nnodes: [c1, {name: c2, address: 192.0.2.2}]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lab.yaml"


def read(file: Path, text: str) -> ClusterInventory:
    file.write_text(START + text)
    return read_inventory(file)


def secret(name: str) -> str:
    return f"value of {name}"


def test_nothing_is_desired_that_the_inventory_does_not_say(file: Path) -> None:
    inventory = read(file, "")
    configuration = desired_configuration(inventory, secret)
    assert configuration == type(configuration)()
    assert inventory.fencing is None
    assert inventory.firewall == "unmanaged"
    assert secret_names(inventory) == ()
    members = (Member("c1", ()), Member("c2", ("192.0.2.2",)))
    assert inventory.membership() == Membership("lab", members)


def test_properties_defaults_and_attributes_are_texts_as_pacemaker_writes_them(file: Path) -> None:
    inventory = read(
        file,
        "properties: {maintenance-mode: false, batch-limit: 10, cluster-recheck-interval: 5min}\n"
        "defaults: {resource-stickiness: -INFINITY, migration-threshold: 3, failure-timeout: 60}\n",
    )
    configuration = desired_configuration(inventory, secret)
    assert configuration.properties == {
        "maintenance-mode": "false",
        "batch-limit": "10",
        "cluster-recheck-interval": "5min",
    }
    assert configuration.defaults == {
        "resource-stickiness": "-INFINITY",
        "migration-threshold": "3",
        "failure-timeout": "60",
    }
    file.write_text('cluster: lab\nnodes: [c2, {name: c1, attributes: {rack: b2, slot: "7"}}]\n')
    attributes = desired_configuration(read_inventory(file), secret).attributes
    assert attributes == {"c1": {"rack": "b2", "slot": "7"}}


@pytest.mark.parametrize("kind", ["debian12", "debian13"])
def test_every_property_that_pacemaker_knows_is_known_or_has_its_place(kind: str) -> None:
    names = set(re.findall('name="(.*)"', captured.text(kind, "options.txt")))
    assert len(names) > 40
    assert names == names & {*PROPERTIES, *Properties.elsewhere}


def test_every_meta_attribute_that_pacemaker_knows_is_known() -> None:
    text = captured.text("debian13", "meta-options.xml")
    assert set(re.findall('<parameter name="(.*?)"', text)) == set(RESOURCE_META)


def test_disabled_fencing_keeps_its_reason_in_the_cib(file: Path) -> None:
    inventory = read(file, "fencing:\n  disabled: true\n  reason: >\n    test nodes\n")
    configuration = desired_configuration(inventory, secret)
    assert configuration.properties == {"stonith-enabled": "false"}
    assert configuration.notes == {"pacefab-fencing-disabled-reason": "test nodes"}


def test_a_device_for_several_nodes_is_one_primitive(file: Path) -> None:
    inventory = read(
        file,
        "fencing:\n  devices:\n    strip:\n      agent: fence_apc\n      nodes: [c1, c2]\n"
        "      parameters: {ip: 192.0.2.9, snmp_version: '1.10', verbose: true, ipport: 161}\n"
        "      operations: [{name: monitor, interval: 5min}]\n      meta: {priority: 10}\n",
    )
    configuration = desired_configuration(inventory, secret)
    assert configuration.properties == {"stonith-enabled": "true"}
    parameters = {
        "ip": "192.0.2.9",
        "snmp_version": "1.10",
        "verbose": "true",
        "ipport": "161",
        "pcmk_host_list": "c1 c2",
    }
    operations = (Operation("monitor", "5min", ""),)
    expected = Primitive("strip", "stonith:fence_apc", parameters, {"priority": "10"}, operations)
    assert configuration.resources == (expected,)


def test_devices_per_node_share_parameters_and_hide_secrets(file: Path) -> None:
    inventory = read(
        file,
        "fencing:\n  devices:\n    ipmi:\n      agent: fence_ipmilan\n"
        "      parameters: {username: fence, passwd: {secret: ipmi}}\n"
        "      per_node: {c1: {ip: 192.0.2.201}, c2: {ip: 192.0.2.202, username: root}}\n",
    )
    assert secret_names(inventory) == ("ipmi",)
    first, second = desired_configuration(inventory, secret).resources
    assert isinstance(first, Primitive)
    assert isinstance(second, Primitive)
    assert (first.id, second.id) == ("ipmi-c1", "ipmi-c2")
    assert "value of ipmi" in first.parameters.values()
    assert first.hidden == {"passwd"}
    assert second.parameters["username"] == "root"
    assert second.parameters["pcmk_host_list"] == "c2"


def test_resources_are_what_pcs_would_make_of_them(file: Path) -> None:
    inventory = read(
        file,
        "resources:\n"
        "  a: {agent: 'systemd:a', group: g}\n"
        "  b: {agent: 'systemd:b', clone: {interleave: true}, disabled: true}\n"
        "  c: {agent: 'systemd:c', group: g, disabled: true, meta: {priority: 1}}\n"
        "  d: {agent: 'ocf:heartbeat:d', promotable: {promoted-max: 3},"
        " parameters: {x: {secret: s}},"
        " operations: [{name: promote, timeout: 300s, on_fail: block, check_level: 10}]}\n"
        "  e: {agent: 'systemd:e', clone: , operations: [{name: monitor, role: Promoted}]}\n",
    )
    promote = Operation("promote", "0s", "300s", {"on-fail": "block"}, {"OCF_CHECK_LEVEL": "10"})
    monitor = Operation("monitor", "60s", "", {"role": "Promoted"})
    group = (
        Primitive("a", "systemd:a"),
        Primitive("c", "systemd:c", meta={"priority": "1", "target-role": "Stopped"}),
    )
    stopped = {"interleave": "true", "target-role": "Stopped"}
    d = Primitive("d", "ocf:heartbeat:d", {"x": "value of s"}, operations=(promote,))
    assert desired_configuration(inventory, secret).resources == (
        Group("g", group),
        Clone("b-clone", Primitive("b", "systemd:b"), stopped),
        Clone("d-clone", d, {"promotable": "true", "promoted-max": "3"}),
        Clone("e-clone", Primitive("e", "systemd:e", operations=(monitor,))),
    )


def test_constraints_may_name_resources_of_services_remote_nodes_and_groups(file: Path) -> None:
    inventory = read(
        file,
        "services: {memcached: {}}\n"
        "resources:\n"
        "  r1: {agent: 'ocf:pacemaker:remote'}\n  a: {agent: 'systemd:a', group: g}\n"
        "constraints:\n"
        "  order:\n"
        "    - {first: memcached-clone, then: a, kind: Optional, symmetrical: false}\n"
        "    - {first: a, then: memcached-clone, first_action: stop, then_action: stop}\n"
        "  colocation:\n"
        "    - {resource: g, with: memcached-clone, score: -10, with_role: Started}\n"
        "  location:\n"
        "    - {resource: a, node: r1, resource_discovery: exclusive}\n"
        "    - {resource: g, attribute: rack, operation: eq, value: 7, score: 0}\n"
        "    - {resource: g, attribute: rack, operation: defined}\n",
    )
    assert desired_configuration(inventory, secret).constraints == (
        Order("memcached-clone", "a", kind="Optional", options={"symmetrical": "false"}),
        Order("a", "memcached-clone", "stop", "stop"),
        Colocation("g", "memcached-clone", "-10", with_role="Started"),
        Location("a", "INFINITY", node="r1", resource_discovery="exclusive"),
        Location("g", "0", attribute="rack", operation="eq", value="7"),
        Location("g", "INFINITY", attribute="rack", operation="defined"),
    )


def test_services_keep_the_order_of_the_document(file: Path) -> None:
    names = list(read_inventory(ROOT / "inventory" / "openstack.yaml").sections)
    assert names == ["haproxy", "vips", "galera", "memcached"]
    assert list(read(file, "services: {redis: , memcached: }\n").sections) == ["redis", "memcached"]


def test_a_service_that_is_not_desired_has_no_section(file: Path) -> None:
    inventory = read(file, "services: {memcached: {port: 11300}}\n")
    assert inventory.section("memcached").port == 11300
    assert inventory.section("galera") is None


def test_the_example_of_the_stack_is_the_classic_one() -> None:
    inventory = read_inventory(ROOT / "inventory" / "openstack.yaml")
    vips = "db rabbitmq keystone glance cinder swift neutron nova horizon heat ceilometer qpid"
    assert list(inventory.service_ids()) == [
        "lb-haproxy-clone",
        *(f"vip-{name}" for name in vips.split()),
        "galera-clone",
        "memcached-clone",
    ]
    assert [node.name for node in inventory.nodes] == [f"controller{i}-vm" for i in (1, 2, 3)]
    needed = {
        s for name, x in inventory.sections.items() for s in registry.service(name).secrets(x)
    }
    assert needed <= {"galera", "haproxy_stats"}


def test_objectives_are_seconds(file: Path) -> None:
    text = "objectives: {recovery: 1.5min, worst_stall: 500ms, vip_away: 2, client_errors: 0}\n"
    found = read(file, text).objectives
    assert (found.recovery, found.worst_stall, found.vip_away) == (90, 0.5, 2)
    assert found.client_errors == 0
    assert read(file, "objectives: {recovery: }\n").objectives == Objectives()
