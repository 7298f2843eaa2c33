"""A plan in the lines that an operator would type."""

from __future__ import annotations

from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import EMPTY
from pacefab.pacemaker.cib import parse as parse_cib
from pacefab.pacemaker.metadata import complete_configuration, parse
from pacefab.pacemaker.model import (
    Clone,
    Colocation,
    Configuration,
    Group,
    Location,
    Operation,
    Order,
    Primitive,
)
from pacefab.pacemaker.pcs.lines import render_pcs
from pacefab.pacemaker.plan import plan_configuration, plan_removal
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.restore import plan_restore
from tests.unit import captured

ADDRESS = "ocf:heartbeat:IPaddr2"
METADATA = {
    ADDRESS: parse(ADDRESS, captured.text("debian12", "metadata-IPaddr2.xml")),
    "systemd:memcached": parse("systemd:memcached", captured.text("debian12", "metadata.xml")),
}
MEMCACHED = Clone(
    "memcached-clone", Primitive("memcached", "systemd:memcached"), {"interleave": "true"}
)
VIP = Primitive("vip", ADDRESS, {"ip": "192.0.2.1", "nic": "eth0"})


def lines(desired: Configuration, before: Configuration | None = None) -> list[str]:
    """Return the lines that lead from one configuration to another."""
    cib = EMPTY
    if before:
        first = plan_configuration(cib, complete_configuration(before, METADATA))
        cib = render_configuration(cib, first)
    plan = plan_configuration(cib, complete_configuration(desired, METADATA), prune=True)
    return render_pcs(plan, METADATA)


def test_the_line_is_the_one_an_operator_types() -> None:
    line = "pcs resource create memcached systemd:memcached clone interleave=true"
    assert lines(Configuration(resources=(MEMCACHED,))) == [line]


def test_what_is_new() -> None:
    promote = (Operation("promote", "0s", "300s", {"on-fail": "block"}),)
    galera = Primitive("galera", "ocf:heartbeat:galera", {}, {"priority": "5"}, promote)
    hidden = frozenset({"password"})
    fence = Primitive("fence", "stonith:fence_ipmilan", {"password": "x y"}, hidden=hidden)
    desired = Configuration(
        properties={"no-quorum-policy": "stop"},
        defaults={"resource-stickiness": "100"},
        attributes={"c1": {"rack": "a b"}},
        notes={"why": "nothing pcs could set"},
        resources=(
            VIP,
            Clone("galera-clone", galera, {"promotable": "true", "promoted-max": "3"}),
            Group("web", (Primitive("one", ADDRESS, {"ip": "192.0.2.2"}),), {"priority": "9"}),
            fence,
        ),
        constraints=(
            Order("vip", "galera-clone", then_action="promote", kind="Optional"),
            Colocation("vip", "galera-clone", with_role="Promoted"),
            Colocation("web", "vip", score="-5"),
            Location("vip", "INFINITY", node="c1"),
            Location("vip", "-INFINITY", node="c2"),
            Location("vip", "7", attribute="rack", operation="ne", value="a b"),
            Location("vip", "7", attribute="rack", operation="defined"),
        ),
    )
    created = "pcs resource create galera ocf:heartbeat:galera meta priority=5"
    promotable = "promotable promoted-max=3"
    assert lines(desired) == [
        "pcs property set no-quorum-policy=stop",
        "pcs resource defaults update resource-stickiness=100",
        "pcs node attribute c1 'rack=a b'",
        f"pcs resource create vip {ADDRESS} ip=192.0.2.1 nic=eth0",
        f"{created} op promote interval=0s timeout=300s on-fail=block {promotable}",
        f"pcs resource create one {ADDRESS} ip=192.0.2.2 --group web",
        "pcs resource meta web priority=9",
        "pcs stonith create fence fence_ipmilan 'password=(secret)'",
        "pcs constraint order start vip then promote galera-clone kind=Optional",
        "pcs constraint colocation add vip with Promoted galera-clone",
        "pcs constraint colocation add web with vip score=-5",
        "pcs constraint location vip prefers c1=INFINITY",
        "pcs constraint location vip avoids c2=INFINITY",
        "pcs constraint location vip rule score=7 rack ne 'a b'",
        "pcs constraint location vip rule score=7 defined rack",
    ]


