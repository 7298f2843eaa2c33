"""Started is not serving: ask each node's memcached over the network, as its clients do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pacefab.services.memcached import probe
from pacefab.services.memcached.probe import Answer, Target
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.fleet import Fleet

Matrix = dict[str, dict[Target, Answer]]  # asking node -> target -> answer


def ask(fleet: Fleet, questions: Mapping[str, Sequence[Target]]) -> Matrix:
    """Let nodes ask targets, all at once.

    Raises:
        PacefabError: a node could not ask; that its targets do not answer is in the matrix.
    """

    def work(node: str, targets: Sequence[Target]) -> dict[Target, Answer]:
        sections = fleet.hosts[node].query(probe.observe(targets))
        return probe.parse(targets, sections)

    asked = fan_out(questions, work)
    for error in errors(asked).values():
        raise error
    return values(asked)


def ask_everyone_from_everyone(fleet: Fleet) -> Matrix:
    """Return the whole matrix: every node asks every target."""
    targets = fleet.targets()
    return ask(fleet, dict.fromkeys(fleet.views, targets))


def ask_from_neighbours(fleet: Fleet) -> dict[Target, tuple[str, Answer]]:
    """Ask each target once, from another node than its own.

    Returns the asking node and the answer; a target that no other node could ask is left out.
    """
    questions: dict[str, list[Target]] = {}
    nodes = list(fleet.views)
    for place, target in enumerate(fleet.targets()):
        others = [node for node in nodes if node != target.node]
        if len(fleet.membership.members) == 1:
            others = nodes
        if others:
            questions.setdefault(others[place % len(others)], []).append(target)
    matrix = ask(fleet, questions)
    return {t: (node, answer) for node, row in matrix.items() for t, answer in row.items()}
