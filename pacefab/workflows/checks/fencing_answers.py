"""What fence devices answer the nodes: asked side by side, each within its limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pacefab.errors import PacefabError
from pacefab.host import programs
from pacefab.pacemaker.fencing import asking, identity, places
from pacefab.pacemaker.fencing.asking import FenceAnswer, FenceQuestion
from pacefab.pacemaker.fencing.findings import FencingScene
from pacefab.pacemaker.fencing.identity import BoardWord, NodeIdentity
from pacefab.pacemaker.metadata import Metadata
from pacefab.services import agents as callers
from pacefab.transport.answers import understood
from pacefab.transport.command import Section, Step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.view import ClusterView

_ASKERS: Final = 3
"""Nodes that ask at a time: a board has some four sessions (IPMI 2.0 has no rule), one of which is
Pacemaker's own monitor's."""
_AT_ONCE: Final = 16  # questions of one node at a time
_GRACE_SECONDS: Final = 25  # for looking at programs, and what a node says of itself


@dataclass(frozen=True)
class FenceAnswers:
    """What came back.

    `absent` are programs by node that agents need there; `boards` what boards say of themselves.
    """

    answers: tuple[FenceAnswer, ...] = ()
    absent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    identities: Mapping[str, NodeIdentity] = field(default_factory=dict)
    boards: Mapping[str, BoardWord] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def ask(
    seen: ClusterView, scene: FencingScene, agents: Mapping[str, Metadata], seconds: int
) -> FenceAnswers:
    """Ask every device from every node that may run it; a hanging one costs one limit.

    `agents` is the agents' metadata. Nothing is switched.
    """
    running = [name for name, view in seen.views.items() if view.sections["cib"].ok]
    plan = {node: _questions(scene, node, agents) for node in running}
    hosts = {node: seen.hosts[node] for node in running}

    def work(node: str, host: Host) -> _OfNode:
        return _ask_node(host, scene, plan[node], agents, seconds)

    asked = fan_out(hosts, work, limit=_ASKERS)
    found, lost = values(asked), errors(asked)
    answers = tuple(answer for each in found.values() for answer in each.answers)
    return FenceAnswers(
        (*answers, *_unasked(plan, lost)),
        {node: each.absent for node, each in found.items()},
        _distinct({node: each.identity for node, each in found.items()}),
        _boards(hosts, answers, seconds),
        tuple(_notices(scene, plan)),
    )


@dataclass(frozen=True)
class _OfNode:
    answers: tuple[FenceAnswer, ...]
    absent: tuple[str, ...]
    identity: NodeIdentity


def _questions(
    scene: FencingScene, node: str, agents: Mapping[str, Metadata]
) -> tuple[FenceQuestion, ...]:
    return tuple(
        question
        for device in scene.devices
        if node in places.runs_on(scene, device)
        and scene.is_used(device)
        and not asking.unaskable(device)
        for question in asking.questions(
            device,
            node,
            scene.nodes,
            agents.get(device.primitive.agent),
            naming=node == places.runs_on(scene, device)[0],
        )
    )


def _ask_node(
    host: Host,
    scene: FencingScene,
    questions: Sequence[FenceQuestion],
    agents: Mapping[str, Metadata],
    seconds: int,
) -> _OfNode:
    called = callers.programs(scene.configuration)
    own = [p for p in called if p.caller.startswith("fence_")]
    sections: dict[str, Section] = {}
    first: list[Step] = [*programs.observe(own), identity.observe_self()]
    for begin in range(0, max(len(questions), 1), _AT_ONCE):
        steps = [
            q.step(agents.get(q.device.primitive.agent), seconds)
            for q in questions[begin : begin + _AT_ONCE]
        ]
        sections |= host.ask([*first, *steps], side_by_side=True, seconds=seconds + _GRACE_SECONDS)
        first = []
    with understood("read what fence devices said", "run it again"):
        answers = tuple(asking.read(q, sections[q.name]) for q in questions)
        return _OfNode(
            answers, tuple(programs.parse(sections)), identity.read_self(sections["identity"])
        )


def _unasked(
    plan: Mapping[str, Sequence[FenceQuestion]], lost: Mapping[str, PacefabError]
) -> Iterator[FenceAnswer]:
    for node, error in lost.items():
        for question in plan[node]:
            yield FenceAnswer(question, None, said=f"{node} could not ask: {error.seen}")


def _boards(
    hosts: Mapping[str, Host], answers: Sequence[FenceAnswer], seconds: int
) -> dict[str, BoardWord]:
    """Return what boards say of themselves; one that gave no answer in time is not asked again."""
    late = {answer.question.device.id for answer in answers if answer.late or answer.absent}
    by_node: dict[str, list[Step]] = {}
    asked: set[str] = set()
    for answer in sorted(answers, key=lambda answer: not answer.ok):
        device = answer.question.device
        step = identity.observe_board(device, seconds)
        if step is not None and device.id not in asked | late:
            asked.add(device.id)
            by_node.setdefault(answer.question.asker, []).append(step)

    def work(node: str, steps: Sequence[Step]) -> dict[str, BoardWord]:
        limit = seconds + _GRACE_SECONDS
        sections = hosts[node].ask(steps, side_by_side=True, seconds=limit)
        return {
            step.name.partition(" ")[2]: identity.read_board(sections[step.name]) for step in steps
        }

    every = values(fan_out(by_node, work))
    return {device: word for found in every.values() for device, word in found.items()}


def _distinct(nodes: Mapping[str, NodeIdentity]) -> dict[str, NodeIdentity]:
    """Return the identities without what several nodes say: containers of one machine."""
    seen = [one for identity_ in nodes.values() for one in identity_.uuids]
    return {
        node: NodeIdentity(
            frozenset(one for one in own.uuids if seen.count(one) == 1), own.addresses
        )
        for node, own in nodes.items()
    }


def _notices(scene: FencingScene, plan: Mapping[str, Sequence[FenceQuestion]]) -> Iterator[str]:
    for device in scene.devices:
        if why := asking.unaskable(device):
            yield f"{device.id} is not asked: {why}"
    silent = [node for node in scene.members if node not in plan]
    if silent:
        yield f"not asked from {', '.join(silent)}: the cluster does not run there, or no answer"
