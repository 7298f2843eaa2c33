"""One step of a campaign: something is changed, is disturbed, and is looked at."""

from __future__ import annotations

import random
from collections.abc import Sequence

from pacefab.harness.campaign import judgement, scenario
from pacefab.harness.campaign.faults import CLOCKS, FAULTS, NodeFault, happening
from pacefab.harness.campaign.judgement import StateKind
from pacefab.harness.campaign.lies import LIARS, lying
from pacefab.harness.campaign.operators import Ended
from pacefab.harness.campaign.records import Record
from pacefab.harness.campaign.scenario import FIRST, SECOND, CampaignCommand
from pacefab.harness.campaign.snapshot import Snapshot
from pacefab.harness.campaign.stage import Stage

ROLES = ("first", "DC", "other")
"""Which node a fault happens to: the one named first, the DC, or one that is neither."""
_SOONEST = 0.1  # s: no run has begun anything by then
_LATEST = 1.05  # of a run's own time
_REFUSED = "holds the cluster"


def kill(stage: Stage, record: Record, rng: random.Random, command: CampaignCommand) -> None:
    """Kill a run at a random moment; then finish or undo what it began.

    Errors of `Stage`.
    """
    old, new = stage.begin(command, record)
    moment = rng.uniform(_SOONEST, stage.seconds[command] * _LATEST)
    record.how = f"killed after {moment:.2f} s of {stage.seconds[command]:.2f} s"
    ended = stage.operator.start(command.words(stage.folder)).kill_after(moment)
    record.disturbed = ended.killed
    if not ended.killed:
        record.wrong += _said(ended)
    _judge(stage, record, ended, old, new)
    _follow(stage, record, rng, command, old, new)


def _said(ended: Ended) -> list[str]:
    """Return what is wrong about a run that nothing disturbed."""
    failed = [f"it ended with {ended.status}: {ended.last}"] if ended.status else []
    return ended.defects() + failed


def _judge(
    stage: Stage,
    record: Record,
    ended: Ended,
    old: Snapshot,
    new: Snapshot,
    nodes: Sequence[str] = (),
) -> None:
    """Note where the nodes stand by now, and whether that may be."""
    now = stage.rest_and_look(nodes)
    found = judgement.judge(now, old, new)
    record.standing = found.standing
    record.named = bool(stage.unfinished(record, nodes))
    if not judgement.acceptable(found, named=record.named):
        record.wrong += [f"neither old nor new, and not named: {line}" for line in found.why]
    if ended.status == 0 and found.standing is not StateKind.NEW:
        why = "; ".join(found.why) or found.standing
        record.wrong.append(f"it ended with 0, and is not what it should be: {why}")


def _follow(
    stage: Stage,
    record: Record,
    rng: random.Random,
    command: CampaignCommand,
    old: Snapshot,
    new: Snapshot,
) -> None:
    """Choose what comes next, and run it."""
    way = rng.choice(command.ways)
    if not record.named:
        way = "nothing" if record.standing == StateKind.NEW else "again"
    record.way = way
    stage.follow(record, command, old, new)


def fault(
    stage: Stage, record: Record, rng: random.Random, command: CampaignCommand, what: str, role: str
) -> None:
    """Let something happen to a node while a command runs; then take it back, and go on.

    Errors of `Stage`.
    """
    old, new = stage.begin(command, record)
    hosts = rng.sample(stage.cluster.nodes, len(stage.cluster.nodes))
    node = _node(stage, hosts, role)
    moment = rng.uniform(_SOONEST, stage.seconds[command])
    record.how = f"{what}: {role} node {node} after {moment:.2f} s of {stage.seconds[command]:.2f}"
    run = stage.operator.start(command.words(stage.folder), hosts)
    record.disturbed = run.sleep(moment)
    happened: NodeFault = FAULTS[what]
    others = [name for name in hosts if name != node] if happened.lost else hosts
    with happening(stage.cluster, node, happened) as impossible:
        if impossible:
            record.how += f" (not caused: {impossible})"
        ended = run.ended()
        record.how += f", ended with {ended.status} after {ended.seconds:.0f} s"
        record.wrong += ended.defects()
        _judge(stage, record, ended, old, new, others)
    stage.cluster.wait_formed()
    record.named = bool(stage.unfinished(record))
    if not record.named and record.standing == StateKind.NEW:
        # A node that was lost may lack it: one run more brings it up to date.
        record.way = "again"
        stage.follow(record, command, old, new)
        return
    _follow(stage, record, rng, command, old, new)


