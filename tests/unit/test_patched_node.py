"""One node of a patch round, on a node that keeps in mind what was done to it: killed anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pacefab.errors import CommandError, PacefabError
from pacefab.host import boots
from pacefab.host.model import Outcome
from pacefab.services.service import Look
from pacefab.transport.command import LOCK, Section, Step
from pacefab.transport.connection import Host
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.upgrade import patched_node, standby
from pacefab.workflows.upgrade.patched_node import Around, PatchedNode

INST = "Inst corosync [1] (2 x [amd64])\nInst memcached [1] (2 x [amd64])\n"
USES = "uses corosync.service corosync corosync\nuses memcached.service memcached memcached\n"


class KilledError(BaseException):
    """The program is no more: nothing is caught, nothing undone."""


@dataclass
class Machine:
    """A node: what it has, and what was done to it, in order."""

    newer: bool = True
    used: bool = True  # corosync is newer too, and runs
    reboot: bool = False  # it asks for a restart once its packages are new
    requested: bool = False
    active: bool = True
    enabled: set[str] = field(default_factory=set)
    marked: bool = False
    booted: int = 1
    fails: str = ""  # the step that fails
    kill_at: int = 0  # the how many-eth change is the last one
    before: bool = False  # it is killed before that takes effect, not after
    end: type[BaseException] = KilledError
    done: list[str] = field(default_factory=list)
    name: str = "c1"

    def ask(self, steps: Sequence[Step], **_options: Any) -> Mapping[str, Section]:
        """Answer as the node is."""
        return {step.name: Section(step.name, 0, self._says(step.name), "") for step in steps}

    def _says(self, name: str) -> str:
        state = "active" if self.active else "inactive"
        units = (
            f"Id={unit}\nUnitFileState={'enabled' if unit in self.enabled else 'disabled'}\n"
            f"ActiveState={state}\n"
            for unit in ("corosync.service", "pacemaker.service", "memcached.service")
        )
        return {
            boots.SECTION: f"boot {self.booted}",
            "newer": INST * self.newer,
            "users": USES * (self.newer and self.active and self.used),
            "requested": "asked\n" * self.requested,
            "own units": "\n".join(units),
        }.get(name, "")

    def change(self, steps: Sequence[Step], **_options: Any) -> Mapping[str, Section]:
        """Do it, and remember."""
        sections = {LOCK: Section(LOCK, 0, "", "")}
        for step in steps:
            ok = step.name != self.fails
            sections[step.name] = Section(step.name, 0 if ok else 100, "", "")
            if ok:
                self.act(step.name)
        return sections

    def act(self, what: str) -> None:
        """Take a step, unless the program is killed."""
        last = len(self.done) + 1 == self.kill_at
        if last and self.before:
            raise self.end
        self.done.append(what)
        match what:
            case "stop the cluster services":
                self.active = False
            case "start the cluster services":
                self.active = True
            case "restart the machine":
                self.booted, self.active, self.requested = self.booted + 1, False, False
                assert not self.enabled, "systemd would start what Pacemaker runs"
            case "standby" | "back":
                self.marked = what == "standby"
            case _ if what.startswith("upgrade every"):
                assert self.marked
                assert not (self.active and self.used), "corosync is replaced while it runs"
                self.newer, self.requested = False, self.reboot
                self.enabled |= {"memcached.service"}
            case _ if what.startswith("disable "):
                self.enabled -= {what.removeprefix("disable ")}
        if last:
            raise self.end

    def mark(self, what: str, *, on: bool) -> None:
        """Put it into standby, or take it out, where it is not as it is to be."""
        if self.marked is not on:
            self.act(what)


class OneOther(Around):
    """A cluster of which everything but the node is well."""

    def without(self, *_nodes: str) -> ClusterView:
        """Return what is asked of a view here."""
        return cast("ClusterView", SimpleNamespace(cib=None, host=None, views={"c2": None}))

    def services(self, _seen: ClusterView) -> Mapping[str, Any]:
        """Return none."""
        return {}


class Quiet:
    """Nobody who watches."""

    def note(self, host: str, text: str) -> None:
        """Hear nothing."""

    waiting = note

    def finished(self, outcome: Outcome) -> None:
        """Hear nothing."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A node with newer packages, whose standby is asked of itself."""
    node = Machine()
    monkeypatch.setattr(standby, "found", lambda _cib: ("c1",) * node.marked)
    monkeypatch.setattr(standby, "take", lambda *_: node.mark("standby", on=True))
    monkeypatch.setattr(standby, "bring_back", lambda *_: node.mark("back", on=False))
    monkeypatch.setattr(apply_cib, "settle", lambda *_, **__: None)
    monkeypatch.setattr(patched_node, "site_of", lambda *_, **__: None)
    monkeypatch.setattr(patched_node, "examine_services", lambda *_: SimpleNamespace(reasons=()))
    return node