def test_what_changes() -> None:
    monitor = Operation("monitor", "30s", "20s")
    other = Primitive("vip", ADDRESS, {"ip": "192.0.2.9"}, {"priority": "1"}, (monitor,))
    order = Order("vip", "memcached-clone", kind="Optional")
    before = Configuration(resources=(VIP, MEMCACHED), constraints=(order,))
    desired = Configuration(resources=(other, MEMCACHED))
    operation = "op monitor interval=30s timeout=20s"
    assert lines(desired, before) == [
        "pcs constraint delete order-vip-memcached-clone-Optional",
        f"pcs resource update vip ip=192.0.2.9 nic= {operation} meta priority=1",
    ]


def test_what_goes() -> None:
    before = Configuration({"no-quorum-policy": "stop"}, resources=(VIP, MEMCACHED))
    assert lines(Configuration(resources=(VIP,)), before) == [
        "pcs resource delete memcached-clone",
        "pcs property set no-quorum-policy=",
    ]


def test_what_is_put_into_a_container() -> None:
    before = Configuration(resources=(Primitive("memcached", "systemd:memcached"),))
    assert lines(Configuration(resources=(MEMCACHED,)), before) == [
        "pcs resource clone memcached interleave=true"
    ]


def test_a_fencing_device_goes_by_its_own_command() -> None:
    fence = Primitive("fence", "stonith:fence_ipmilan")
    desired = complete_configuration(Configuration(resources=(fence,)), METADATA)
    cib = render_configuration(EMPTY, plan_configuration(EMPTY, desired))
    assert render_pcs(plan_removal(cib, [fence])) == ["pcs stonith delete fence"]


def test_a_tag_that_goes_back_has_its_line() -> None:
    text = EMPTY.text()
    tags = '<tags><tag id="t"><obj_ref id="vip"/></tag></tags></configuration>'
    tagged = parse_cib(text.replace("</configuration>", tags))
    plan = plan_restore(tagged, EMPTY)
    assert [str(change) for change in plan.changes] == ["remove tag t"]
    assert render_pcs(plan) == ["pcs tag delete t"]


def said(tmp_path: Path, text: str) -> list[str]:
    """Return the lines for what an inventory says, on an empty cluster."""
    file = tmp_path / "lab.yaml"
    nodes = "" if text.startswith("nodes:") else "nodes: [c1, c2]\n"
    file.write_text(f"cluster: lab\n{nodes}{text}")
    desired = desired_configuration(read_inventory(file), lambda _: "hunter2")
    return render_pcs(plan_configuration(EMPTY, desired), METADATA)


A, B = (f"  {name}: {{agent: 'ocf:pacemaker:Dummy', advised_operations: false" for name in "ab")
TWO = f"resources:\n{A}}}\n{B}}}\n"
CREATED = [f"pcs resource create {name} ocf:pacemaker:Dummy" for name in "ab"]
OWN_TERMS = {
    "sets in an order": (
        (
            "{order: [{id: x, kind: Optional, sets: [{resources: [a], sequential: false},"
            " {resources: [b], action: start}]}]}"
        ),
        "order set a sequential=false set b action=start setoptions id=x kind=Optional",
    ),
    "sets in a colocation": (
        "{colocation: [{score: 5, sets: [{resources: [a, b], role: Started}]}]}",
        "colocation set a b role=Started setoptions score=5",
    ),
    "a colocation that moves nothing": (
        "{colocation: [{resource: a, with: b, influence: false}]}",
        "colocation add a with b score=INFINITY influence=false",
    ),
    "a ticket of a role": (
        "{ticket: [{ticket: T, resource: a, role: Promoted, loss_policy: demote}]}",
        "ticket add T Promoted a loss-policy=demote",
    ),
    "a ticket of sets": (
        "{ticket: [{ticket: T, sets: [{resources: [a, b]}]}]}",
        "ticket set a b setoptions ticket=T",
    ),
    "a pattern on one node": (
        "{location: [{pattern: '[ab]', node: c1, score: -7}]}",
        "location 'regexp%[ab]' avoids c1=7",
    ),
    "a pattern under an id": (
        "{location: [{id: x, pattern: '[ab]', node: c1, score: -7}]}",
        "location add x 'regexp%[ab]' c1 -7",
    ),
    "a rule of rules": (
        (
            "{location: [{resource: a, rules: [{score: 9, boolean_op: or, role: Promoted,"
            " expression: [{attribute: '#uname', operation: eq, value: c1, type: string},"
            " {attribute: rack, operation: defined}],"
            " rule: [{date_expression: [{operation: in_range, start: '2030-01-01',"
            " duration: {months: 2}}, {operation: date_spec, date_spec: {hours: 9-16}},"
            " {operation: gt, start: '2031-01-01'}]}]}]}]}"
        ),
        (
            "location a rule score=9 role=Promoted '#uname' eq string c1 or defined rack or '(' "
            "date in_range 2030-01-01 to duration months=2 and date-spec hours=9-16 and date gt "
            "2031-01-01 ')'"
        ),
    ),
}


