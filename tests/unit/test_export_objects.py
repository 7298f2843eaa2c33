"""The smaller sections of a CIB -> an inventory that makes them again; the rest is named."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pacefab.cli.inventory import read_inventory
from pacefab.export.draft import Draft, Source
from pacefab.export.objects import access, alerts, levels, tags, unknown_objects, utilization
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from tests.unit.test_sections import OBJECTS, given

DEVICES = tuple(Primitive(name, "stonith:fence_x") for name in ("ipmi-c1", "strip", "switch"))
EVERYTHING = Configuration(
    resources=DEVICES, objects=OBJECTS, utilization={"c1": {"cpu": "4"}, "c3": {"cpu": "-1"}}
)
FENCING = {name: {"agent": "fence_x", "nodes": ["c1", "c2", "c3"]} for name in
           ("ipmi-c1", "strip", "switch")}  # fmt: skip


def exported(cib: Cib) -> Draft:
    draft = Draft({"cluster": "stack", "nodes": ["c1", {"name": "c2"}, "c3"]})
    for section in (levels, alerts, access, tags, utilization, unknown_objects):
        section(Source(cib), draft)
    return draft


def whole() -> Cib:
    before = given()
    return render_configuration(before, plan_configuration(before, EVERYTHING))


def test_what_is_exported_is_read_and_has_nothing_to_do(tmp_path: Path) -> None:
    cib = whole()
    draft = exported(cib)
    assert draft.unsaid == []
    assert draft.secrets == {"mail_passwd": "mail passwd"}
    draft.data["fencing"]["devices"] = FENCING
    stream = io.StringIO()
    YAML(typ="safe").dump(draft.data, stream)
    assert "hunter2" not in stream.getvalue()
    file = tmp_path / "stack.yaml"
    file.write_text(stream.getvalue())
    desired = desired_configuration(read_inventory(file), lambda _: "hunter2")
    said = Configuration(objects=desired.objects, utilization=desired.utilization)
    assert plan_configuration(cib, said).changes == ()
    assert len(said.objects) == len(OBJECTS)
    assert draft.places["alerts",] == "cib.xml: alerts"


UNSAID = {
    "rules": (
        ('<alerts><alert id="a" path="/x"><meta_attributes id="m"><rule id="r" score="1"/>'
        "</meta_attributes></alert></alerts>"),
        "alert a: the inventory has no words for it",
    ),
    "path": (
        '<alerts><alert id="a" path="x"/></alerts>',
        "alert a: the inventory does not take its path",
    ),
    "old roles": (
        '<acls><acl_user id="u"/></acls>',
        "acl_user u: the inventory has no words for it",
    ),
    "no role": (
        '<acls><acl_group id="g"><role id="r"/></acl_group></acls>',
        "acl_group g: there is no role r",
    ),
    "name": (
        '<acls><acl_target id="u" name="v"/></acls>',
        "acl_target u: its name is another one than its id",
    ),
    "no device": (
        ('<fencing-topology><fencing-level id="f" index="1" target="c1" devices="x,y"/>'
        "</fencing-topology>"),
        "fencing-level f: there is no fence device x, y",
    ),
    "level": (
        ('<fencing-topology><fencing-level id="f" index="10" target="c1" devices="galera"/>'
        "</fencing-topology>"),
        "fencing-level f: the inventory does not take its level",
    ),
    "tag": (
        '<tags><tag id="t"><obj_ref id="9"/></tag></tags>',
        "tag t: an inventory cannot have the name '9'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSAID)
def test_what_an_inventory_cannot_say_is_named_with_its_xml(name: str) -> None:
    xml, said = UNSAID[name]
    draft = exported(given(more=f"{xml}</configuration>"))
    assert [str(each) for each in draft.unsaid] == [said]
    assert draft.unsaid[0].xml in xml
    assert set(draft.data) == {"cluster", "nodes"}


def test_utilization_that_is_no_number_or_not_always_is_named() -> None:
    text = whole().text().replace('name="cpu" value="4"', 'name="cpu" value="many"')
    draft = exported(parse(text))
    assert [each.what for each in draft.unsaid] == ["nvpair nodes-1-utilization-cpu"]
    assert draft.data["nodes"] == ["c1", {"name": "c2"}, {"name": "c3", "utilization": {"cpu": -1}}]
