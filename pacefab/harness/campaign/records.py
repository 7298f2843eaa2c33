"""What was done in a campaign and what came of it, step by step. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Record:
    """One step of a campaign.

    Args:
        step: its number; with the seed it repeats the step.
        kind: kills, faults, operators or lies.
        command: what was disturbed.
        how: the moment or the fault, in words.
        disturbed: whether the command was still running then.
        standing: where the cluster stood afterwards: old, new, mixed, other.
        named: whether status called a change unfinished.
        way: which run came next.
        ended: whether that run finished or undid the change.
        wrong: what should not be, a sentence each.
        leftovers: what was left behind in the end.
        seconds: how long the step took.
    """

    step: int
    kind: str
    command: str
    how: str = ""
    disturbed: bool = False
    standing: str = ""
    named: bool = False
    way: str = ""
    ended: bool = False
    wrong: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether something is as it should not be."""
        return bool(self.wrong or self.leftovers)


HEADING = (
    "kind", "command", "runs", "running", "old", "new", "mixed", "named", "ended", "wrong",
    "leftovers",
)  # fmt: skip


def rows(records: Iterable[Record]) -> list[list[str]]:
    """Return a row for each command of each kind, and the sum of all; `HEADING` says of what."""
    groups: dict[tuple[str, str], list[Record]] = {}
    every = list(records)
    for record in every:
        groups.setdefault((record.kind, record.command), []).append(record)
    found = [[kind, command, *_counts(some)] for (kind, command), some in groups.items()]
    return [*found, ["all", "", *_counts(every)]]


def _counts(records: list[Record]) -> list[str]:
    counts = [
        len(records),
        sum(r.disturbed for r in records),
        sum(r.standing == "old" for r in records),
        sum(r.standing == "new" for r in records),
        sum(r.standing in {"mixed", "other"} for r in records),
        sum(r.named for r in records),
        sum(r.ended for r in records),
        sum(bool(r.wrong) for r in records),
        sum(bool(r.leftovers) for r in records),
    ]
    return [str(count) for count in counts]


def as_data(seed: int, records: Iterable[Record]) -> dict[str, Any]:
    """Return everything as plain data, for programs."""
    every = list(records)
    table = [dict(zip(HEADING, row, strict=True)) for row in rows(every)]
    return {"seed": seed, "table": table, "steps": [asdict(record) for record in every]}


def complaints(seed: int, records: Iterable[Record]) -> list[str]:
    """Return a line for each thing that is wrong, with what repeats its step."""
    found = []
    for record in records:
        if record.failed:
            found.append(
                f"step {record.step} ({record.kind}, {record.command}, {record.how}): "
                f"repeat it with --seed {seed} --step {record.step}"
            )
            found += [f"    {line}" for line in (*record.wrong, *record.leftovers)]
    return found
