"""A campaign: its steps, one after the other, each repeatable by its number and the seed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count, product
from typing import Final

from pacefab.harness.campaign import scenario, trials
from pacefab.harness.campaign.faults import CLOCKS, FAULTS
from pacefab.harness.campaign.lies import LIARS
from pacefab.harness.campaign.records import Record
from pacefab.harness.campaign.scenario import SECOND, CampaignCommand
from pacefab.harness.campaign.stage import Stage
from pacefab.harness.errors import HarnessError
from pacefab.harness.progress import note

_FAULTS_FROM: Final = 10_001
_OPERATORS_FROM: Final = 20_001
_LIES_FROM: Final = 30_001
OPERATORS_ROUNDS: Final = 10
Trial = Callable[[Stage, Record, random.Random], None]


@dataclass(frozen=True)
class CampaignStep:
    """What is done once: its number, what kind it is of, about which command, and how."""

    number: int
    kind: str
    command: str
    trial: Trial


@dataclass(frozen=True)
class CampaignOrder:
    """What a campaign is to do.

    Args:
        kills: how many runs are killed.
        faults: whether each fault happens to each node that means something.
        operators: whether two and three operators work at once.
        lies: whether nodes lie.
        commands: those whose runs are killed; none: all.
        seed: decides moments, nodes and what comes next.
        minutes: no step begins after these; 0: there is no limit.
        only: the number of the one step to do; 0: all.
    """

    kills: int = 0
    faults: bool = False
    operators: bool = False
    lies: bool = False
    commands: Sequence[CampaignCommand] = scenario.COMMANDS
    seed: int = 1
    minutes: float = 0
    only: int = 0

    def steps(self) -> list[CampaignStep]:
        """Return all steps, those of different kinds in turn."""
        kinds = [list(self._kills())]
        kinds += [list(_faults())] if self.faults or self.only else []
        kinds += [list(_operators())] if self.operators or self.only else []
        kinds += [list(_lies())] if self.lies or self.only else []
        placed = [(n / len(kind), k, step) for k, kind in enumerate(kinds)
                  for n, step in enumerate(kind)]  # fmt: skip
        every = [step for _, _, step in sorted(placed, key=lambda one: one[:2])]
        return [step for step in every if self.only in {0, step.number}]

    def _kills(self) -> Iterator[CampaignStep]:
        most = max(self.kills, self.only if self.only < _FAULTS_FROM else 0)
        for number in range(1, most + 1):
            command = self.commands[(number - 1) % len(self.commands)]
            yield CampaignStep(number, "kills", command.name, partial(trials.kill, command=command))


def _faults() -> Iterator[CampaignStep]:
    deploy = scenario.deploy(SECOND)
    numbers = count(_FAULTS_FROM)
    for what, role in product(FAULTS, trials.ROLES):
        act = partial(trials.fault, command=deploy, what=what, role=role)
        yield CampaignStep(next(numbers), "faults", f"deploy, {what}", act)
    for what in CLOCKS:
        yield CampaignStep(
            next(numbers), "faults", f"deploy, {what}", partial(trials.clock, what=what)
        )


def _operators() -> Iterator[CampaignStep]:
    for number in range(OPERATORS_ROUNDS):
        some = 2 + number % (scenario.OPERATORS_MOST - 1)
        act = partial(trials.operators, count=some)
        yield CampaignStep(_OPERATORS_FROM + number, "operators", f"{some} deploys", act)


def _lies() -> Iterator[CampaignStep]:
    for number, what in enumerate(LIARS):
        yield CampaignStep(_LIES_FROM + number, "lies", "deploy", partial(trials.lie, what=what))


def run(stage: Stage, order: CampaignOrder) -> Iterator[Record]:
    """Do the steps; yield what came of each. What goes wrong in one does not end the others.

    Raises:
        HarnessError: the cluster cannot be used any more.
    """
    until = time.monotonic() + order.minutes * 60 if order.minutes else float("inf")
    steps = order.steps()
    for done, step in enumerate(steps):
        if time.monotonic() >= until:
            note(f"{order.minutes:g} minutes are over: {done} of {len(steps)} steps done")
            return
        yield _do(stage, order.seed, step)


def _do(stage: Stage, seed: int, step: CampaignStep) -> Record:
    record = Record(step.number, step.kind, step.command)
    began = time.monotonic()
    try:
        step.trial(stage, record, random.Random(f"{seed}:{step.number}"))  # noqa: S311
    except HarnessError as error:
        record.wrong.append(" | ".join(str(error).splitlines()))
    record.seconds = round(time.monotonic() - began, 1)
    note(sentence(record))
    if record.failed:
        for line in (*record.wrong, *record.leftovers):
            note(f"          {line}")
        stage.recover()
    return record


def sentence(record: Record) -> str:
    """Return a step in a line."""
    stood = f"{record.standing or 'unknown'}{', named' * record.named}"
    verdict = "WRONG" if record.failed else "ok"
    return (
        f"{record.seconds:6.1f} s  {verdict}  {record.step} {record.command}: {record.how}; "
        f"{stood}; then {record.way or 'nothing'}"
    )
