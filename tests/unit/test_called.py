"""An inventory that calls members otherwise than their cluster: what every task says of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pacefab.errors import RefusedError
from pacefab.pacemaker.model import Configuration, Member, Membership
from pacefab.services import registry
from pacefab.workflows.checks import health
from pacefab.workflows.nodes.called import find_misnamed
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout import verify
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.planning import Planner
from pacefab.workflows.rollout.verify import Verify
from tests.unit.test_view import Answers, Silent, view

OTHERS = ("c2", "c3")
CLUSTER = "capture-6490-c395"
SAID = f"it is the node c1 of cluster {CLUSTER}, and the inventory calls it alpha"
WAY = "write name: c1. Nodes cannot be renamed; to have it by another name"


def listed(*names: str, addresses: bool = True) -> Membership:
    """Return an inventory's members, with the addresses of c1, c2, c3 or without any."""
    known = enumerate(names, 1)
    return Membership(
        CLUSTER, tuple(Member(name, (f"10.0.0.{n}",) if addresses else ()) for n, name in known)
    )


def seen_as(*names: str) -> ClusterView:
    """Return the cluster of c1, c2, c3, whose hosts were named so."""
    return view(*(Answers(name, n) for n, name in enumerate(names, 1)))


def of(membership: Membership) -> Intent:
    section = registry.service("memcached").default
    sections = {"memcached": section}
    return Intent(membership, sections, ("memcached",), Configuration(), lambda _: "")


def plan(membership: Membership) -> None:
    Planner(of(membership)).plan(seen_as(*membership.names))


def plan_cluster(membership: Membership) -> None:
    Planner(of(membership)).plan_cluster(seen_as(*membership.names))


def check(membership: Membership) -> None:
    seen = seen_as(*membership.names)
    Verify(registry.service("memcached"), of(membership)).run(seen.hosts, lambda _: None)


@pytest.fixture(autouse=True)
def _looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts that are looked at are c1, c2, c3, by whatever names they are given."""
    named = ["alpha", *OTHERS]
    monkeypatch.setattr(verify, "observe_members", lambda *_: seen_as(*named))
    monkeypatch.setattr(health, "observe_cluster", lambda *_: seen_as(*named))


@pytest.mark.parametrize("addresses", [True, False])
@pytest.mark.parametrize("task", [plan, plan_cluster, check])
def test_tasks_refuse_it_with_both_names_and_the_way_on(
    task: Callable[[Membership], None], *, addresses: bool
) -> None:
    with pytest.raises(RefusedError) as caught:
        task(listed("alpha", *OTHERS, addresses=addresses))
    assert caught.value.host == "alpha"
    assert caught.value.seen == SAID
    assert caught.value.next_step.startswith(f"nothing was changed: {WAY}")
    assert "fab add-node --node alpha" in caught.value.next_step


def test_status_says_it_and_is_no_less_healthy_for_it() -> None:
    before = health.examine({}, lambda _: None, 8)
    after = health.examine({}, lambda _: None, 8, inventory=listed("alpha", *OTHERS))
    assert after.reasons == before.reasons
    (said,) = set(after.notices) - set(before.notices)
    assert said.startswith(f"alpha: {SAID}; {WAY}")


def test_a_name_is_known_by_its_address_where_its_host_is_silent() -> None:
    seen = view(Silent("alpha", 1), *(Answers(name, n) for n, name in enumerate(OTHERS, 2)))
    (found,) = find_misnamed(seen, listed("alpha", *OTHERS))
    assert str(found) == SAID


def test_names_that_are_swapped_are_found_and_those_that_are_right_are_not() -> None:
    seen = seen_as("c1", *OTHERS)
    found = find_misnamed(seen, listed("c2", "c1", "c3"))
    assert [(one.node, one.called) for one in found] == [("c1", "c2"), ("c2", "c1")]
    assert find_misnamed(seen, listed("c1", *OTHERS)) == ()
    assert find_misnamed(seen, listed("c1", *OTHERS, addresses=False)) == ()
    assert find_misnamed(seen, listed("c1", *OTHERS, "c4")) == ()  # one that is to join
