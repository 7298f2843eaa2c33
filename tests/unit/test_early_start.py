"""Which units are started just before Pacemaker is given their clones, and what ends them again."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from pacefab.errors import LostError, RefusedError
from pacefab.pacemaker.model import Clone, Configuration, Order, Primitive, Resource
from pacefab.pacemaker.nouns.status import Transition
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.sections.change import Action, ObjectChange
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import Host
from pacefab.workflows.rollout import early_start
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


class _ShellNode(_Node):
    """A node that runs what is to stop a unit, with programs in a folder."""

    def __init__(self, folder: Path, *, given: bool) -> None:
        super().__init__(starts=True)
        self.folder = folder
        for name, does in {"cibadmin": f"exit {0 if given else 105}", "systemctl": _NOTE}.items():
            (folder / name).write_text(f"#!/bin/sh\n{does}\n")
            (folder / name).chmod(0o755)

    def change(self, steps: Sequence[Step], *, seconds: float) -> dict[str, Section]:
        if "start" in self.done:
            env = {"PATH": f"{self.folder}:/usr/bin:/bin", "LOG": str(self.folder / "log")}
            subprocess.run(steps[0].argv, env=env, check=True)
        return super().change(steps, seconds=seconds)


_NOTE = 'echo "$@" >>"$LOG"'


@pytest.mark.parametrize("given", [True, False])
def test_what_pacemaker_was_given_after_all_is_not_stopped(tmp_path: Path, given: bool) -> None:
    """The patch is in, the connection was lost before its answer, and no other node is left."""
    node = _ShellNode(tmp_path, given=given)
    lost = LostError("run a command", "the connection was lost", "look")
    with pytest.raises(LostError), started_early({"c1": cast("Any", node)}, plan(CACHE)):
        raise lost
    log = tmp_path / "log"
    stopped = "stop memcached" in log.read_text() if log.exists() else False
    assert stopped is not given


@pytest.mark.parametrize("error", [RefusedError("patch", "no", "again"), KeyboardInterrupt()])
def test_what_was_started_is_stopped_when_pacemaker_is_not_given_it(error: BaseException) -> None:
    made, hosts = nodes(c1=True, c2=False)  # c2: it runs already, or does not start
    with pytest.raises(type(error)), started_early(hosts, plan(CACHE)):
        raise error
    assert [node.done for node in made.values()] == [["start", "stop"], ["start"]]


def forgotten(folder: Path, *, note: bool, drop_in: bool, answer: int) -> tuple[str, list[str]]:
    """Run what stops forgotten units; return what it printed, and what systemd was asked.

    `answer` is the exit status of Pacemaker's program when it is asked for the unit.
    """
    programs, file = folder / "bin", "cache.service"
    programs.mkdir()
    for name, script in {
        "systemctl": f'echo "$*" >>{folder}/asked',
        "cibadmin": f"exit {answer}",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    known = folder / "pacefab" / "started"
    known.mkdir(parents=True)
    own = folder / "systemd" / "system" / f"{file}.d" / "50-pacemaker.conf"
    own.parent.mkdir(parents=True)
    for there, path in ((note, known / file), (drop_in, own)):
        if there:
            path.touch()
    script = early_start._STOP_FORGOTTEN.replace("/run/", f"{folder}/")  # noqa: SLF001
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": f"{programs}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    asked = folder / "asked"
    left = [path.name for path in (known / file, own) if path.exists()]
    return f"{done.returncode} {done.stdout}{left}", (
        asked.read_text().splitlines() if asked.exists() else []
    )


UNKNOWN = 105  # CRM_EX_NOSUCH


@pytest.mark.parametrize(
    ("note", "drop_in", "answer", "said", "asked"),
    [
        (True, True, UNKNOWN, "0 cache.service\n[]", ["stop cache.service", "daemon-reload"]),
        (True, True, 0, "0 ['50-pacemaker.conf']", []),  # Pacemaker was given it
        (True, False, UNKNOWN, "0 []", []),  # Pacemaker has stopped it since
        (False, True, UNKNOWN, "0 ['50-pacemaker.conf']", []),  # none of ours
        (True, True, 102, "1 ['cache.service', '50-pacemaker.conf']", []),  # it does not say
    ],
    ids=["forgotten", "known", "stopped", "another's", "no answer"],
)
def test_what_was_started_early_and_never_given_to_pacemaker_is_stopped(
    tmp_path: Path, note: bool, drop_in: bool, answer: int, said: str, asked: list[str]
) -> None:
    assert forgotten(tmp_path, note=note, drop_in=drop_in, answer=answer) == (said, asked)