def _node(stage: Stage, hosts: Sequence[str], role: str) -> str:
    """Return the node of a role; where the first one is the DC, it is both."""
    if role == "first":
        return hosts[0]
    monitor = "crmadmin --dc_lookup 2>/dev/null | sed 's/.* //'"
    dc = stage.cluster.run(hosts[0], monitor, check=False).stdout.strip()
    if role == "DC" and dc in hosts:
        return dc
    return next(name for name in reversed(hosts) if name != dc)


def clock(stage: Stage, record: Record, rng: random.Random, what: str) -> None:
    """Kill a run of an operator whose clock is wrong; one whose clock is right goes on.

    Errors of `Stage`.
    """
    command = scenario.deploy(SECOND)
    old, new = stage.begin(command, record)
    moment = rng.uniform(_SOONEST, stage.seconds[command] * _LATEST)
    record.how = f"{what}, killed after {moment:.2f} s"
    words = command.words(stage.folder)
    ended = stage.operator.start(words, clock=CLOCKS[what]).kill_after(moment)
    record.disturbed = ended.killed
    _judge(stage, record, ended, old, new)
    _follow(stage, record, rng, command, old, new)


def operators(stage: Stage, record: Record, rng: random.Random, count: int) -> None:
    """Have operators deploy something else each, at once; one of them has it in the end.

    Errors of `Stage`.
    """
    commands = [scenario.deploy(f"operator{number}") for number in range(count)]
    stage.learn(commands)
    stage.go(FIRST)
    runs = []
    for command in rng.sample(commands, count):
        words = [*command.words(stage.folder), "--wait", "300"]
        runs.append((command, stage.operator.start(words)))
        runs[-1][1].sleep(rng.uniform(0, 0.5))
    ended = {command.ends: run.ended() for command, run in runs}
    record.disturbed, stage.at, stage.seen = True, "", None
    record.how = f"{count} at once, ended with {[one.status for one in ended.values()]}"
    now = stage.rest_and_look()
    for state, one in ended.items():
        record.wrong += one.defects()
        if one.status and _REFUSED not in one.said:
            record.wrong.append(f"{state} ended with {one.status}: {one.last}")
    whose = [s for s, one in ended.items() if not judgement.wrongs(now, stage.known[s])]
    if not whose or ended[whose[0]].status:
        record.wrong += judgement.wrongs(now, stage.known[commands[-1].ends])
        record.wrong.append(f"it is nobody's state who ended with 0: {whose or 'no operator'}")
    record.standing = "new" if whose else "mixed"
    record.named = bool(stage.unfinished(record))
    command = commands[int(whose[0][-1])] if whose else commands[0]
    record.way = "nothing" if whose else "again"
    stage.follow(record, command, stage.known[FIRST], stage.known[command.ends])


def lie(stage: Stage, record: Record, rng: random.Random, what: str) -> None:
    """Have a node lie while a deploy runs, at any moment of it.

    Errors of `Stage`.
    """
    command = scenario.deploy(SECOND)
    old, new = stage.begin(command, record)
    node, moment = rng.choice(stage.cluster.nodes), rng.uniform(0, stage.seconds[command])
    record.how = f"{node} prints {what}, after {moment:.2f} s"
    run = stage.operator.start(command.words(stage.folder))
    record.disturbed = run.sleep(moment)
    with lying(stage.cluster, node, *LIARS[what]):
        ended = run.ended()
    record.wrong += ended.defects()
    _judge(stage, record, ended, old, new)
    _follow(stage, record, rng, command, old, new)
