"""Nodes that are down, left out or lost: what is planned, awaited and asked without them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from pacefab.cli.run import left_out
from pacefab.errors import CommandError, LostError, UnreachableError
from pacefab.host.model import Mark, Outcome
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.pacemaker.nouns.status import NodeStatus
from pacefab.pacemaker.readiness import missing
from pacefab.pacemaker.word import Cause, Placement
from pacefab.services.probes.probe import Probe, Reading
from pacefab.transport.command import LOCK, Section, Step, step
from pacefab.transport.connection import Host
from pacefab.workflows.checks import probing
from pacefab.workflows.checks.probing import AskerLostError, serve
from pacefab.workflows.nodes import apply_node
from pacefab.workflows.nodes.apply_node import change_node
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.progress import Stopwatch
from pacefab.workflows.rollout.absent import Losses, incomplete
from pacefab.workflows.rollout.planning import Plan
from tests.unit.test_readiness import state, without

AWAY = Cause("c3 is offline", "start it", deliberate=False, named=True, away=True, node="c3")
BANNED = Cause("c1 is banned", "lift it", resource="vip", node="c1")
BROKEN = Cause("start failed on c1", "repair it", deliberate=False, resource="vip", node="c1")
VIP = Configuration(resources=(Primitive("vip", "ocf:heartbeat:IPaddr2"),))


class Watched:
    """Somebody who watches, and remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, host: str, text: str) -> None:
        """Remember it."""
        self.said.append(f"{host}: {text}")

    def waiting(self, _host: str, _text: str) -> None:
        """Hear of a wait."""

    def finished(self, outcome: Outcome) -> None:
        """Remember the outcome."""
        self.said.append(f"{outcome.host}: {outcome.mark}")


@pytest.mark.parametrize(
    ("values", "names"),
    [([], ()), (["c1,c2", " c3 ,"], ("c1", "c2", "c3")), (["c1"], ("c1",))],
)
def test_nodes_are_left_out_one_by_one_or_together(
    values: Sequence[str], names: tuple[str, ...]
) -> None:
    assert left_out(values) == names


@pytest.mark.parametrize(
    ("against", "waits"),
    [
        ({"c1": BANNED, "c3": AWAY}, True),
        ({"c1": BROKEN, "c3": AWAY}, False),
        ({"c1": BANNED}, False),
    ],
)
def test_what_only_a_node_that_is_left_out_may_run_is_said(
    against: Mapping[str, Cause], *, waits: bool
) -> None:
    placement = Placement(against={"vip": against})
    plan = Plan("ha", left_out=("c3",), desired=VIP, placement=placement)
    first, *rest = plan.lacks
    assert first.startswith("c3: neither asked nor changed")
    assert rest == ["vip runs nowhere until then: it may run on no other node"] * waits
    assert replace(plan, left_out=()).lacks == ()


def test_what_the_others_get_is_what_a_node_that_is_left_out_will_lack() -> None:
    nodes = {name: NodePlan(changes=("package redis installed",)) for name in ("c1", "c2")}
    (said,) = Plan("ha", nodes=nodes, left_out=("c3",)).lacks
    assert said.endswith("until then it lacks: package redis installed")


def test_what_only_a_node_that_is_away_may_run_is_not_waited_for() -> None:
    stopped = without(state("mixed"), "vip")
    here: tuple[NodeStatus, ...] = stopped.nodes

    def said(**against: Cause) -> str:
        return missing(replace(stopped, placement=Placement(against={"vip": against})), VIP)

    assert here
    assert said(c1=BANNED, c2=replace(BANNED, node="c2"), c3=AWAY) == ""
    assert "vip is not Started" in said(c1=BROKEN, c3=AWAY)


class Asking:
    """A host that is asked; each time it does the next of what it is given, the last for ever."""

    def __init__(self, *steps: Callable[[], Mapping[str, Section]]) -> None:
        self.steps = list(steps)

    def ask(self, _steps: Sequence[Step], **_: Any) -> Mapping[str, Section]:
        """Do the next."""
        return (self.steps.pop(0) if len(self.steps) > 1 else self.steps[0])()


def raising(error: Exception) -> Callable[[], Mapping[str, Section]]:
    def do() -> Mapping[str, Section]:
        raise error

    return do


