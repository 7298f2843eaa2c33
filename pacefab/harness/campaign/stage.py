"""The cluster of a campaign, and what it is known to be in each state."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pacefab.harness.campaign import judgement, looking, scenario
from pacefab.harness.campaign.operators import CampaignOperator, Ended
from pacefab.harness.campaign.records import Record
from pacefab.harness.campaign.scenario import FIRST, CampaignCommand
from pacefab.harness.campaign.snapshot import Snapshot
from pacefab.harness.cluster import Cluster
from pacefab.harness.errors import HarnessError


@dataclass
class Stage:
    """A cluster, an operator, and what was learned of states and commands.

    Args:
        cluster: where it happens.
        folder: has the inventories, and what the operator keeps.
        known: what the nodes are in each state.
        seconds: how long a command takes that nothing disturbs.
        at: the state that the cluster is known to be in; empty: unknown.
        seen: how it was looked at last, if nothing has run since.
        reported: leftovers that an earlier step left, and reported.
    """

    cluster: Cluster
    folder: Path
    known: dict[str, Snapshot] = field(default_factory=dict)
    seconds: dict[CampaignCommand, float] = field(default_factory=dict)
    at: str = ""
    seen: Snapshot | None = None
    reported: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Write the inventories."""
        scenario.write(self.cluster, self.folder)
        self.operator = CampaignOperator(self.cluster, self.folder)

    def learn(self, commands: Iterable[CampaignCommand]) -> None:
        """Run each command with nothing in its way, and look at what it leads to.

        Raises:
            HarnessError: one of them fails even so.
        """
        if FIRST not in self.known:
            # Once there and back: what only a first deploy leaves is no part of the state.
            for command in (*scenario.way_to(scenario.SECOND), *scenario.way_to(FIRST)):
                self._must(command)
            self.known[FIRST] = self.rest_and_look()
        for command in commands:
            if command in self.seconds:
                continue
            self.go(command.begins, afresh=command.name == scenario.ROLLBACK)
            if command.begins not in self.known:  # no command that was learned leads there
                self.known[command.begins] = self.rest_and_look()
            self.seconds[command] = self._must(command).seconds
            now = self.rest_and_look()
            self.known.setdefault(command.ends, now)

    def go(self, state: str, *, afresh: bool = False) -> None:
        """Bring the cluster to a state; `afresh`: by the last command that leads to it.

        Raises:
            HarnessError: a command on the way there fails.
        """
        way = scenario.way_to(state)
        done = [n for n, command in enumerate(way) if command.ends == self.at]
        if done and not (afresh and done[-1] == len(way) - 1):
            way = way[done[-1] + 1 :]
        for command in way:
            self._must(command)

    def _must(self, command: CampaignCommand) -> Ended:
        ended, self.seen = self.operator.run(command.words(self.folder)), None
        if ended.status:
            self.at = ""
            raise HarnessError(f"{command.name} fails with nothing in its way", seen=ended.said)
        self.at = command.ends
        return ended

    def rest_and_look(self, nodes: Sequence[str] = ()) -> Snapshot:
        """Wait until the nodes are at rest, then look at them. Raises `HarnessError`."""
        looking.await_rest(self.cluster, nodes)
        return looking.look(self.cluster, nodes)

    def begin(self, command: CampaignCommand, record: Record) -> tuple[Snapshot, Snapshot]:
        """Bring the cluster to where a command begins; return that, and what it leads to.

        Raises:
            HarnessError: it does not get there.
        """
        self.learn([command])
        self.go(command.begins, afresh=command.name == scenario.ROLLBACK)
        old, self.seen = self.seen or self.rest_and_look(), None
        known = self.known[command.begins]
        record.wrong += [f"before it: {line}" for line in judgement.wrongs(old, known)]
        if record.wrong:  # the step is about what comes now
            self.known[command.begins] = old
        return old, self.known[command.ends]

    def unfinished(self, record: Record, nodes: Sequence[str] = ()) -> list[str]:
        """Return the tasks of the changes that status calls unfinished, asked through nodes."""
        inventory = str(self.folder / f"{FIRST}.yaml")
        ended = self.operator.run(["status", "--json", "--inventory", inventory], nodes)
        text = ended.said
        try:
            data = json.loads(text[text.index("{") : text.rindex("}") + 1])
            return [str(entry["task"]) for entry in data.get("unfinished", ())]
        except (ValueError, KeyError, TypeError):
            record.wrong.append(f"status cannot be read: {ended.last}")
            return []

    def follow(
        self, record: Record, command: CampaignCommand, old: Snapshot, new: Snapshot
    ) -> None:
        """Run what is to follow a command that was cut off (`record.way`), and look at the end.

        Raises:
            HarnessError: the run does not end.
        """
        words, state, desired = {
            "again": (command.words(self.folder), command.ends, new),
            "rollback": (
                scenario.undoing(command.inventory, "", "").words(self.folder), command.begins, old,
            ),
            "deploy": (
                scenario.deploy(scenario.SECOND).words(self.folder), command.begins, old,
            ),
            "nothing": ([], command.ends, new),
        }[record.way]  # fmt: skip
        self.at = ""
        wrong = len(record.wrong)
        if words:
            ended = self.operator.run(words)
            record.wrong += ended.defects()
            if ended.status:
                record.wrong.append(
                    f"the next run ({words[0]}) ended with {ended.status}: {ended.last}"
                )
        now = self.rest_and_look()
        record.wrong += [f"after it: {line}" for line in judgement.wrongs(now, desired)]
        record.wrong += [f"after it, unfinished: {task}" for task in self.unfinished(record)]
        left = [*judgement.leftovers(now, self.known[command.begins]), *self.operator.leftovers()]
        record.leftovers += [line for line in left if line not in self.reported]
        self.reported.update(left)
        if len(record.wrong) == wrong:
            record.ended = True
            self.at, self.seen = state, now

    def recover(self) -> None:
        """Make the cluster usable again after something went wrong; its states are learned anew.

        Raises:
            HarnessError: it cannot be reset.
        """
        self.at, self.seen = "", None
        self.operator.run(scenario.undoing(FIRST, "", "").words(self.folder))
        if self.operator.run(scenario.deploy(FIRST).words(self.folder)).status == 0:
            found = judgement.wrongs(self.rest_and_look(), self.known.get(FIRST, {}))
            if FIRST in self.known and not found:
                self.at = FIRST
                return
        self.cluster.reset()
        self.known.clear()
        self.seconds.clear()
