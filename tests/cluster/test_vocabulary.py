"""What Pacemaker can say, on real nodes: made, changed, taken back and removed by the product.

One cluster goes through four deploys and two rollbacks; in each state Pacemaker itself is asked
whether it does what was said. Beside it all there is what somebody made with pcs, which stays.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from lxml import etree

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster.eyes import Done
from tests.cluster.fence_agent import AGENT, BROKEN, LOG, PROGRAM

SECONDS = 60.0  # in which Pacemaker has done what follows from a change, on a busy machine
DUMMY = "ocf:pacemaker:Dummy"
RECORDER = "/usr/local/bin/record-alert"
RECORD, SECOND_RECORD = "/var/log/pacemaker/alerts", "/var/log/pacemaker/alerts-again"
# A program for an alert: a line for each event, into the file that is its recipient.
RECORDER_TEXT = r"""#!/bin/sh
printf '%s %s %s %s\n' "$CRM_alert_kind" "$CRM_alert_node" "$CRM_alert_attribute_name" "$word" \
    >>"$CRM_alert_recipient"
"""
USERS = ("alice", "bob", "carol")
PREPARE = f"""
cat >{RECORDER}; chmod 755 {RECORDER}
for user in {" ".join(USERS)}; do useradd --groups haclient "$user"; done
"""
CLEAN = f"""
rm -f {RECORDER} {RECORD} {SECOND_RECORD} {PROGRAM} {LOG}
for user in {" ".join(USERS)}; do userdel "$user"; done
"""
THEIRS = f"""
set -e
pcs resource create theirs {DUMMY}
pcs alert create path=/bin/true id=theirs-alert
pcs alert recipient add theirs-alert value=x
pcs acl role create theirs-role read xpath /cib
pcs acl user create hacluster theirs-role
pcs tag create theirs-tag theirs
pcs resource op defaults update record-pending=true
pcs constraint ticket add theirs-ticket theirs loss-policy=freeze --force
pcs node utilization c3 disks=1
"""
OF_THEIRS = (
    "//*[starts-with(@id, 'theirs') and not(self::role or ancestor::*[starts-with(@id, 'theirs')])]"
    " | //acl_target[@id='hacluster'] | //rsc_ticket[@ticket='theirs-ticket'] | //op_defaults"
    " | //nvpair[@name='disks']"
)
NEED_A_SLOT = ("u1", "u2", "u3")
NEVER = {"operation": "lt", "end": "2020-01-01"}
FULL: dict[str, Any] = {
    "properties": {"enable-acl": True, "placement-strategy": "utilization"},
    "operation_defaults": {"timeout": "25s"},
    "defaults": {"resource-stickiness": 10},
    "fencing": {
        "devices": {
            "broken": {
                "agent": "fence_test",
                "parameters": {"ip": BROKEN, "pcmk_host_list": "c1 c2 c3 ghost1"},
            },
            "switch": {
                "agent": "fence_test",
                "parameters": {"ip": "192.0.2.9", "pcmk_host_list": "c1 c2 c3 ghost1"},
            },
        },
        "levels": [
            {"pattern": "ghost.*", "level": 1, "devices": ["broken"]},
            {"pattern": "ghost.*", "level": 2, "devices": ["switch"]},
        ],
    },
    "resources": {
        **{name: {"agent": DUMMY} for name in ("a", "b", "guarded")},
        **{name: {"agent": DUMMY, "utilization": {"slots": 1}} for name in ("u1", "u2", "u3")},
        "vm": {"agent": DUMMY, "disabled": True, "meta": {"remote-node": "inside"}},
        "made": {"template": "like", "further": {"operations": {"id_ref": "likes"}}},
    },
    "templates": {
        "like": {
            "agent": DUMMY,
            "operations": [{"name": "monitor", "interval": "7s"}],
            "advised_operations": False,
            "further": {"operations": {"id": "likes"}},
        }
    },
    "other_nodes": {"inside": {"attributes": {"shelf": "x"}, "utilization": {"slots": 3}}},
    "constraints": {
        "colocation": [{"score": "INFINITY", "sets": [{"resources": ["a", "b"]}]}],
        "order": [{"sets": [{"resources": ["b", "a"], "sequential": True}]}],
        "location": [
            {
                "resource": "b",
                "rules": [
                    {
                        "score": "INFINITY",
                        "expression": [{"attribute": "#uname", "operation": "eq", "value": "c2"}],
                        "date_expression": [{"operation": "gt", "start": "2020-01-01"}],
                    }
                ],
            },
            {"resource": "b", "node": "c3", "score": 100},
        ],
        "ticket": [{"ticket": "site", "resource": "guarded", "loss_policy": "stop"}],
    },
    "alerts": {
        "events": {
            "path": RECORDER,
            "attributes": {"word": "first"},
            "meta": {"timeout": "20s"},
            "select": {"fencing": True, "attributes": ["shelf"]},
            "meta_sets": [{"rule": [{"date_expression": [NEVER]}], "values": {"enabled": False}}],
            "recipients": [RECORD],
        }
    },
    "acls": {
        "roles": {
            "look": {"permissions": [{"kind": "read", "xpath": "/cib"}]},
            "tune": {
                "permissions": [
                    {"kind": "read", "xpath": "/cib"},
                    {"kind": "write", "xpath": "//crm_config"},
                ]
            },
        },
        "users": {"alice": ["look"], "carol": ["tune"]},
    },
    "tags": {"pair": ["a", "b"]},
    "bundles": {
        "box": {
            "podman": {"image": "localhost/none:1", "replicas": 1},
            "network": {"control_port": 3121},
            "meta": {"target-role": "Stopped"},
        }
    },
}
SLOTS = {"c1": 1, "c2": 1, "c3": 1}


def edited() -> dict[str, Any]:
    """Return FULL with a change in each of its parts."""
    data = deepcopy(FULL)
    data["operation_defaults"]["timeout"] = "35s"
    data["fencing"]["levels"][0]["devices"] = ["switch"]
    del data["fencing"]["levels"][1]
    (rule,) = data["constraints"]["location"][0]["rules"]
    rule["date_expression"] = [{"operation": "lt", "end": "2020-01-01"}]
    data["constraints"]["ticket"] = [{"ticket": "site", "sets": [{"resources": ["guarded"]}]}]
    (together,) = data["constraints"]["colocation"]
    together["sets"] = [{"resources": ["a", "b", "guarded"]}]
    data["alerts"]["events"] |= {
        "attributes": {"word": "second"},
        "select": {"attributes": ["shelf"]},
        "recipients": [RECORD, {"value": SECOND_RECORD, "meta": {"enabled": True}}],
    }
    data["acls"]["users"] = {"alice": ["tune"], "bob": ["look"]}
    data["alerts"]["events"]["meta_sets"][0]["values"] = {"timeout": "9s"}
    data["resources"]["vm"]["meta"] = {"remote-node": "inside", "remote-port": "3122"}
    data["templates"]["like"]["operations"][0]["interval"] = "9s"
    data["other_nodes"]["inside"] = {"attributes": {"shelf": "y"}, "utilization": {"slots": 2}}
    data["tags"]["pair"] = ["a", "b", "guarded"]
    data["bundles"]["box"]["podman"]["replicas"] = 2
    return data


class Stage:
    """The cluster, and the one file in which its inventory is."""

    def __init__(self, cluster: Cluster, file: Path) -> None:
        self.cluster, self._file, self._numbers = cluster, file, count(11)

    def fab(self, *args: str) -> Done:
        """Run a task with the inventory; it is to succeed."""
        return self.cluster.fab(*args, "--inventory", str(self._file), check=True, timeout=120)

    def deploy(self, data: dict[str, Any], slots: dict[str, int], *options: str) -> etree._Element:
        """Deploy an inventory of these sections; return the configuration after it."""
        nodes = [
            {"name": name, "address": self.cluster.address(name), "utilization": {"slots": number}}
            if (number := slots.get(name, 0))
            else {"name": name, "address": self.cluster.address(name)}
            for name in self.cluster.nodes
        ]
        self._file.write_text(json.dumps({"cluster": self.cluster.name, "nodes": nodes, **data}))
        self.fab("deploy", "--yes", *options)
        assert "nothing to do" in self.fab("plan").stdout
        return self.configuration()

    def configuration(self) -> etree._Element:
        """Return what cibadmin prints, without our record."""
        root = etree.fromstring(
            self.cluster.run("c1", "cibadmin --query --scope configuration").stdout,
            etree.XMLParser(remove_blank_text=True),
        )
        for own in root.findall(".//cluster_property_set[@id='pacefab']"):
            own.getparent().remove(own)  # type: ignore[union-attr]
        for empty in [section for section in root if not len(section)]:
            root.remove(empty)
        return root

    def runs(self) -> dict[str, str]:
        """Return the node on which each primitive is started."""
        xml = etree.fromstring(self.cluster.run("c1", "crm_mon -1 --output-as=xml").stdout.encode())
        return {
            str(resource.get("id")): str(node.get("name"))
            for resource in xml.iter("resource")
            for node in resource.iterfind("node")
            if resource.get("role") == "Started"
        }

    def waits_for(self, seen: Callable[[], object], expected: object) -> None:
        """Wait until what is seen is as expected."""
        end = time.monotonic() + SECONDS
        while (now := seen()) != expected and time.monotonic() < end:
            time.sleep(0.2)
        assert now == expected

    def records(self, file: str = RECORD) -> set[str]:
        """Return the lines that an alert has written on any node."""
        said = on_all(
            lambda node: self.cluster.run(node, f"cat {file} 2>/dev/null; true").stdout,
            self.cluster.nodes,
        )
        return set("".join(said).splitlines())

    def may(self, user: str, command: str) -> bool:
        """Whether a user of c1's system may do something to the cluster.

        What would change nothing anybody may do who may look, so the number is another each time.
        """
        command = command.replace("NUMBER", str(next(self._numbers)))
        return self.cluster.run("c1", f"su {user} -c '{command}'", check=False).returncode == 0


LOOK = "cibadmin --query --scope crm_config"
TUNE = "crm_attribute --type crm_config --name batch-limit --update NUMBER"


@pytest.fixture(scope="module")
def stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The session's cluster with users, programs and what somebody has made with pcs."""
    if cluster.image == "rpm":
        pytest.skip("its pcs and Pacemaker are those of debian12")
    cluster.reset()
    for node in cluster.nodes:
        cluster.run(node, PREPARE, stdin=RECORDER_TEXT)
        cluster.run(node, f"cat >{PROGRAM}; chmod 755 {PROGRAM}", stdin=AGENT)
    cluster.run("c1", THEIRS, timeout=120)
    yield Stage(cluster, tmp_path_factory.mktemp("vocabulary") / "lab.yaml")
    cluster.reset()
    for node in cluster.nodes:
        cluster.run(node, CLEAN)


