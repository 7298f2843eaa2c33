"""Present and desired -> plan -> CIB, on CIBs that real clusters printed."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from ruamel.yaml import YAML

from pacefab.errors import RefusedError
from pacefab.pacemaker import metadata
from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.metadata import complete_configuration
from pacefab.pacemaker.model import (
    Clone,
    Colocation,
    Configuration,
    Constraint,
    Group,
    Location,
    Operation,
    Order,
    Primitive,
    Resource,
)
from pacefab.pacemaker.plan import ConfigurationPlan, plan_configuration, plan_removal
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.restore import plan_restore, render_restored, render_undone
from pacefab.services.memcached.memcached import AGENT, CLONE, RESOURCE, desired_clone
from tests.unit import captured

PLANS = sorted((Path(__file__).parents[1] / "plans").glob("*.yaml"))
MEMCACHED = Configuration(resources=(desired_clone(),))
STACKS = ("debian12", "debian13")
METADATA = {
    AGENT: "metadata.xml",
    "ocf:heartbeat:IPaddr2": "metadata-IPaddr2.xml",
    "ocf:heartbeat:galera": "metadata-galera.xml",
    "ocf:pacemaker:Dummy": "metadata-Dummy.xml",
}
CASES = [
    pytest.param(spec, kind, id=f"{path.stem}-{kind}")
    for path in PLANS
    for spec in [YAML(typ="safe").load(path)]
    for kind in spec.get("kinds", captured.KINDS)
]


@pytest.mark.parametrize(("spec", "kind"), CASES)
def test_plan(spec: dict[str, Any], kind: str) -> None:
    """The plan is as written; carried out, nothing is left to do; taken back, all is as before."""
    present = given(spec, kind)
    desired = configuration(spec, "desired", kind)
    prune = spec.get("prune", False)
    if "refused" in spec:
        with pytest.raises(RefusedError, match=spec["refused"]):
            plan_configuration(present, desired, prune=prune)
        return
    plan = plan_configuration(present, desired, prune=prune)
    assert [str(change) for change in plan.changes] == spec.get("changes", [])
    assert list(plan.adopted) == spec.get("adopted", [])
    assert list(plan.unmanaged) == spec.get("unmanaged", [])
    assert list(plan.leftover) == spec.get("leftover", [])
    after = render_configuration(present, plan)
    again = plan_configuration(after, desired, prune=prune)
    assert not again
    assert set(after.owned) == set(again.owned) == set(plan.owned)
    taken_back(after, present, plan)


def taken_back(after: Cib, present: Cib, plan: ConfigurationPlan) -> None:
    """Assert that both ways lead back to what was there."""
    for restored in (render_undone(after, present, plan), render_restored(after, present)):
        # An empty section may stay behind.
        assert canonical(restored).replace("<rsc_defaults></rsc_defaults>", "") == canonical(
            present
        )
        assert restored.version > after.version
    back = plan_restore(after, present)
    reported = {(change.kind, change.id) for change in back.changes}
    assert {(change.kind, change.id) for change in plan.changes} <= reported | {("clone", CLONE)}


def given(spec: dict[str, Any], kind: str) -> Cib:
    """Return the CIB of a case: captured, then deployed by us before, then changed by hand."""
    cib = parse(captured.text(kind, spec["present"]))
    if "before" in spec:
        plan = plan_configuration(cib, configuration(spec, "before", kind))
        cib = render_configuration(cib, plan)
        return parse(edited(cib.text(), spec.get("edit", {})))
    return parse(edited(captured.text(kind, spec["present"]), spec.get("edit", {})))


def edited(text: str, edits: dict[str, str]) -> str:
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    return text


def configuration(spec: dict[str, Any], name: str, kind: str) -> Configuration:
    """Return a configuration as a case writes it, with the agents' own operations."""
    known = {
        agent: metadata.parse(agent, captured.text(kind, file))
        for agent, file in METADATA.items()
        if (captured.FOLDER / kind / file).exists()
    }
    if name not in spec:
        return complete_configuration(MEMCACHED, known)
    written = dict(spec[name])
    resources = tuple(resource(one) for one in written.pop("resources", ()))
    constraints = tuple(constraint(one) for one in written.pop("constraints", ()))
    desired = Configuration(resources=resources, constraints=constraints, **written)
    return complete_configuration(desired, known)


def resource(written: dict[str, Any]) -> Resource:
    ((kind, fields),) = written.items()
    if kind == "primitive":
        return primitive(fields)
    if kind == "group":
        return Group(**{**fields, "primitives": tuple(map(primitive, fields["primitives"]))})
    return Clone(**{**fields, "primitive": primitive(fields["primitive"])})


def primitive(fields: dict[str, Any]) -> Primitive:
    operations = tuple(Operation(**one) for one in fields.get("operations", ()))
    hidden = frozenset(fields.get("hidden", ()))
    return Primitive(**{**fields, "operations": operations, "hidden": hidden})


def constraint(written: dict[str, Any]) -> Constraint:
    ((kind, fields),) = written.items()
    kinds: dict[str, type[Constraint]] = {
        "order": Order, "colocation": Colocation, "location": Location,
    }  # fmt: skip
    return kinds[kind](**fields)