def probe(node: str) -> Probe:
    return Probe("web", node, (step("say", "true"),), lambda _: Reading())


GONE = UnreachableError("open an SSH session", "no route", "look", host="c2")
CUT = LostError("run a command", "the connection was lost", "look", host="c2")


def well() -> Mapping[str, Section]:
    return {}


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(probing, "_POLL_SECONDS", 0.01)


def asked(*second: Callable[[], Mapping[str, Section]]) -> int:
    """Have the services asked from two nodes; return how many answered."""
    hosts = cast("dict[str, Host]", {"c1": Asking(well), "c2": Asking(*second)})
    return len(serve(hosts, [probe("c1"), probe("c2")], time.monotonic() + 20))


def test_a_node_that_asks_again_over_a_new_connection_is_not_lost() -> None:
    assert asked(raising(CUT), raising(CUT), well) == 2


def test_a_node_that_cannot_be_reached_again_ends_the_questions_before_their_time() -> None:
    begun = time.monotonic()
    with pytest.raises(AskerLostError, match="no route") as caught:
        asked(raising(CUT), raising(GONE))
    assert caught.value.lost == {"c2": GONE}
    assert time.monotonic() - begun < 10


class Changing:
    """A host to change: what its changes return, or raise, one after the other."""

    name = "c2"

    def __init__(self, *results: Mapping[str, Section] | Exception) -> None:
        self.results = list(results)
        self.sent: list[tuple[str, ...]] = []

    def change(self, steps: Sequence[Step], **_: Any) -> Mapping[str, Section]:
        """Take note of the steps."""
        self.sent.append(tuple(step.name for step in steps))
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def done(*names: str, lock: int = 0) -> Mapping[str, Section]:
    return {name: Section(name, lock if name == LOCK else 0, "", "") for name in (LOCK, *names)}


PLAN = NodePlan(steps=(step("a", "true"), step("b", "true")), changes=("a", "b"))


def test_a_change_that_breaks_off_is_awaited_and_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is taken twice: what was sent is still at work there the first time."""
    monkeypatch.setattr(apply_node, "_LOCK_SECONDS", 1)
    host = Changing(CUT, done(lock=1), done(), done("b"))
    left = iter([replace(PLAN, steps=PLAN.steps[1:], changes=("b",)), NodePlan()])
    said: list[str] = []
    found = change_node(cast("Host", host), PLAN, replan=lambda: next(left), note=said.append)
    assert host.sent == [("a", "b"), (), (), ("b",)]
    assert found.steps == PLAN.steps
    assert said == ["the connection was lost; it is asked again"]


def test_one_that_was_made_whole_is_not_made_again() -> None:
    host = Changing(CUT, done())
    change_node(cast("Host", host), PLAN, replan=NodePlan, note=lambda _: None)
    assert host.sent == [("a", "b"), ()]


def test_hosts_that_are_lost_are_named_once_and_asked_no_more() -> None:
    hosts = {name: Changing() for name in ("c1", "c2")}
    hosts["c1"].name = "c1"
    watched = Watched()
    losses = Losses(cast("dict[str, Host]", hosts), watched)
    for _ in range(2):
        losses.add({"c2": GONE}, cast("dict[str, Host]", hosts))
    assert list(losses.left) == ["c1"]
    watch = Stopwatch("deploy", watched)
    (line,) = losses.report([], watch)
    assert line.mark is Mark.UNREACHABLE
    assert losses.report([line], watch) == []
    assert watched.said == [
        "c2: it was lost (no route); the rest goes on without it", f"c2: {Mark.UNREACHABLE}"
    ]  # fmt: skip


def test_when_all_are_lost_there_is_nobody_left_to_ask_and_that_is_said() -> None:
    """The operator's own network went down: no traceback."""
    hosts = cast("dict[str, Host]", {"c2": Changing()})
    losses = Losses(hosts, Watched())
    losses.add({"c2": GONE}, hosts)
    with pytest.raises(UnreachableError, match="no route"):
        _ = losses.left


def test_a_run_that_is_refused_says_how_to_go_on() -> None:
    error = incomplete({"c2": UnreachableError("open", "no route", "is it on?", host="c2")})
    assert error.next_step == "nothing was changed; is it on?; or go on without c2: --without c2"
    assert isinstance(CUT, CommandError)