@pytest.fixture(scope="module")
def theirs(stage: Stage) -> list[str]:
    """What somebody has made."""
    found = of_theirs(stage.configuration())
    assert len(found) == OBJECTS_OF_THEIRS
    return found


OBJECTS_OF_THEIRS = 8


def of_theirs(root: etree._Element) -> list[str]:
    found = root.xpath(OF_THEIRS)
    return sorted(etree.tostring(each, method="c14n").decode() for each in cast("list[Any]", found))


@pytest.fixture(scope="module")
def bare(stage: Stage, theirs: list[str]) -> etree._Element:
    """The cluster with the resources' inventory and nothing of the rest."""
    return stage.deploy({"fencing": {"disabled": True, "reason": "nothing here yet"}}, {})


@pytest.fixture(scope="module")
def made(stage: Stage, bare: etree._Element) -> etree._Element:
    return stage.deploy(FULL, SLOTS)


@pytest.fixture(scope="module")
def changed(stage: Stage, made: etree._Element) -> etree._Element:
    return stage.deploy(edited(), {"c1": 3}, "--prune", "--allow-interruption")


@pytest.fixture(scope="module")
def back(stage: Stage, changed: etree._Element) -> etree._Element:
    stage.fab("rollback", "--yes", "--allow-interruption")
    return stage.configuration()


