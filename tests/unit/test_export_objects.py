"""The smaller sections of a CIB -> an inventory that makes them again; the rest is named."""

from __future__ import annotations

import pytest

from pacefab.export.draft import Source
from pacefab.export.export import Exported, export
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
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
    "rules": (
        '<alerts><alert id="a" path="/x"><meta_attributes id="m"><rule id="r" score="1"/>'
        "</meta_attributes></alert></alerts>"
    ),
    "path": '<alerts><alert id="a" path="x"/></alerts>',
    "old roles": '<acls><acl_user id="u"/></acls>',
    "no role": '<acls><acl_group id="g"><role id="r"/></acl_group></acls>',
    "name": '<acls><acl_target id="u" name="v"/></acls>',
    "level": (
        '<fencing-topology><fencing-level id="f" index="10" target="c1" devices="galera"/>'
        "</fencing-topology>"
    ),
    "tag": '<tags><tag id="t"><obj_ref id="9"/></tag></tags>',
}


@pytest.mark.parametrize("name", UNSAID)
def test_what_an_inventory_cannot_say_is_named(name: str) -> None:
    before = exported(given())
    found = exported(given(more=f"{UNSAID[name]}</configuration>"))
    assert len(found.unsaid) > len(before.unsaid)
    assert "# Not in this inventory" in found.text.removeprefix(before.text.split("# Not")[0])
    assert desired_configuration(found.inventory, str).objects == ()
