"""The smaller sections of a CIB -> an inventory that makes them again; the rest is named."""

from __future__ import annotations

import pytest

from pacefab.export.draft import Source
from pacefab.export.export import Exported, export
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.sections.levels import FencingLevel
from tests.unit.test_sections import OBJECTS, given

NODES = {"pcmk_host_list": "c1 c2 c3"}
DEVICES = tuple(
    Primitive(name, "stonith:fence_x", NODES) for name in ("ipmi-c1", "strip", "switch")
)
EVERYTHING = Configuration(
    resources=DEVICES, objects=OBJECTS, utilization={"c1": {"cpu": "4"}, "c3": {"cpu": "-1"}}
)


def exported(cib: Cib) -> Exported:
    return export(Source(cib))


def whole() -> Cib:
    before = given()
    return render_configuration(before, plan_configuration(before, EVERYTHING))


def test_what_is_exported_is_read_and_has_nothing_to_do() -> None:
    cib = whole()
    found = exported(cib)
    assert found.unsaid == []
    assert "hunter2" not in found.text
    desired = desired_configuration(found.inventory, lambda _: "hunter2")
    said = Configuration(objects=desired.objects, utilization=desired.utilization)
    assert plan_configuration(cib, said).changes == ()
    assert len(said.objects) == len(OBJECTS)
    assert said.utilization == {"c1": {"cpu": "4"}, "c3": {"cpu": "-1"}}


UNSAID = {
    "path": '<alerts><alert id="a" path="x"/></alerts>',
    "old roles": '<acls><acl_user id="u"/></acls>',
    "no role": '<acls><acl_group id="g"><role id="r"/></acl_group></acls>',
    "level": (
        '<fencing-topology><fencing-level id="f" index="10" target="c1" devices="galera"/>'
        "</fencing-topology>"
    ),
    "two of a level": (
        '<fencing-topology><fencing-level id="f" index="1" target-pattern="c." devices="galera"/>'
        '<fencing-level id="g" index="1" target-pattern="c." devices="memcached"/>'
        "</fencing-topology>"
    ),
    "tag": '<tags><tag id="t"><obj_ref id="9"/></tag></tags>',
}


@pytest.mark.parametrize("name", UNSAID)
def test_what_an_inventory_cannot_say_is_named(name: str) -> None:
    before = exported(given())
    found = exported(given(more=f"{UNSAID[name]}</configuration>"))
    assert len(found.unsaid) == len(before.unsaid) + 1
    assert found.unsaid[-1].xml in UNSAID[name]
    assert "# Not in this inventory" in found.text.removeprefix(before.text.split("# Not")[0])
    assert len(desired_configuration(found.inventory, str).objects) == (name == "two of a level")


def test_a_level_whose_device_is_no_resource_is_said() -> None:
    level = '<fencing-level id="f" index="1" target="c1" devices="x,y"/>'
    topology = f"<fencing-topology>{level}</fencing-topology></configuration>"
    found = exported(given(more=topology))
    assert found.unsaid == exported(given()).unsaid
    (written,) = desired_configuration(found.inventory, str).objects
    assert isinstance(written, FencingLevel)
    assert written.devices == ("x", "y")


def test_of_a_node_with_a_utilization_that_is_no_number_the_rest_is_said() -> None:
    text = whole().text().replace('name="cpu" value="4"', 'name="cpu" value="many"')
    found = exported(parse(text))
    assert [unsaid.what for unsaid in found.unsaid] == ["utilization nodes-1-utilization"]
    assert [node.name for node in found.inventory.nodes] == ["c1", "c2", "c3"]
    assert found.inventory.nodes[0].attributes