@pytest.fixture(scope="module")
def removed(stage: Stage, back: etree._Element) -> etree._Element:
    nothing = {"fencing": {"disabled": True, "reason": "nothing here any more"}}
    return stage.deploy(nothing, {}, "--prune", "--allow-interruption")


def test_levels_are_tried_one_after_the_other(stage: Stage, made: etree._Element) -> None:
    assert len(made.findall("fencing-topology/fencing-level")) == 2
    stage.cluster.run("c1", "stonith_admin --reboot ghost1 --timeout 40")
    assert fenced(stage) == {BROKEN, "192.0.2.9"}


def fenced(stage: Stage) -> set[str]:
    """Return the switches that were asked on any node, and forget them."""
    said = on_all(
        lambda node: stage.cluster.run(node, f"cat {LOG} 2>/dev/null; rm -f {LOG}").stdout,
        stage.cluster.nodes,
    )
    return {line.split()[-1] for line in "".join(said).splitlines() if " ghost1 " in line}


def test_an_alert_is_run_for_the_events_it_selects(stage: Stage, made: etree._Element) -> None:
    stage.cluster.run("c1", "attrd_updater --name shelf --update low; attrd_updater -n x -U y")
    expected = {"fencing ghost1  first", "attribute c1 shelf first"}
    stage.waits_for(stage.records, expected)