def canonical(cib: Cib, section: str = "configuration") -> str:
    """Return part of a CIB spelled alike where it is equal; pairs of pacefab's set sorted."""
    root = copy.deepcopy(cib.root)
    for own in root.iterfind(".//cluster_property_set[@id='pacefab']"):
        own[:] = sorted(own, key=lambda pair: str(pair.get("id")))
    element = root if section == "cib" else root.find(f".//{section}")
    assert element is not None
    return etree.tostring(element, method="c14n").decode()


@pytest.mark.parametrize("kind", captured.KINDS)
def test_what_we_render_is_what_pcs_wrote(kind: str) -> None:
    empty = parse(captured.text(kind, "cib-empty.xml"))
    plan = plan_configuration(empty, configuration({}, "desired", kind))
    ours = render_configuration(empty, plan)
    theirs = parse(captured.text(kind, "cib-clone.xml"))
    assert canonical(ours, "resources") == canonical(theirs, "resources")
    assert ours.version == (empty.version[0], empty.version[1] + 1, 0)
    assert canonical(empty, "cib") == canonical(parse(captured.text(kind, "cib-empty.xml")), "cib")


@pytest.mark.parametrize("kind", STACKS)
def test_a_stack_that_pcs_made_is_read_whole_and_needs_nothing(kind: str) -> None:
    theirs = parse(captured.text(kind, "cib-stack.xml"))
    plan = plan_configuration(theirs, read_configuration(theirs))
    assert plan.changes == ()
    assert plan.unmanaged == ()
    constraints, resources = len(theirs.constraints), len(theirs.resources)
    settings = len([key for key in plan.adopted if ":" in key])
    assert len(plan.adopted) == settings + constraints + resources


@pytest.mark.parametrize("kind", STACKS)
def test_a_stack_is_written_as_pcs_wrote_it(kind: str) -> None:
    theirs = parse(captured.text(kind, "cib-stack.xml"))
    empty = parse(captured.text(kind, "cib-empty.xml"))
    ours = render_configuration(empty, plan_configuration(empty, read_configuration(theirs)))
    for section in ("resources", "nodes", "rsc_defaults", "constraints"):
        # The one exception: pcs 0.12 writes how a rule's single expression would be joined.
        said = canonical(theirs, section).replace(' boolean-op="and"', "")
        assert canonical(ours, section) == said


@pytest.mark.parametrize("kind", captured.KINDS)
def test_removal_takes_the_clone_and_its_constraints(kind: str) -> None:
    present = parse(captured.text(kind, "cib-constraint.xml"))
    plan = plan_removal(present, [desired_clone()])
    assert [str(change) for change in plan.changes] == [
        "remove location constraint location-memcached-clone-c3--1000",
        "remove clone memcached-clone",
    ]
    after = render_configuration(present, plan)
    assert after.element(CLONE) is after.element(RESOURCE) is None
    assert len(after.constraints) == 0
    assert not plan_removal(after, [desired_clone()])


def test_other_resources_are_left_alone() -> None:
    present = parse(captured.text("debian12", "cib-mixed.xml"))
    after = render_configuration(present, plan_removal(present, [desired_clone()]))
    assert [e.get("id") for e in after.resources] == ["vip", "state-clone"]


def test_a_part_of_an_inventory_leaves_the_rest_alone() -> None:
    spec = YAML(typ="safe").load(PLANS[0].with_name("service-pruned.yaml"))
    present = given(spec, "debian12")
    part = configuration({}, "desired", "debian12")
    plan = plan_configuration(present, part, whole=False)
    assert [change.id for change in plan.changes] == [CLONE]  # interleave
    assert plan.leftover == ()
    assert set(plan.owned) == set(present.owned)


def test_before_there_is_a_cluster_all_is_to_be_added() -> None:
    desired = replace(MEMCACHED, attributes={"c1": {"rack": "a"}})
    plan = plan_configuration(None, desired)
    assert [change.action.value for change in plan.changes] == ["add", "add"]


def test_going_back_undoes_what_others_made_too() -> None:
    before = parse(captured.text("debian12", "cib-clone.xml"))
    now = parse(captured.text("debian12", "cib-mixed.xml"))
    reported = [str(change) for change in plan_restore(now, before).changes]
    meta = "memcached-clone meta interleave: false -> true; memcached meta interleave: true"
    assert reported == [
        f"update clone memcached-clone: {meta} -> absent",
        "remove primitive vip",
        "remove promotable clone state-clone",
        "remove location constraint location-memcached-clone-c3--1000",
    ]
    assert not plan_restore(render_restored(now, before), before)


def test_what_others_changed_since_stays_when_ours_is_taken_back() -> None:
    before = parse(captured.text("debian12", "cib-empty.xml"))
    plan = plan_configuration(before, configuration({}, "desired", "debian12"))
    theirs = parse(captured.text("debian12", "cib-mixed.xml"))
    back = render_undone(theirs, before, plan)
    assert [e.get("id") for e in back.resources] == ["vip", "state-clone"]
