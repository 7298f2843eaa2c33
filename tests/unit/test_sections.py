"""Fencing levels, alerts, access control, tags, utilization: planned, written, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.errors import RefusedError
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.configuration import NODE_SETS, read_settings
from pacefab.pacemaker.model import Configuration, SectionObject
from pacefab.pacemaker.nouns.piece import Piece
from pacefab.pacemaker.pcs.lines import render_pcs
from pacefab.pacemaker.plan import ConfigurationPlan, plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.restore import plan_restore, render_restored, render_undone
from pacefab.pacemaker.sections.access import AclGroup, AclRole, AclUser, Permission
from pacefab.pacemaker.sections.alerts import ClusterAlert, Recipient, Selection
from pacefab.pacemaker.sections.kinds import read_objects
from pacefab.pacemaker.sections.levels import FencingLevel
from pacefab.pacemaker.sections.tags import Tag
from tests.unit import captured
from tests.unit.test_plan import canonical

LEVELS = (
    FencingLevel("1", ("ipmi-c1",), target="c1"),
    FencingLevel("2", ("strip", "switch"), pattern="c[23]"),
    FencingLevel("1", ("strip",), attribute="rack", value="a"),
)
MAIL = ClusterAlert(
    "/usr/local/bin/mail",
    "for the night shift",
    {"server": "192.0.2.9", "passwd": "hunter2"},
    {"timeout": "15s"},
    Selection(frozenset({"fencing", "nodes"}), any_attribute=True, attributes=("rack",)),
    (
        Recipient("ops@example.com"),
        Recipient("boss@example.com", "at home", {"short": "true"}, {"enabled": "false"}),
    ),
    id="mail",
)
WATCH = AclRole(
    (Permission("read", xpath="/cib"), Permission("deny", object_type="nvpair", attribute="value"),
     Permission("write", reference="vip-db")),
    "may look",
    id="watch",
)  # fmt: skip
OBJECTS: tuple[SectionObject, ...] = (
    *LEVELS,
    MAIL,
    WATCH,
    AclUser(("watch",), id="alice"),
    AclGroup(("watch",), id="staff"),
    Tag(("vip-db", "lb-haproxy-clone"), id="front"),
)
CHANGED: list[tuple[SectionObject, SectionObject, list[str]]] = [
    (LEVELS[0], replace(LEVELS[0], devices=("strip", "ipmi-c1")),
     ["update fencing level fl-c1-1: fl-c1-1 devices: ipmi-c1 -> strip ipmi-c1"]),
    (MAIL, replace(MAIL, path="/usr/bin/mail", meta={"timeout": "20s"}),
     [("update alert mail: mail meta timeout: 15s -> 20s; mail path: /usr/local/bin/mail -> "
      "/usr/bin/mail")]),
    (MAIL, replace(MAIL, attributes={"server": "192.0.2.9", "passwd": "hunter3"}),
     ["update alert mail: mail attribute passwd: (secret) -> (another secret)"]),
    (MAIL, replace(MAIL, select=None, recipients=MAIL.recipients[1:]),
     [("update alert mail: mail events: fencing, nodes, attributes rack -> absent; mail recipient "
      "ops@example.com: mail-recipient -> absent")]),
    (WATCH, replace(WATCH, permissions=WATCH.permissions[:1]),
     [("update ACL role watch: watch permission 2: deny object_type nvpair value -> absent; watch "
      "permission 3: write reference vip-db -> absent")]),
    (AclUser(("watch",), id="alice"), AclUser((), id="alice"),
     ["update ACL user alice: alice role watch: there -> absent"]),
    (AclGroup(("watch",), id="staff"), AclGroup(("watch", "more"), id="staff"),
     ["update ACL group staff: staff role more: absent -> there"]),
    (Tag(("vip-db", "lb-haproxy-clone"), id="front"), Tag(("vip-db",), id="front"),
     ["update tag front: front object lb-haproxy-clone: there -> absent"]),
]  # fmt: skip
# What somebody made with pcs, beside what an inventory has.
OTHERS = """
<fencing-topology><fencing-level id="fl-c9-1" index="1" target="c9" devices="x"/>
</fencing-topology><alerts><alert id="night" path="/bin/true">
<recipient id="night-recipient" value="x"/></alert></alerts>
<acls><acl_role id="other"><acl_permission id="other-read" kind="read" xpath="/cib"/></acl_role>
<acl_target id="bob"><role id="other"/></acl_target></acls>
<tags><tag id="theirs"><obj_ref id="vip-db"/></tag></tags></configuration>
"""
KEYS_OF_OTHERS = (
    "fencing-level:fl-c9-1",
    "alert:night",
    "acl-role:other",
    "acl-user:bob",
    "tag:theirs",
)


def given(kind: str = "debian12", more: str = "</configuration>") -> Cib:
    """Return the CIB of a stack, with more at the end of its configuration."""
    return parse(captured.text(kind, "cib-stack.xml").replace("</configuration>", more))


def desired(*objects: SectionObject, **more: Any) -> Configuration:
    return Configuration(objects=objects, **more)


def done(cib: Cib, configuration: Configuration, *, prune: bool = False) -> tuple[Cib, list[str]]:
    """Return the CIB after the plan, and its lines; a second plan has nothing to do."""
    plan = plan_configuration(cib, configuration, prune=prune)
    after = render_configuration(cib, plan)
    assert not plan_configuration(after, configuration, prune=prune)
    taken_back(after, cib, plan)
    return after, [str(change) for change in plan.changes]


def taken_back(after: Cib, before: Cib, plan: ConfigurationPlan) -> None:
    for restored in (render_undone(after, before, plan), render_restored(after, before)):
        assert without_empty(restored) == without_empty(before)
    back = {(change.kind, change.id) for change in plan_restore(after, before).changes}
    assert {(change.kind, change.id) for change in plan.changes} <= back


def without_empty(cib: Cib) -> str:
    """Return the configuration without sections that are empty: they say nothing."""
    text = canonical(cib)
    for name in ("alerts", "fencing-topology", "acls", "tags"):
        text = text.replace(f"<{name}></{name}>", "")
    return text


@pytest.mark.parametrize("kind", ["debian12", "debian13"])
@pytest.mark.parametrize("more", ["</configuration>", OTHERS], ids=["alone", "beside others"])
def test_everything_is_added_and_then_there_is_nothing_to_do(kind: str, more: str) -> None:
    before = given(kind, more)
    after, lines = done(before, desired(*OBJECTS))
    assert lines == [
        "add fencing level fl-c1-1",
        "add fencing level fl-c23-2",
        "add fencing level fl-rack-1",
        "add alert mail",
        "add ACL role watch",
        "add ACL user alice",
        "add ACL group staff",
        "add tag front",
    ]
    others = plan_configuration(after, desired(*OBJECTS)).unmanaged[-len(KEYS_OF_OTHERS) :]
    assert (others == KEYS_OF_OTHERS) is (more == OTHERS)


@pytest.mark.parametrize(("old", "new", "lines"), CHANGED)
def test_one_that_changes_is_changed_where_it_stands(
    old: SectionObject, new: SectionObject, lines: list[str]
) -> None:
    before, _ = done(given(more=OTHERS), desired(*OBJECTS))
    objects = tuple(new if each == old else each for each in OBJECTS)
    after, found = done(before, desired(*objects))
    assert found == lines
    assert "hunter" not in " ".join(found)
    assert order(after) == order(before)


def order(cib: Cib) -> list[str | None]:
    """Return the ids of the objects in the order of the CIB."""
    return [each.id for each in read_objects(cib)]


@pytest.mark.parametrize("number", range(len(OBJECTS)))
def test_what_is_no_longer_desired_goes_with_prune_alone(number: int) -> None:
    before, _ = done(given(more=OTHERS), desired(*OBJECTS))
    left = desired(*OBJECTS[:number], *OBJECTS[number + 1 :])
    plan = plan_configuration(before, left)
    assert plan.changes == ()
    assert len(plan.leftover) == 1
    after, lines = done(before, left, prune=True)
    assert [line.partition(" ")[0] for line in lines] == ["remove"]
    assert set(KEYS_OF_OTHERS) <= set(plan_configuration(after, left).unmanaged)


def test_the_order_of_what_has_none_and_other_spellings_change_nothing() -> None:
    before, _ = done(given(), desired(*OBJECTS))
    alike = {
        "mail": replace(MAIL, recipients=MAIL.recipients[::-1], meta={"timeout": "15000ms"}),
        "front": Tag(("lb-haproxy-clone", "vip-db"), id="front"),
    }
    objects = [alike.get(each.id, each) for each in OBJECTS]
    assert not plan_configuration(before, desired(*objects))


def test_one_that_others_made_alike_is_taken_over_under_its_id() -> None:
    before = given(more=OTHERS)
    level = FencingLevel("1", ("x",), target="c9")
    plan = plan_configuration(before, desired(level))
    assert plan.changes == ()
    assert plan.adopted == ("fencing-level:fl-c9-1",)


def test_a_level_of_the_same_nodes_takes_the_place_of_the_present_one() -> None:
    after, lines = done(given(more=OTHERS), desired(FencingLevel("1", ("y",), target="c9")))
    assert lines == ["update fencing level fl-c9-1: fl-c9-1 devices: x -> y"]
    assert [each.id for each in read_objects(after)].count("fl-c9-1") == 1


def test_an_id_of_something_else_is_refused() -> None:
    with pytest.raises(RefusedError, match="vip-db belongs to something else"):
        plan_configuration(given(), desired(Tag(("galera",), id="vip-db")))


def test_a_user_may_be_called_as_a_resource_is() -> None:
    _, lines = done(given(), desired(WATCH, AclUser(("watch",), id="memcached")))
    assert lines == ["add ACL role watch", "add ACL user memcached"]


OF_NIGHTS = (
    '<meta_attributes id="{0}m"><rule id="{0}r" score="1"><expression id="{0}e" attribute="a" '
    'operation="defined"/></rule><nvpair id="{0}n" name="timeout" value="9s"/></meta_attributes>'
)


def test_sets_with_rules_of_an_alert_stay_where_nothing_is_said_of_them() -> None:
    recipient = f'<recipient id="to" value="ops@example.com">{OF_NIGHTS.format("b")}</recipient>'
    alert = f'<alert id="mail" path="/x">{OF_NIGHTS.format("a")}{recipient}</alert>'
    before = given(more=f"<alerts>{alert}</alerts></configuration>")
    after, _ = done(before, desired(MAIL))
    assert [each in after.text() for each in ('"ae"', '"be"')] == [True, True]
    assert "alert:mail" in plan_configuration(before, desired()).unmanaged


@pytest.mark.parametrize("kind", NODE_SETS)
def test_further_sets_of_a_node_are_made_changed_and_taken_away(kind: str) -> None:
    before = given()
    for score in ("3", "4"):
        pair = Piece("nvpair", {"name": "cpu", "value": score})
        sets = (Piece(NODE_SETS[kind], {"score": score}, (pair,)),)
        before, lines = done(
            before,
            Configuration(
                node_sets={"c1": {kind: sets}},
                attributes={"c1": {"rack": "a"}},
                utilization={"c1": {"ram": "1"}},
            ),
        )
        assert any(kind in line for line in lines)
        assert f'score="{score}"' in before.text()


def test_sets_of_an_alert_are_made_changed_and_taken_away() -> None:
    before = given()
    for value in ("9s", "8s"):
        pair = Piece("nvpair", {"name": "timeout", "value": value})
        sets = {"meta_attributes": (Piece("meta_attributes", {"score": "3"}, (pair,)),)}
        before, lines = done(before, desired(replace(MAIL, further=sets)))
        assert len(lines) == 1
    _, lines = done(before, desired(replace(MAIL, further={"meta_attributes": ()})))
    was = "meta_attributes(score=3 nvpair(name=timeout value=8s))"
    assert lines == [f"update alert mail: mail meta_attributes sets: {was} -> absent"]


def test_what_is_not_of_pacemakers_schema_is_unmanaged_and_never_written() -> None:
    other = '<alerts><alert id="mail" path="/x"><other/></alert></alerts></configuration>'
    with pytest.raises(RefusedError, match="not of Pacemaker's schema"):
        plan_configuration(given(more=other), desired(MAIL))
    assert "alert:mail" in plan_configuration(given(more=other), desired()).unmanaged


def test_a_constraint_of_an_inventory_may_name_a_tag(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(
        "cluster: lab\nnodes: [c1, c2]\nresources: {web: {agent: 'systemd:web'}}\n"
        "tags: {front: [web]}\n"
        "constraints: {location: [{resource: front, node: c1, score: 50}]}\n"
    )
    (location,) = desired_configuration(read_inventory(file), str).constraints
    _, lines = done(given(), Configuration(constraints=(location,)))
    assert lines == ["add location constraint location-front-c1-50"]


def test_a_secret_of_an_alert_is_recorded_and_never_shown() -> None:
    mail = replace(MAIL, attributes={"server": "hunter2"}, hidden=frozenset({"server"}))
    before = render_configuration(given(), plan_configuration(given(), desired(mail)))
    assert not plan_configuration(before, desired(mail))
    assert before.secrets == ("mail:server",)
    after, lines = done(before, desired(replace(MAIL, attributes={"server": "other"})))
    assert lines == ["update alert mail: mail attribute server: (secret) -> (another secret)"]
    plan = plan_restore(after, before)
    assert "hunter2" not in " ".join([*map(str, plan.changes), *render_pcs(plan)])


def test_utilization_of_nodes_is_set_changed_and_removed() -> None:
    before, lines = done(given(), desired(utilization={"c1": {"cpu": "4", "memory": "8192"}}))
    assert lines == [
        "add node utilization c1 cpu: absent -> 4",
        "add node utilization c1 memory: absent -> 8192",
    ]
    plan = plan_configuration(before, desired(utilization={"c1": {"cpu": "8"}}), prune=True)
    assert render_pcs(plan) == [
        "pcs node utilization c1 memory=",
        "pcs node utilization c1 cpu=8",
    ]
    after, _ = done(before, desired(utilization={"c1": {"cpu": "8"}}), prune=True)
    assert [s.value for s in read_settings(after).values() if s.kind == "node utilization"] == ["8"]


def test_the_lines_of_pcs() -> None:
    plan = plan_configuration(given(), desired(*OBJECTS))
    assert render_pcs(plan) == [
        "pcs stonith level add 1 c1 ipmi-c1",
        "pcs stonith level add 2 'regexp%c[23]' strip switch",
        "pcs stonith level add 1 attrib%rack=a strip",
        (
            "pcs alert create path=/usr/local/bin/mail id=mail 'description=for the night shift'"
            " options server=192.0.2.9 'passwd=(secret)' meta timeout=15s"
        ),
        "pcs alert recipient add mail value=ops@example.com",
        (
            "pcs alert recipient add mail value=boss@example.com 'description=at home'"
            " options short=true meta enabled=false"
        ),
        "# pcs has no command for the events of an alert (alert mail)",
        "pcs acl role create watch 'description=may look' read xpath /cib write id vip-db",
        "# pcs has no command for permissions by a type of elements (ACL role watch)",
        "pcs acl user create alice watch",
        "pcs acl group create staff watch",
        "pcs tag create front vip-db lb-haproxy-clone",
    ]


def feature(version: str, properties: str = "") -> Cib:
    """Return an empty CIB of a feature set, with properties."""
    return parse(
        f'<cib crm_feature_set="{version}" epoch="0" num_updates="0" admin_epoch="0">'
        f'<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">'
        f"{pair('batch-limit', '10')}{properties}"
        "</cluster_property_set></crm_config><nodes/><resources/><constraints/></configuration></cib>"
    )


def pair(name: str, value: str) -> str:
    return f'<nvpair id="cib-bootstrap-options-{name}" name="{name}" value="{value}"/>'


def names() -> Iterator[Any]:
    old, new = pair("stonith-timeout", "60s"), pair("fencing-timeout", "60s")
    yield "3.16.2", "", "add property stonith-timeout: absent -> 90s"
    yield "3.20.5", "", "add property fencing-timeout: absent -> 90s"
    yield "3.21.0", "", "add property fencing-timeout: absent -> 90s"
    yield "3.20.5", old, "update property stonith-timeout: 60s -> 90s"
    yield "3.20.5", new, "update property fencing-timeout: 60s -> 90s"
    yield "3.20.5", old + new, "update property fencing-timeout: 60s -> 90s"


@pytest.mark.parametrize("asked", ["stonith-timeout", "fencing-timeout"])
@pytest.mark.parametrize(("version", "properties", "line"), list(names()))
def test_a_property_has_the_name_that_the_cluster_has_for_it(
    asked: str, version: str, properties: str, line: str
) -> None:
    _, lines = done(feature(version, properties), desired(properties={asked: "90s"}))
    assert lines == [line]


def test_after_an_upgrade_the_other_name_goes_and_never_are_there_both() -> None:
    before, _ = done(feature("3.20.0"), desired(properties={"stonith-action": "off"}))
    upgraded = parse(
        before.text()
        .replace('crm_feature_set="3.20.0"', 'crm_feature_set="3.20.5"')
        .replace(
            "</cluster_property_set>",
            pair("fencing-action", "reboot") + "</cluster_property_set>",
            1,
        )
    )
    plan = plan_configuration(upgraded, desired(properties={"stonith-action": "off"}))
    after = render_configuration(upgraded, plan)
    assert not plan_configuration(after, desired(properties={"stonith-action": "off"}))
    assert [str(change) for change in plan.changes] == [
        "remove property stonith-action",
        "update property fencing-action: reboot -> off",
    ]
    assert [s.name for s in read_settings(after).values()] == ["batch-limit", "fencing-action"]


@pytest.mark.parametrize("name", ["stonith-action", "fencing-action"])
def test_a_value_that_pacemaker_has_dropped_is_refused(name: str) -> None:
    _, lines = done(feature("3.19.9"), desired(properties={name: "poweroff"}))
    assert lines == ["add property stonith-action: absent -> poweroff"]
    with pytest.raises(RefusedError, match=r"dropped .*=poweroff in 3\.0\.0") as refused:
        plan_configuration(feature("3.20.0"), desired(properties={name: "poweroff"}))
    assert refused.value.next_step == "nothing was changed; write off"


def test_a_property_that_pacemaker_has_dropped_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"dropped remove-after-stop in 3\.0\.0"):
        plan_configuration(feature("3.20.0"), desired(properties={"remove-after-stop": "true"}))
