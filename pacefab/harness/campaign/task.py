"""`invoke campaign`: what anyone can run to see what a change survives."""

from __future__ import annotations

import json as format_of_json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from pacefab.cli.options import check_writable, number
from pacefab.harness.errors import HarnessUsageError, one_of
from pacefab.harness.tasks import IMAGE_HELP, errors_as_text
from pacefab.interrupts import CTRL_C

if TYPE_CHECKING:
    from pacefab.harness.campaign.records import Record
    from pacefab.harness.campaign.scenario import CampaignCommand
    from pacefab.harness.cluster import Cluster

_WIDTH = 100


@task(
    help={
        "kills": "how many runs are killed (SIGKILL), each at a random moment",
        "faults": "faults of nodes in the middle of a deploy: each for the node that is named "
        "first, the DC and another one",
        "operators": "two and three operators at once, ten rounds",
        "lies": "nodes that answer with something else than the truth",
        "commands": "the commands whose runs are killed, separated by commas (default: all)",
        "minutes": "begin no step after so many minutes (default: no limit)",
        "seed": "decides moments, nodes, and what comes next",
        "step": "do this one step only, as the number that a campaign printed",
        "json": "write every step there",
        "name": "a running cluster to use, which is reset (default: one of its own)",
    }
    | IMAGE_HELP
)
def campaign(
    _: Context,
    kills: str = "20",
    faults: bool = False,
    operators: bool = False,
    lies: bool = False,
    commands: str = "",
    minutes: str = "0",
    seed: str = "1",
    step: str = "0",
    json: str = "",
    name: str = "",
    image: str = "auto",
) -> None:
    """Disturb changes of a cluster in every way, and look at what is left.

    After each: files and configuration are old or new on all nodes, or status calls the change
    unfinished; the next run finishes or undoes it; nothing is left behind. Exit 1 when that is not
    so, each time with what repeats the step.

    Example: invoke campaign --kills 100 --faults --operators --lies
    """
    with errors_as_text():
        from pacefab.harness.campaign.campaign import CampaignOrder, run  # noqa: PLC0415
        from pacefab.harness.campaign.stage import Stage  # noqa: PLC0415

        order = CampaignOrder(
            number("--kills", kills, least=0), faults, operators, lies, _chosen(commands),
            number("--seed", seed, least=0), number("--minutes", minutes, least=0),
            number("--step", step, least=0),
        )  # fmt: skip
        if json:
            check_writable(Path(json))
        with TemporaryDirectory() as folder, _cluster(name, image) as cluster:
            records, ended = _done(run(Stage(cluster, Path(folder)), order))
    from pacefab.harness.campaign import records as results  # noqa: PLC0415
    from pacefab.report.table import table  # noqa: PLC0415

    print("\n".join(["", *table(results.HEADING, results.rows(records), _WIDTH)]))
    if json:
        data = results.as_data(order.seed, records)
        Path(json).write_text(format_of_json.dumps(data, indent=2) + "\n")
    if wrong := results.complaints(order.seed, records):
        raise Exit("\n".join(["", *wrong]), code=1)
    if not ended:
        raise Exit("interrupted", code=CTRL_C)


def _done(steps: Iterator[Record]) -> tuple[list[Record], bool]:
    """Return what came of all steps, and whether they ended: what an interruption left counts."""
    records: list[Record] = []
    try:
        for record in steps:
            records.append(record)  # noqa: PERF402  # an interruption leaves what was done
    except KeyboardInterrupt:
        return records, False
    return records, True


def _chosen(names: str) -> list[CampaignCommand]:
    """Return the commands of these names. Raises `HarnessUsageError`."""
    from pacefab.harness.campaign.scenario import COMMANDS, chosen  # noqa: PLC0415

    try:
        return chosen([name.strip() for name in names.split(",") if name.strip()])
    except ValueError as error:
        known = dict.fromkeys(command.name for command in COMMANDS)
        raise HarnessUsageError(
            f"no command {error} in a campaign", next_step=one_of(str(error), known)
        ) from None


@contextmanager
def _cluster(name: str, image: str) -> Iterator[Cluster]:
    """Yield a cluster of the campaign's own, or one that runs, as it was formed."""
    from pacefab.harness.cluster import Cluster  # noqa: PLC0415
    from pacefab.harness.place import unique_name  # noqa: PLC0415

    if not name:
        with Cluster.start(unique_name("campaign"), image=image) as own:
            yield own
        return
    cluster = Cluster.load(name)
    cluster.reset()
    try:
        yield cluster
    finally:
        cluster.reset()