@pytest.mark.parametrize("name", OWN_TERMS)
def test_constraints_in_pacemakers_own_terms_have_their_line(name: str, tmp_path: Path) -> None:
    text, line = OWN_TERMS[name]
    assert said(tmp_path, f"{TWO}constraints: {text}") == [*CREATED, f"pcs constraint {line}"]


BEYOND = {
    "templates": f"templates:\n{A}}}\n",
    "the template of b": f"templates:\n{A}}}\nresources: {{b: {{template: a}}}}",
    "further instance_attributes of a": f"resources:\n{A}, further: {{parameters: "
    "[{score: 2, values: {fake: x}}]}}",
    "the description of a": f"resources:\n{A}, further: {{description: of old}}}}",
    "further operations of b": f"resources:\n{A}, further: {{operations: {{id: o}}}}}}\n{B}, "
    "further: {operations: {id_ref: o}}}",
    "sets of operations of a": f"resources:\n{A}, operations: [{{name: start, parameters: "
    "[{score: 2, values: {x: y}}]}]}",
    "node attribute sets": "nodes: [{name: c1, attribute_sets: [{score: 1, values: {a: b}}]}, c2]",
    "the events of an alert": "alerts: {a: {path: /x, select: {nodes: true}}}",
    "further sets of an alert": "alerts: {a: {path: /x, meta_sets: [{score: 1, values: {a: b}}]}}",
    "permissions by a type of elements": "acls: {roles: {r: {permissions: [{kind: read, "
    "object_type: nvpair}]}}}",
    "another name": "acls: {users: {u: {name: v}}}",
    "a location constraint of several rules": f"{TWO}constraints: {{location: [{{resource: a, "
    "rules: [{expression: [{attribute: x, operation: defined}]}, {expression: [{attribute: y, "
    "operation: defined}]}]}]}",
    "kind of a resource_set": f"{TWO}constraints: {{order: [{{sets: [{{resources: [a, b], kind: "
    "Optional}]}]}",
}


@pytest.mark.parametrize("what", BEYOND)
def test_what_pcs_has_no_command_for_is_named(what: str, tmp_path: Path) -> None:
    comments = [line for line in said(tmp_path, BEYOND[what]) if line.startswith("#")]
    assert [line for line in comments if line.startswith(f"# pcs has no command for {what} (")]
    assert len(comments) == (2 if "templates:" in BEYOND[what] and what != "templates" else 1)


def test_a_bundle_a_cloned_group_and_utilization_have_their_lines(tmp_path: Path) -> None:
    text = (
        f"resources:\n{A}, group: g, utilization: {{cpu: 2}}}}\n{B}, bundle: w}}\n"
        "groups: {g: {meta: {priority: 1}, promotable: {promoted-max: 2}, clone_id: gg}}\n"
        "bundles: {w: {podman: {image: 'x:1'}, network: {port_mapping: [{port: 80}]}}}\n"
        "default_sets: [{id: d, values: {priority: 3}, rule: [{op_expression: [{name: start}]}]}]"
    )
    assert said(tmp_path, text.replace("default_sets", "operation_default_sets")) == [
        "pcs resource op defaults set create id=d meta priority=3 rule 'op start'",
        f"{CREATED[0]} --group g",
        "pcs resource utilization a cpu=2",
        "pcs resource meta g priority=1",
        "pcs resource promotable g gg promoted-max=2",
        "pcs resource bundle create w container podman image=x:1 port-map port=80",
        f"{CREATED[1]} bundle w",
    ]
