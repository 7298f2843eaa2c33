"""Which units are started just before Pacemaker is given their clones, and what ends them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from pacefab.errors import RefusedError
from pacefab.pacemaker.model import (
    Clone,
    Configuration,
    Order,
    Primitive,
    Resource,
    Transition,
)
from pacefab.pacemaker.plan import Action, ConfigurationPlan, ObjectChange
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import Host
from pacefab.workflows.rollout.early_start import started_early, units
from pacefab.workflows.rollout.planning import Plan

CACHE = Clone("memcached-clone", Primitive("memcached", "systemd:memcached"))
STARTS = tuple(Transition("start", f"memcached:{n}", target=f"c{n + 1}") for n in range(3))


def plan(
    *resources: Resource,
    action: Action = Action.ADD,
    transitions: tuple[Transition, ...] = STARTS,
    orders: tuple[Order, ...] = (),
) -> Plan:
    changes = tuple(ObjectChange(action, "clone", made.id, desired=made) for made in resources)
    return Plan(
        "prod",
        configuration=ConfigurationPlan(changes),
        transitions=transitions,
        desired=Configuration(resources=resources, constraints=orders),
    )


def test_each_new_instance_is_started_where_pacemaker_would() -> None:
    assert units(plan(CACHE)) == {"c1": ["memcached"], "c2": ["memcached"], "c3": ["memcached"]}
    assert units(plan(CACHE, transitions=STARTS[1:])) == {"c2": ["memcached"], "c3": ["memcached"]}


@pytest.mark.parametrize(
    "other",
    [
        plan(CACHE, action=Action.UPDATE),
        plan(CACHE, transitions=()),
        plan(CACHE, orders=(Order("vip", "memcached-clone"),)),
        plan(CACHE, orders=(Order("vip", "memcached"),)),
        plan(Clone("memcached-clone", CACHE.primitive, {"promotable": "true"})),
        plan(Clone("memcached-clone", Primitive("memcached", "ocf:heartbeat:redis"))),
        plan(CACHE.primitive),
    ],
    ids=["there", "nowhere", "clone later", "primitive later", "roles", "agent", "no clone"],
)
def test_what_pacemaker_starts_otherwise_is_left_to_it(other: Plan) -> None:
    assert units(other) == {}


def test_what_only_others_wait_for_is_started() -> None:
    assert len(units(plan(CACHE, orders=(Order("memcached-clone", "web"),)))) == 3


class _Node:
    """A node that says of each start whether it came about."""

    def __init__(self, *, starts: bool) -> None:
        self.starts = starts
        self.done: list[str] = []

    def change(self, steps: Sequence[Step], *, seconds: float) -> dict[str, Section]:
        assert seconds
        self.done.append("start" if "echo started" in steps[0].argv[2] else "stop")
        said = "started\n" if self.starts and "start" in self.done[-1] else ""
        return {step.name: Section(step.name, 0, said, "") for step in steps}


def nodes(*, c1: bool, c2: bool) -> tuple[dict[str, _Node], dict[str, Host]]:
    made = {"c1": _Node(starts=c1), "c2": _Node(starts=c2)}
    return made, cast("dict[str, Any]", made)


def test_what_was_started_runs_on() -> None:
    made, hosts = nodes(c1=True, c2=True)
    with started_early(hosts, plan(CACHE)):
        assert [node.done for node in made.values()] == [["start"], ["start"]]
    assert [node.done for node in made.values()] == [["start"], ["start"]]


@pytest.mark.parametrize("error", [RefusedError("patch", "no", "again"), KeyboardInterrupt()])
def test_what_was_started_is_stopped_when_pacemaker_is_not_given_it(error: BaseException) -> None:
    made, hosts = nodes(c1=True, c2=False)  # c2: it runs already, or does not start
    with pytest.raises(type(error)), started_early(hosts, plan(CACHE)):
        raise error
    assert [node.done for node in made.values()] == [["start", "stop"], ["start"]]
