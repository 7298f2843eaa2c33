"""Instances and their answers -> reasons, text and JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from pacefab.inventory.model import Part
from pacefab.pacemaker import cib, monitor
from pacefab.pacemaker.model import Clone, Configuration, Membership, Primitive
from pacefab.pacemaker.nouns.status import Instance
from pacefab.report import health as report
from pacefab.services.memcached.probe import Answer
from pacefab.services.probes.probe import Reading
from pacefab.services.service import Service, Site
from pacefab.workflows.checks import service_health
from pacefab.workflows.checks.health import not_serving, service_notices
from pacefab.workflows.checks.service_health import InstanceHealth, recognise
from tests.unit import captured, healths

SERVES = Answer(served=True, error="", seconds=0.002, stats={"version": "1.6.18"}, settings={})
SYNCED = Reading("", {"state": "Synced", "cluster_size": 3.0})
NODES = ("controller1-vm", "controller2-vm", "controller3-vm")


def test_a_cluster_shows_its_services_by_itself() -> None:
    stack = recognise(cib.parse(captured.text("debian12", "cib-services.xml")))
    assert {"galera", "haproxy", "memcached", "vips"} <= set(stack)
    assert len(stack["vips"].addresses) == 12
    assert recognise(cib.parse(captured.text("debian12", "cib-empty.xml"))) == {}


def test_a_clone_has_an_instance_on_every_node_and_a_vip_where_it_runs() -> None:
    status = monitor.parse(captured.text("debian12", "monitor-one-stopped.xml"))
    assert dict(service_health.instances(status, "memcached")) == {
        "c1": "Started", "c2": "Started", "c3": "Stopped",
    }  # fmt: skip
    stack = monitor.parse(captured.text("debian12", "monitor-services.xml"))
    assert dict(service_health.instances(stack, "redis")) == dict(
        zip(NODES, ("Promoted", "Unpromoted", "Unpromoted"), strict=True)
    )
    ((node, state),) = service_health.instances(stack, "vip-db")
    assert (node in NODES, state) == (True, "Started")


def test_the_reason_names_service_node_and_asker() -> None:
    hung = Reading("timed out after 3 s")
    galera = healths.service("galera", {"b1": SYNCED, "b2": hung, "b3": SYNCED})
    (reason,) = not_serving(galera)
    said = "Pacemaker calls galera Started on b2, yet it does not serve (asked from c2)"
    assert reason == f"{said}: timed out after 3 s"
    vips = healths.service("vips", {"b1": Reading("no route to host")}, "vip-db", "vip-x")
    assert [reason.split(",")[0] for reason in not_serving(vips)] == [
        "Pacemaker calls vip-db Started on b1",
        "Pacemaker calls vip-x Started on b1",
    ]


def test_askers_that_saw_the_same_are_one_reason() -> None:
    lost = [healths.result(Reading("no route to host"), "b1", asker) for asker in ("b2", "b3")]
    vips = healths.service("vips", {"b1": Reading()})
    alone = replace(vips, instances=(InstanceHealth("vip-db", "b1", "Started", tuple(lost)),))
    (reason,) = not_serving(alone)
    assert "(asked from b2, b3): no route to host" in reason


def test_a_service_asked_as_a_whole_counts_for_its_instances() -> None:
    instance = InstanceHealth("etcd", "c1", "Started")
    wrong = healths.result(Reading("no leader"), "")
    etcd = replace(healths.service("galera", {}), name="etcd", instances=(instance,))
    assert etcd.serves(instance)
    assert not replace(etcd, whole=(wrong,)).serves(instance)
    assert list(not_serving(replace(etcd, whole=(wrong,)))) == [
        "etcd: it serves (asked from c2): no leader"
    ]
    unasked = replace(etcd, error="read the inventory: there is no VIP db")
    assert not unasked.serves(instance)
    assert list(not_serving(unasked)) == [
        "etcd cannot be asked: read the inventory: there is no VIP db"
    ]


def test_a_notice_of_all_instances_is_one() -> None:
    same = Reading("", {}, ("no server is up behind web",))
    everyone = healths.service("haproxy", {"c1": same, "c2": same})
    assert list(service_notices(everyone)) == ["no server is up behind web"]
    one = healths.service("haproxy", {"c1": same, "c2": Reading()})
    assert list(service_notices(one)) == ["no server is up behind web (on c1)"]


def test_memcached_stands_beside_the_nodes_and_other_services_below() -> None:
    health = healths.health(
        healths.memcached(dict.fromkeys(("c1", "c2", "c3"), SERVES)),
        healths.service("galera", dict.fromkeys(("c1", "c2", "c3"), SYNCED)),
        healths.service("vips", dict.fromkeys(("c1", "c2"), Reading()), "vip-db", "vip-x"),
    )
    lines = report.render_text(health)
    at = next(n for n, line in enumerate(lines) if line.startswith("node "))
    assert lines[at].split()[:4] == ["node", "Pacemaker", "memcached", "answers"]
    assert lines[at + 1].split()[:5] == ["c1", "online", "Started", "yes,", "2"]
    at = next(n for n, line in enumerate(lines) if line.startswith("galera "))
    assert lines[at].split()[:5] == ["galera", "Pacemaker", "answers", "state", "size"]
    assert lines[at + 2].split()[:5] == ["c2", "Started", "yes", "Synced", "3"]
    at = next(n for n, line in enumerate(lines) if line.startswith("vips "))
    assert lines[at + 1].split() == ["c1", "2", "Started", "yes"]
    assert lines[-1] == ("healthy: memcached, galera serve on 3 of 3 nodes; 4 of 4 vips answer")


def test_programs_find_every_instance_and_what_was_there_before() -> None:
    health = healths.health(
        healths.memcached({"c1": SERVES, "c2": None}),
        healths.service("galera", {"c1": SYNCED, "c2": Reading("timed out after 3 s")}),
    )
    found = json.loads(report.render_json(health))
    first, second, _ = found["nodes"]
    assert (first["memcached"], first["answers"], first["version"]) == ("Started", True, "1.6.18")
    assert (second["answers"], second["asked_from"]) == (False, None)
    assert found["services"]["galera"]["serving"] == 1
    good, hung = found["services"]["galera"]["instances"]
    assert good["figures"] == {"state": "Synced", "cluster_size": 3.0}
    assert (hung["node"], hung["answers"], hung["error"]) == ("c2", False, "timed out after 3 s")
    assert hung["questions"][0]["asked_from"] == "c2"


def test_fence_devices_are_shown() -> None:
    health = healths.health()
    device = Instance("ipmi-c1", "stonith:fence_ipmilan", "Started", ("c2",), failed=False,
                      managed=True, orphaned=False, blocked=False)  # fmt: skip
    status = replace(health.status, resources=(*health.status.resources, device))
    with_one = replace(health, status=status)
    line = next(line for line in report.render_text(with_one) if "ipmi-c1" in line)
    assert line.split() == ["ipmi-c1", "(stonith:fence_ipmilan):", "Started", "c2"]
    (found,) = json.loads(report.render_json(with_one))["fence_devices"]
    assert (found["id"], found["nodes"]) == ("ipmi-c1", ["c2"])


def test_a_service_is_recognised_by_what_its_resources_run() -> None:
    shown = recognise(
        cib.parse(
            """<cib epoch="0" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/>
            <resources><template id="cache" class="service" type="memcached"/>
            <clone id="c"><primitive id="p_cache" template="cache"/></clone>
            <primitive id="balance" class="lsb" type="haproxy"/></resources><constraints/>
            </configuration></cib>"""
        )
    )
    assert set(shown) == {"haproxy", "memcached"}


def test_a_service_that_names_no_agents_has_the_resources_that_it_would_make() -> None:
    def configuration(_section: object, _site: Site) -> Configuration:
        primitive = Primitive("memcached", "systemd:memcached")
        return Configuration(resources=(Clone("memcached-clone", primitive, {}),))

    theirs = Service("theirs", Part, configuration=configuration)
    site = Site(Membership("lab", ()), {}, {})
    there = cib.parse(captured.text("debian12", "cib-clone.xml"))
    empty = cib.parse(captured.text("debian12", "cib-empty.xml"))
    assert service_health.find_primitives(theirs, Part(), site, there) == ["memcached"]
    assert service_health.find_primitives(theirs, Part(), site, empty) == []
    without = Service("theirs", Part)
    assert service_health.find_primitives(without, Part(), site, there) is None