def test_a_user_may_do_what_his_role_says_and_no_more(stage: Stage, made: etree._Element) -> None:
    assert stage.may("alice", LOOK)
    assert not stage.may("alice", TUNE)
    assert stage.may("carol", TUNE)
    assert not stage.may("bob", LOOK)


def test_sets_and_a_rule_with_a_date_place_resources(stage: Stage, made: etree._Element) -> None:
    stage.waits_for(lambda: {k: v for k, v in stage.runs().items() if k in {"a", "b"}},
                    {"a": "c2", "b": "c2"})  # fmt: skip


def test_utilization_places_resources(stage: Stage, made: etree._Element) -> None:
    stage.waits_for(lambda: by_node(stage), [("c1", 1), ("c2", 1), ("c3", 1)])


def by_node(stage: Stage) -> list[tuple[str, int]]:
    """Return how many of those that need a slot each node runs."""
    nodes = [node for name, node in stage.runs().items() if name in NEED_A_SLOT]
    return [(node, nodes.count(node)) for node in sorted(set(nodes))]


def test_a_ticket_that_is_granted_starts_and_revoked_stops(
    stage: Stage, made: etree._Element
) -> None:
    assert "guarded" not in stage.runs()
    stage.cluster.run("c1", "crm_ticket --ticket site --grant --force")
    stage.waits_for(lambda: "guarded" in stage.runs(), expected=True)
    stage.cluster.run("c1", "crm_ticket --ticket site --revoke --force")
    stage.waits_for(lambda: "guarded" in stage.runs(), expected=False)


def test_defaults_tags_and_bundles_are_as_said(stage: Stage, made: etree._Element) -> None:
    assert made.xpath("string(op_defaults//nvpair[@name='timeout']/@value)") == "25s"
    assert made.xpath("tags/tag[@id='pair']/obj_ref/@id") == ["a", "b"]
    assert made.xpath("string(resources/bundle[@id='box']/podman/@replicas)") == "1"
    assert "box" not in stage.runs()


def test_guests_templates_and_further_sets_are_as_said(stage: Stage, made: etree._Element) -> None:
    """A guest that is stopped is there by its attributes; what runs is made from a template."""
    inside = "nodes/node[@uname='inside'][@type='remote']"
    assert made.xpath(f"string({inside}/utilization/nvpair[@name='slots']/@value)") == "3"
    assert made.xpath("resources/primitive[@id='made']/@template") == ["like"]
    assert made.xpath("resources/primitive[@id='made']/operations/@id-ref") == ["likes"]
    assert len(made.findall("alerts/alert[@id='events']/meta_attributes/rule")) == 1
    stage.waits_for(lambda: "made" in stage.runs() and "vm" not in stage.runs(), expected=True)