def test_a_comment_stays_with_its_constraint_where_one_before_it_goes() -> None:
    twice = "".join(
        f'<rsc_location id="{id_}" rsc="{rsc}" node="c1" score="1"/>'
        for id_, rsc in (("x", "web2"), ("cli-prefer-vip-db", "vip-db"), ("last", "vip-nova"))
    )
    # Pacemaker has two of one node and resource; the inventory has them as one.
    text = given().text().replace("</constraints>", f"{twice}</constraints>")
    found = exported(parse(text))
    lines = [line for line in found.text.splitlines() if "made by pcs resource move" in line]
    assert ["cli-prefer-vip-db" in line for line in lines] == [True]


RULE = '<rule id="r"><date_expression id="e" operation="gt" start="2030-01-01"/></rule>'
OF_NIGHTS = f'<meta_attributes id="n">{RULE}<nvpair id="p" name="enabled" value="false"/>'
DUMMY = 'class="ocf" provider="pacemaker" type="Dummy"'
# What stands where in a configuration; the place is the end of its section.
SAID = {
    "an alert with a rule": (
        "</configuration>",
        f'<alerts><alert id="a" path="/x">{OF_NIGHTS}</meta_attributes></alert></alerts>',
    ),
    "a recipient with a rule": (
        "</configuration>",
        (
            f'<alerts><alert id="a" path="/x"><recipient id="b" value="c">{OF_NIGHTS}'
            '</meta_attributes><meta_attributes id="m"><nvpair id="q" name="timeout" value="9s"/>'
            "</meta_attributes></recipient></alert></alerts>"
        ),
    ),
    "a user by another name": (
        "</configuration>",
        (
            '<acls><acl_role id="watch"/><acl_target id="u" name="v"><role id="watch"/>'
            '</acl_target><acl_group id="h" name="w"/></acls>'
        ),
    ),
    "a colocation without a score": (
        "</constraints>",
        (
            '<rsc_colocation id="x" rsc="galera-clone" with-rsc="memcached-clone"/>'
            '<rsc_colocation id="y" rsc="galera-clone" with-rsc="lb-haproxy-clone" '
            'influence="true"/>'
        ),
    ),
    "operations of another resource": (
        "</resources>",
        (
            f'<primitive id="d1" {DUMMY}><operations id="s"><op id="d1-monitor-interval-7s" '
            'name="monitor" interval="7s"/></operations></primitive>'
            f'<primitive id="d2" {DUMMY}><operations id-ref="s"/></primitive>'
        ),
    ),
    "a value of another resource": (
        "</resources>",
        (
            f'<primitive id="d1" {DUMMY}><instance_attributes id="d1-instance_attributes">'
            '<nvpair id="d1-instance_attributes-fake" name="fake" '
            f'value="x"/></instance_attributes></primitive><primitive id="d2" {DUMMY}>'
            '<instance_attributes id="t"><nvpair id-ref="d1-instance_attributes-fake"/>'
            "</instance_attributes></primitive>"
        ),
    ),
    "utilization with a score": (
        "</node>",
        (
            '<utilization id="z" score="7"><nvpair id="c" name="cpu" value="4"/></utilization>'
            f'<utilization id="y">{RULE}<nvpair id="d" name="cpu" value="1"/></utilization>'
        ),
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_few_clusters_have_is_said_and_there_is_nothing_to_do(name: str) -> None:
    end, more = SAID[name]
    text = given().text()
    if end == "</node>":
        text = text.replace('uname="c1"/>', 'uname="c1"></node>')
    assert end in text
    cib = parse(text.replace(end, f"{more}{end}", 1))
    found = exported(cib)
    assert found.unsaid == exported(given()).unsaid
    desired = desired_configuration(found.inventory, lambda _: "hunter2")
    changes = plan_configuration(cib, desired).changes
    assert [str(c) for c in changes] == [
        str(c) for c in plan_configuration(given(), desired_of_the_stack()).changes
    ]


def desired_of_the_stack() -> Configuration:
    """Return what the inventory of the stack without anything more says."""
    return desired_configuration(exported(given()).inventory, lambda _: "hunter2")
