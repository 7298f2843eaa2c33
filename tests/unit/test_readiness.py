"""What is not yet as desired, on states that real clusters were in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from pacefab.errors import CommandError
from pacefab.pacemaker import monitor
from pacefab.pacemaker.model import Clone, Configuration, Group, Primitive, Resource
from pacefab.pacemaker.nouns.status import (
    ClusterStatus,
    FailedAction,
    Instance,
    NodeStatus,
    Transition,
)
from pacefab.pacemaker.placement import graph
from pacefab.pacemaker.readiness import StartFailedError, idle, missing, remaining, unfinished
from pacefab.services.memcached.memcached import desired_clone
from pacefab.transport.command import Section, Step
from pacefab.workflows.nodes import apply_cib, cleanup
from pacefab.workflows.nodes.cleanup import CleanedUp
from tests.unit import captured
from tests.unit.test_view import Answers

if TYPE_CHECKING:
    from pacefab.transport.connection import Host

VIP = Primitive("vip", "ocf:heartbeat:IPaddr2")
STATE = Clone("state-clone", Primitive("state", "ocf:pacemaker:Stateful"), {"promotable": "true"})


def said(status: ClusterStatus, *resources: Resource) -> str:
    return missing(status, Configuration(resources=resources))


def state(name: str, kind: str = "debian12") -> ClusterStatus:
    return monitor.parse(captured.text(kind, f"monitor-{name}.xml"))


def without(status: ClusterStatus, resource: str) -> ClusterStatus:
    """Return the state with a primitive stopped everywhere."""
    kept = tuple(one for one in status.resources if one.id != resource)
    return replace(status, resources=kept)


def test_a_clone_that_runs_everywhere_needs_nothing() -> None:
    assert said(state("started"), desired_clone()) == ""


def test_what_is_about_to_be_restarted_is_not_yet_as_desired() -> None:
    due = graph.parse(captured.text("debian12", "graph-restart.xml")).operations
    status = replace(state("mixed"), due=due)
    reported = (
        "stop vip-rabbitmq on c2 is still to be done; start vip-rabbitmq on c2 is still to be done"
    )
    assert unfinished(status, ["vip", "vip-rabbitmq"]) == reported
    assert said(status, VIP) == ""


def test_a_clone_that_a_node_lacks() -> None:
    assert said(state("one-stopped"), desired_clone()) == "memcached is not Started on c3"


def test_a_monitor_that_failed_is_reported_and_waited_for() -> None:
    failures = (FailedAction("memcached", "monitor", "c3", "not running"),)
    said_ = said(replace(state("one-stopped"), failures=failures), desired_clone())
    assert said_ == "memcached is not Started on c3 (monitor failed on c3: not running)"


def test_fewer_instances_are_enough_where_that_is_desired() -> None:
    two = replace(desired_clone(), meta={"clone-max": "2"})
    assert said(state("one-stopped"), two) == ""


def test_a_primitive_has_to_run_somewhere() -> None:
    assert said(state("mixed"), VIP) == ""
    stopped = without(state("mixed"), "vip")
    assert (
        said(stopped, VIP) == said(stopped, Group("g", (VIP,))) == "vip is not Started on any node"
    )


def test_a_promotable_clone_needs_as_many_promoted_as_it_may_have() -> None:
    assert said(state("mixed"), STATE) == ""
    three = replace(STATE, meta={**STATE.meta, "promoted-max": "3"})
    assert said(state("mixed"), three) == "state is Promoted on 1 of 3 nodes"
    # The old name, and more than there are nodes.
    nine = replace(STATE, meta={**STATE.meta, "master-max": "9"})
    assert said(state("mixed"), nine) == "state is Promoted on 1 of 3 nodes"


def test_a_start_that_failed_names_nodes_and_reason() -> None:
    with pytest.raises(StartFailedError) as caught:
        said(state("started", "debian13"), desired_clone())
    assert set(caught.value.nodes) == {"c1", "c2", "c3"}
    assert caught.value.attempted == "start memcached"
    assert caught.value.seen.count("start failed on c") == 3
    assert "journalctl -u memcached" in caught.value.next_step


def failed(status: ClusterStatus, operation: str, *nodes: str) -> ClusterStatus:
    failures = (FailedAction("vip", operation, n, "x") for n in nodes)
    promotions = (FailedAction("state:0", operation, n, "x") for n in nodes)
    return replace(status, failures=(*failures, *promotions))


def test_an_address_that_failed_on_one_node_may_yet_start_on_another() -> None:
    stopped = without(state("mixed"), "vip")
    assert said(failed(stopped, "start", "c1"), VIP) == (
        "vip is not Started on any node (start failed on c1: x)"
    )
    with pytest.raises(StartFailedError, match=r"c1.*\n.*c2.*\n.*c3"):
        said(failed(stopped, "start", "c1", "c2", "c3"), VIP)


def test_after_a_failure_that_nothing_follows_nothing_is_waited_for() -> None:
    status = failed(without(state("mixed"), "vip"), "start", "c1")
    with pytest.raises(StartFailedError, match="c1"):
        missing(replace(status, due=()), Configuration(resources=(VIP,)))
    follows = replace(status, due=(Transition("start", "vip", target="c2"),))
    assert "not Started on any node (start failed on c1" in said(follows, VIP)


def test_promotions_that_failed_on_too_many_nodes_are_reported() -> None:
    two = replace(STATE, meta={**STATE.meta, "promoted-max": "2"})
    assert said(failed(state("mixed"), "promote", "c1"), two) != ""
    with pytest.raises(StartFailedError, match="promote failed on c1"):
        said(failed(state("mixed"), "promote", "c1", "c2"), two)


def test_what_is_to_be_gone() -> None:
    status = state("mixed")
    assert remaining(status, "vip") == "vip still runs on c3"
    assert remaining(without(status, "vip"), "vip") == ""
    assert idle(status, "vip")


def test_what_is_being_done_right_now_is_not_idle() -> None:
    node = NodeStatus(
        "c1", online=True, standby=False, maintenance=False, pending=False, unclean=False
    )
    stopping = Instance("vip", VIP.agent, "Started", ("c1",), failed=False, managed=True,
                        orphaned=True, blocked=False, pending="Stopping")  # fmt: skip
    status = ClusterStatus("c1", quorum=True, maintenance=False, fencing=False, nodes=(node,),
                           resources=(stopping,), failures=())  # fmt: skip
    assert not idle(status, "vip")
    assert remaining(replace(status, resources=(replace(stopping, nodes=()),)), "vip") == (
        "vip is still there"
    )


class Starting(Answers):
    """A node whose Pacemaker says that memcached failed to start, until that is cleaned up.

    As on Debian 13, with another reason; `for_good`: after that too.
    """

    def __init__(
        self, reason: str, *, for_good: bool = False, call: int = 0, late: int = 0
    ) -> None:
        """Take why it failed, as crm_mon has it, and the number of the next start where one is.

        What is cleaned up is still shown for so many looks as `late` says.
        """
        failed = captured.text("debian13", "monitor-started.xml")
        assert 'exitreason="failed"' in failed
        super().__init__(
            "c1", 1, monitor=failed.replace('exitreason="failed"', f'exitreason="{reason}"')
        )
        self.for_good, self.call, self.late = for_good, call, late
        self.cleaned: list[str] = []

    def query(self, steps: Sequence[Step], **options: Any) -> Mapping[str, Section]:
        """Answer, and note what is cleaned up."""
        names = [step.name for step in steps if step.name.startswith("cleanup")]
        self.cleaned += names
        if not names and self.cleaned and self.late:
            self.late -= 1
        elif self.cleaned and not self.late and not self.for_good:
            self.given["monitor"] = captured.text("debian12", "monitor-started.xml")
        elif names and self.call:
            call, self.call = self.call, self.call + 1
            said = str(self.given["monitor"])
            self.given["monitor"] = re.sub(r'call="\d+"', f'call="{call}"', said)
        return super().query(steps, **options)


MEMCACHED = Configuration(resources=(desired_clone(),))
EACH_ONCE = [f"cleanup memcached {node}" for node in ("c1", "c2", "c3")]


def test_a_start_that_systemd_had_not_begun_is_tried_again() -> None:
    node = Starting("inactive")
    apply_cib.settle_configuration(cast("Host", node), MEMCACHED, 10)
    assert node.cleaned == EACH_ONCE


def test_what_is_cleaned_up_and_still_shown_is_no_failure_of_the_next_try() -> None:
    node = Starting("inactive", late=3)
    heard: list[str] = []
    apply_cib.settle_configuration(cast("Host", node), MEMCACHED, 10, heard.append)
    assert node.cleaned == EACH_ONCE
    assert any(said.startswith("Pacemaker is to forget how memcached failed") for said in heard)


def test_a_failure_that_a_run_cleaned_up_before_is_not_one_of_its_own() -> None:
    node, cleaned = Starting("failed", late=3), CleanedUp()
    status = apply_cib.query_status(cast("Host", node))
    with pytest.raises(StartFailedError, match="start failed on c3: failed"):
        apply_cib.settle_configuration(cast("Host", node), MEMCACHED, 10, cleaned=cleaned)
    assert cleaned.clean_up(cast("Host", node), status, ["c1", "c2", "c3"])
    apply_cib.settle_configuration(cast("Host", node), MEMCACHED, 10, cleaned=cleaned)
    assert node.cleaned == EACH_ONCE


def test_another_try_that_fails_is_one_whatever_was_cleaned_up() -> None:
    node, cleaned = Starting("failed", for_good=True, call=100), CleanedUp()
    status = apply_cib.query_status(cast("Host", node))
    assert cleaned.clean_up(cast("Host", node), status, ["c1", "c2", "c3"])
    with pytest.raises(StartFailedError, match="start failed on c3: failed"):
        apply_cib.settle_configuration(cast("Host", node), MEMCACHED, 10, cleaned=cleaned)


def test_it_is_tried_again_once_and_one_that_failed_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cleanup, "_SHOWN_SECONDS", 0.5)
    node = Starting("inactive", for_good=True)
    with pytest.raises(StartFailedError, match="start failed on c3: inactive"):
        apply_cib.settle_configuration(cast("Host", node), MEMCACHED, 10)
    assert node.cleaned == EACH_ONCE
    node = Starting("failed")
    with pytest.raises(StartFailedError, match="start failed on c3: failed"):
        apply_cib.settle_configuration(cast("Host", node), MEMCACHED, 10)
    assert not node.cleaned


def test_a_start_that_is_early_each_time_is_tried_three_times() -> None:
    node = Starting("inactive", for_good=True, call=100)
    with pytest.raises(StartFailedError, match="start failed on c3: inactive"):
        apply_cib.settle_configuration(cast("Host", node), MEMCACHED, 10)
    assert sorted(node.cleaned) == sorted(EACH_ONCE * 3)


def test_it_is_tried_again_when_nothing_else_is_being_started() -> None:
    """What keeps systemd busy is what else is being started."""
    node = Starting("inactive")
    failed, other = str(node.given["monitor"]), replace(VIP, id="vip-db")
    desired = replace(MEMCACHED, resources=(*MEMCACHED.resources, other))
    starting = '<resource id="vip-db" resource_agent="ocf:heartbeat:IPaddr2" role="Stopped" \
active="false" orphaned="false" blocked="false" managed="true" failed="false" \
nodes_running_on="0" pending="Starting"/></resources>'
    node.given["monitor"] = failed.replace("</resources>", starting)
    with pytest.raises(CommandError, match=r"memcached is to be started again .*; first vip-db"):
        apply_cib.settle_configuration(cast("Host", node), desired, 1)
    assert not node.cleaned