def test_all_of_it_is_exported(stage: Stage, made: etree._Element, tmp_path: Path) -> None:
    """What others have made is in that inventory, too: it would be recorded, and not changed."""
    target = tmp_path / "found.yaml"
    stage.cluster.fab("export", "--to", str(target), check=True)
    done = stage.cluster.fab("plan", "--json", "--inventory", str(target))
    planned = json.loads(done.stdout)
    assert not any(planned[part] for part in ("configuration", "hosts", "leftover")), done.stdout
    assert not planned["corosync"]["changes"]
    assert "alert:theirs-alert" in planned["recorded"]


def test_what_others_made_is_shown_and_stays(
    stage: Stage, made: etree._Element, theirs: list[str]
) -> None:
    said = stage.fab("plan").stdout
    for each in ("theirs", "alert:theirs-alert", "acl-role:theirs-role", "tag:theirs-tag"):
        assert each in said
    assert without_ours(made) == theirs


def without_ours(root: etree._Element) -> list[str]:
    """Return what others have made; of sets that are shared only their own pairs."""
    return of_theirs(without(root, "op_defaults//nvpair[@name='timeout']"))


def test_all_of_it_is_changed(stage: Stage, changed: etree._Element, theirs: list[str]) -> None:
    assert len(changed.findall("fencing-topology/fencing-level")) == 1
    assert changed.xpath("string(op_defaults//nvpair[@name='timeout']/@value)") == "35s"
    assert changed.xpath("tags/tag[@id='pair']/obj_ref/@id") == ["a", "b", "guarded"]
    assert changed.xpath("string(resources/bundle[@id='box']/podman/@replicas)") == "2"
    assert changed.xpath("resources/template[@id='like']/operations/op/@interval") == ["9s"]
    later = "alerts/alert[@id='events']/meta_attributes[rule]/nvpair"
    assert [pair.get("value") for pair in changed.iterfind(later)] == ["9s"]
    stage.cluster.run("c1", "stonith_admin --reboot ghost1 --timeout 40")
    assert fenced(stage) == {"192.0.2.9"}
    assert stage.may("alice", TUNE)
    assert stage.may("bob", LOOK)
    assert not stage.may("carol", LOOK)
    assert without_ours(changed) == theirs


def test_alerts_and_placement_follow_the_change(stage: Stage, changed: etree._Element) -> None:
    stage.cluster.run("c1", "attrd_updater --name shelf --update high")
    stage.waits_for(lambda: stage.records(SECOND_RECORD), {"attribute c1 shelf second"})
    stage.cluster.run("c1", "crm_ticket --ticket site --grant --force")
    stage.waits_for(lambda: by_node(stage), [("c1", 3)])
    stage.waits_for(lambda: {k: v for k, v in stage.runs().items() if k in {"a", "b", "guarded"}},
                    {"a": "c3", "b": "c3", "guarded": "c3"})  # fmt: skip


def test_a_rollback_takes_all_of_it_back(
    made: etree._Element, back: etree._Element, theirs: list[str]
) -> None:
    assert text(back) == text(made)
    assert without_ours(back) == theirs


def without(root: etree._Element, *paths: str) -> etree._Element:
    """Return a copy without what the paths find."""
    root = deepcopy(root)
    for path in paths:
        for each in root.findall(path):
            each.getparent().remove(each)  # type: ignore[union-attr]
    return root


def text(root: etree._Element) -> list[str]:
    """Return a configuration a line per element, without what tests have set themselves.

    Of a guest that is gone Pacemaker keeps an entry without anything in it.
    """
    root = without(root, ".//nvpair[@name='batch-limit']", ".//nvpair[@name='last-lrm-refresh']")
    for node in [each for each in root.iterfind("nodes/node[@type='remote']") if not len(each)]:
        node.getparent().remove(node)  # type: ignore[union-attr]
    return etree.tostring(root, pretty_print=True, encoding="unicode").splitlines()


def test_all_of_it_is_removed(
    stage: Stage, bare: etree._Element, removed: etree._Element, theirs: list[str]
) -> None:
    assert text(removed) == text(bare)
    assert of_theirs(removed) == theirs


def test_a_rollback_brings_back_what_was_removed(
    stage: Stage, removed: etree._Element, made: etree._Element, theirs: list[str]
) -> None:
    stage.fab("rollback", "--yes", "--allow-interruption")
    assert sorted(text(stage.configuration())) == sorted(text(made))
    assert not stage.may("bob", LOOK)
