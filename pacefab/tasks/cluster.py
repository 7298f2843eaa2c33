"""The cluster as a whole: what the operator types."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from invoke.exceptions import Exit

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import number
from pacefab.cli.run import Run
from pacefab.errors import PacefabError, UsageError
from pacefab.report.screen import screen
from pacefab.report.text import render_error

if TYPE_CHECKING:
    from pacefab.workflows.checks.health import Health, Verdict

_FORMATS = ("text", "json", "classic", "prometheus")


@cluster_task(
    reads_only=True,
    values={"format": lambda: _FORMATS},
    json="Print the same as JSON, for programs; as --format json.",
    prometheus="Print metrics for a node_exporter's textfile collector; as --format prometheus.",
    format="text, json, prometheus, or classic: the resources alone, as `pcs resource` once did.",
    watch="Show it again and again, in place, until Ctrl-C.",
    interval="Seconds between two looks of --watch.",
)
def status(
    run: Run,
    json: bool = False,
    prometheus: bool = False,
    format: str = "text",  # noqa: A002  # its name
    watch: bool = False,
    interval: str = "2",
) -> int:
    """Show whether the cluster and its services are healthy.

    Resources, each node's memcached and a verdict. Exit 0 healthy, 1 degraded, 2 unknown.

    Harmless at any time. A node that Pacemaker calls Started and whose memcached does not answer
    another node is degraded. With --watch, the exit status is that of the last look.

    Example: fab -H c1,c2,c3 status
    """
    form = _form("json" if json else "prometheus" if prometheus else format)
    if watch:
        seconds = number("--interval", interval, least=1)
        return _watch(run, lambda: _look(run, form), seconds)
    lines, verdict = _look(run, form)
    from pacefab.workflows.checks.health import Verdict

    if form == "classic" and verdict is Verdict.UNKNOWN:  # its lines are resources
        raise Exit("\n".join(lines), code=int(verdict))
    run.printer.lines(lines)
    return int(verdict)


def _look(run: Run, form: str) -> tuple[list[str], Verdict]:
    """Return what there is to show, and the verdict."""
    hosts = run.named()
    from pacefab.workflows.checks.health import Verdict, examine

    try:
        found = examine(hosts, run.reach, run.limit, memcached_desired=_wants_memcached(run))
    except UsageError:
        raise
    except PacefabError as error:
        return _render_unknown(form, error), Verdict.UNKNOWN
    return _render(found, form), found.verdict


def _watch(run: Run, look: Callable[[], tuple[list[str], Verdict]], seconds: int) -> int:
    """Show each look in place of the one before; what was last seen stays on the terminal."""
    if not sys.stdout.isatty():
        next_step = "for programs: --json or --prometheus, as often as needed"
        raise UsageError("watch the cluster", "the output is no terminal", next_step)
    from pacefab.workflows.checks.health import Verdict

    lines: list[str] = []
    verdict = Verdict.UNKNOWN
    with contextlib.suppress(KeyboardInterrupt), screen() as show:
        while True:
            lines, verdict = look()
            show([*lines, "", f"{time.strftime('%X')}, every {seconds} s; Ctrl-C ends"])
            time.sleep(seconds)
    run.printer.lines(lines)
    return int(verdict)


def _form(name: str) -> str:
    if name not in _FORMATS:
        allowed = f"allowed: {', '.join(_FORMATS)}"
        raise UsageError("read the options", f"--format {name}", allowed)
    return name


def _wants_memcached(run: Run) -> bool:
    """Whether a cluster without memcached is not as desired: unless an inventory names others."""
    sections = run.inventory.sections if run.inventory else {}
    return not sections or "memcached" in sections


def _render(found: Health, form: str) -> list[str]:
    from pacefab.report import classic, health, prometheus

    if form == "json":
        return [health.render_json(found)]
    if form == "prometheus":
        return prometheus.render(found)
    if form == "classic":
        return classic.render(found.status, former_ids=True)
    return health.render_text(found)


def _render_unknown(form: str, error: PacefabError) -> list[str]:
    from pacefab.report import health, prometheus
    from pacefab.workflows.checks.health import Verdict

    if form == "json":
        return [health.render_unknown_json(error)]
    if form == "prometheus":
        return prometheus.render_unknown()
    return [f"{Verdict.UNKNOWN}: nobody could tell how the cluster is", *render_error(error)]