def patch(node: Machine) -> PatchedNode:
    """Patch it, in a run of its own; what is said in it is to be read there."""
    hosts = cast("dict[str, Host]", {"c1": node})
    around = OneOther(hosts, Look(), None, 8, 1)
    run = PatchedNode(around, "c1", frozenset({"memcached.service"}), Quiet())
    run.run()
    return run


FETCH, UPGRADE = "fetch the newest packages with apt-get", "upgrade every package with apt-get"
WALK = (
    FETCH, "standby", "stop the cluster services", "guard", UPGRADE, "unguard",
    "disable memcached.service", "start the cluster services", "back",
)  # fmt: skip


def test_the_states_of_a_node_come_in_their_order(machine: Machine) -> None:
    patch(machine)
    assert tuple(machine.done) == WALK


def test_the_machine_restarts_when_nothing_starts_at_boot_any_more(machine: Machine) -> None:
    machine.reboot = True
    patch(machine)
    assert tuple(machine.done) == (*WALK[:-2], "restart the machine", *WALK[-2:])
    assert machine.booted == 2


def test_a_second_run_does_nothing(machine: Machine) -> None:
    patch(machine)
    machine.done.clear()
    machine.act("standby")
    patch(machine)
    assert machine.done == ["standby", "back"]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("moment", range(1, len(WALK) + 2))
def test_a_run_that_is_killed_anywhere_is_brought_to_its_end(
    machine: Machine, moment: int, *, before: bool
) -> None:
    machine.reboot, machine.kill_at, machine.before = True, moment, before
    with pytest.raises(KilledError):
        patch(machine)
    machine.kill_at = 0
    done = list(machine.done)
    patch(machine)
    assert (machine.newer, machine.active, machine.marked) == (False, True, False)
    assert machine.enabled == set()
    assert machine.booted == 2
    assert machine.done.count(UPGRADE) == 1
    assert machine.done[: len(done)] == done


@pytest.mark.parametrize("step", ["fetch the newest packages with apt-get", UPGRADE])
def test_a_node_whose_packages_stay_as_they_are_serves_again(machine: Machine, step: str) -> None:
    machine.fails = step
    with pytest.raises(PacefabError) as caught:
        patch(machine)
    assert "c1 serves again, and is as it was" in str(caught.value.next_step)
    assert (machine.newer, machine.active, machine.marked) == (True, True, False)


@pytest.mark.parametrize("moment", range(1, len(WALK) + 1))
def test_an_interruption_goes_back_before_the_packages_and_says_so(
    machine: Machine, moment: int
) -> None:
    machine.kill_at, machine.end = moment, KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt) as caught:
        patch(machine)
    (note,) = caught.value.__notes__
    goes_back = WALK[moment - 1] in {FETCH, "standby", "stop the cluster services"}
    said = "c1 serves again" if goes_back else "run this again: it goes on there"
    assert said in note
    if goes_back:
        assert (machine.newer, machine.active, machine.marked) == (True, True, False)


def test_a_node_that_cannot_join_says_that_the_next_run_goes_on(machine: Machine) -> None:
    machine.fails = "start the cluster services"
    with pytest.raises(CommandError) as caught:
        patch(machine)
    assert "run this again: it goes on there" in str(caught.value.next_step)
    assert machine.marked
    machine.fails = ""
    patch(machine)
    assert (machine.active, machine.marked) == (True, False)


def test_the_cluster_services_run_on_where_they_use_nothing_that_is_newer(machine: Machine) -> None:
    machine.used = False
    patch(machine)
    assert tuple(machine.done) == tuple(one for one in WALK if "cluster services" not in one)
