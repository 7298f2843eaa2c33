"""A plan as one value: shown, saved, compared. What it is made of was captured on real nodes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pacefab.errors import RefusedError, UsageError
from pacefab.pacemaker import cib
from pacefab.pacemaker.configuration import read_configuration
from pacefab.pacemaker.model import Primitive
from pacefab.pacemaker.placement import simulation
from pacefab.pacemaker.plan import plan_configuration
from pacefab.report import saved
from pacefab.report.plan import render_json, render_text
from pacefab.transport.command import Step
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.rollout.planning import Plan
from tests.unit import captured

STACK = cib.parse(captured.text("debian12", "cib-stack.xml"))
SECRET = "not for every eye"  # noqa: S105  (a test's)


def moved() -> Plan:
    """Return the plan to move an address of the captured stack, a file on two hosts changed."""
    desired = read_configuration(STACK)
    resources = tuple(
        replace(one, parameters={**one.parameters, "ip": "192.0.2.131"})
        if isinstance(one, Primitive) and one.id == "vip-db"
        else one
        for one in desired.resources
    )
    step = Step("write", ("sh",), stdin=SECRET)
    node = NodePlan(steps=(step,), changes=("/etc/haproxy/haproxy.cfg: changed, not shown",))
    return Plan(
        "openstack",
        nodes={"c1": node, "c2": node, "c3": NodePlan()},
        configuration=plan_configuration(STACK, replace(desired, resources=resources), whole=False),
        transitions=simulation.parse(captured.text("debian12", "simulation-restart.xml")),
    )


def test_one_screen_shows_hosts_objects_and_what_is_interrupted() -> None:
    lines = render_text(moved())

    assert "c1, c2" in lines  # what is alike is reported once, and c3 not at all
    assert any("192.0.2.131" in line for line in lines)
    interrupted = [line for line in lines if line.endswith("! interrupts what runs")]
    assert len(interrupted) == len(moved().interruptions) > 0
    assert lines[-1].startswith("2 hosts to change; ")


def test_nothing_to_do_is_said_so() -> None:
    plan = Plan("openstack", nodes={"c1": NodePlan()})

    assert not plan
    assert render_text(plan)[-1] == "nothing to do"


def test_what_is_only_recorded_is_named() -> None:
    made = plan_configuration(STACK, read_configuration(STACK))
    assert made.changes == ()
    plan = Plan("openstack", configuration=made)

    (line,) = [line for line in render_text(plan) if "recorded as pacefab's" in line]
    assert "vip-db" in line
    assert "vip-db" in json.loads(render_json(plan))["recorded"]


def test_many_lines_of_a_file_are_cut_unless_all_are_asked_for() -> None:
    long = NodePlan(changes=tuple(f"/etc/x: + {n}" for n in range(100)))
    plan = Plan("openstack", nodes={"c1": long})

    assert any("--full" in line for line in render_text(plan))
    assert len(render_text(plan, full=True)) > 100


def test_a_saved_plan_lets_the_same_pass_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    saved.save(file, moved(), Path("inventory.yaml"), prune=True)
    found = saved.load(file)

    found.check(moved())

    assert file.stat().st_mode & 0o777 == 0o600
    assert found.prune
    with pytest.raises(RefusedError, match="no longer what was reviewed"):
        found.check(replace(moved(), transitions=()))


def test_a_secret_is_not_in_the_file_and_yet_compared(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    saved.save(file, moved(), Path("inventory.yaml"), prune=False)
    other = NodePlan(
        steps=(Step("write", ("sh",), stdin="another one"),), changes=moved().nodes["c1"].changes
    )

    assert SECRET not in file.read_text()
    with pytest.raises(RefusedError, match="holds a secret"):
        saved.load(file).check(replace(moved(), nodes={**moved().nodes, "c1": other}))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pacefab_plan": 99}', "\udcff"])
def test_what_is_no_saved_plan_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text, errors="surrogateescape")

    with pytest.raises(UsageError):
        saved.load(file)


def test_json_names_what_would_be_interrupted() -> None:
    data = json.loads(render_json(moved()))

    assert [one["id"] for one in data["configuration"]] == ["vip-db"]
    assert {one["interrupts"] for one in data["pacemaker"]} == {True}
