"""Drills: what the operator types."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import not_with, number, write_file
from pacefab.cli.run import Run
from pacefab.drill.faults import FAULTS, Fault
from pacefab.errors import RefusedError, UsageError
from pacefab.tasks.asking import UNCHANGED, answer

if TYPE_CHECKING:
    from pacefab.inventory.objectives import Objectives
    from pacefab.workflows.rollout.desired import Intent


def _drilled() -> list[str]:
    """Return the services that have a client load."""
    from pacefab.services import registry
    from pacefab.services.service import no_load

    return [name for name in registry.names() if registry.service(name).load is not no_load]


@cluster_task(
    secrets=True,
    values={"kind": lambda: FAULTS, "service": _drilled},
    service="The service to break; by default memcached, or the first that an inventory has.",
    kind=f"The failure, or several, separated by commas: {', '.join(FAULTS)}.",
    all="Every kind that the cluster can have, on one node after the other.",
    node="The node to break; by default the promoted one, the last one, the one before it.",
    undo="Bring back whatever an earlier drill, cut off, left broken; break nothing.",
    yes_break="The cluster's name: break it without asking.",
    rate="Operations per second of the client load; by default the service's own.",
    hold="Seconds that a failure goes on once Pacemaker has answered it (moved what moves).",
    timeout="Seconds for the cluster to recover in.",
    report="Write the report to this file as an HTML page.",
    json="Write the report to this file as JSON.",
)
def drill(
    run: Run,
    service: str | None = None,
    kind: str | None = None,
    all: bool = False,  # noqa: A002
    node: str = "",
    undo: bool = False,
    yes_break: str | None = None,
    rate: str | None = None,
    hold: str = "5",
    timeout: str = "120",
    report: str | None = None,
    json: str | None = None,
) -> int:
    """Break a healthy cluster under load, see it recover.

    It shows what clients see, then repairs what was broken. Exit 0 or 1.

    The load runs from here: what clients of memcached, RabbitMQ or Redis do. What is broken is
    always undone, after Ctrl-C too; a node whose operator is gone undoes it by itself.

    Example: fab -H c1,c2,c3 drill --kind process --report drill.html
    """
    if undo:
        not_with("--undo", {"--kind": kind, "--all": all, "--node": node, "--report": report,
                            "--json": json, "--yes-break": yes_break})  # fmt: skip
        return _undo(run, _intent(run, service), number("--timeout", timeout, least=1))
    from pacefab.drill.drill import Drill
    from pacefab.report import drill as reported
    from pacefab.report import drill_page

    desired = Drill(
        _intent(run, service), _kinds(kind, every=all), node,
        None if rate is None else number("--rate", rate, least=1),
        number("--hold", hold, least=0), number("--timeout", timeout, least=1), _objectives(run),
        every=all, limit=run.limit, transaction=run.transaction("drill"),
    )  # fmt: skip
    hosts = run.named()
    for file in filter(None, (json, report)):  # minutes later would be too late to hear of it
        write_file(Path(file), b"")
    with run.printer.working("drill", hosts):
        found = desired.run(hosts, run.reach, run.printer, partial(_ask, run, yes_break))
    if json:
        write_file(Path(json), reported.render_json(found).encode())
    if report:
        write_file(Path(report), drill_page.render(reported.to_data(found)).encode())
    lines = reported.render_text(found, run.printer.width)
    run.printer.text(["", *lines], reported.style)
    return 0 if found.passed else 1


def _undo(run: Run, intent: Intent, seconds: int) -> int:
    from pacefab.drill.revert import Undo
    from pacefab.drill.scene import Scene
    from pacefab.report import drill as reported

    hosts = run.named()
    undoing = Undo(run.limit, run.transaction("drill-undo"))
    status = run.perform("drill-undo", lambda: undoing.run(hosts, run.reach, run.printer))
    with run.printer.working("drill-undo", hosts):
        reasons = Scene(hosts, run.reach, run.limit, intent).unhealthy(seconds)
    unhealthy = ["the cluster is NOT healthy:", *reasons, "next: fab status"]
    run.printer.text(unhealthy if reasons else ["the cluster is healthy"], reported.style)
    return 1 if reasons else status


def _intent(run: Run, name: str | None) -> Intent:
    """Return what is desired of the service that is broken.

    Raises:
        UsageError: there is no such service, or nothing says what it has.
    """
    from pacefab.pacemaker.model import Configuration, Membership
    from pacefab.services import registry
    from pacefab.workflows.rollout.desired import Intent

    sections, every = dict(run.inventory.sections if run.inventory else {}), _drilled()
    chosen = name or next((n for n in ("memcached", *sections) if n in sections and n in every), "")
    chosen = chosen or "memcached"
    if chosen not in every:
        allowed = f"give one of {', '.join(every)}"
        raise UsageError("read the options", f"--service {chosen}", allowed)
    section = sections.get(chosen, registry.service(chosen).default)
    if section is None:
        advice = "give an inventory that has it: --inventory FILE"
        raise UsageError("drill", f"nothing says what {chosen} has", advice)
    whole = {**sections, chosen: section}
    return Intent(Membership("", ()), whole, (chosen,), Configuration(), run.secret)


def _kinds(given: str | None, *, every: bool) -> tuple[Fault, ...]:
    names = [name.strip() for name in (given or "").split(",")]
    if every and given is None:
        return tuple(FAULTS.values())
    if not every and all(name in FAULTS for name in names):
        return tuple(FAULTS[name] for name in names)
    seen = "both --kind and --all" if every else f"--kind {given}" if given else "no --kind"
    allowed = f"give --kind with one of {', '.join(FAULTS)}, or --all, or --undo"
    raise UsageError("read the options", seen, allowed)


def _objectives(run: Run) -> Objectives:
    from pacefab.inventory.objectives import Objectives

    return run.inventory.objectives if run.inventory else Objectives()


def _ask(run: Run, yes_break: str | None, cluster: str, lines: Sequence[str]) -> None:
    """Return when the operator named the very cluster that would be broken.

    Raises:
        UsageError: there is nobody to ask.
        RefusedError: another name was given.
    """
    run.printer.lines(["drill would, and then undo:", *(f"    {line}" for line in lines), ""])
    question = f"type {cluster} to break it, and have that undone: "
    advice = f"{UNCHANGED}; agree beforehand: --yes-break {cluster}"
    said = yes_break or answer(run.printer, "drill", question, advice)
    if said != cluster:
        seen = f"the cluster is {cluster}, not {said or 'nothing'}"
        raise RefusedError("drill", seen, f"{UNCHANGED}; type the cluster's own name")
