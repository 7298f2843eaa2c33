"""The cluster as a whole: what the operator types."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.exceptions import Exit

from pacefab import interrupts
from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import (
    check_writable,
    not_with,
    number,
    only_with,
    shown,
    write_file,
)
from pacefab.cli.run import Run
from pacefab.errors import PacefabError, UsageError
from pacefab.report.screen import screen
from pacefab.report.text import Printer

if TYPE_CHECKING:
    from pacefab.workflows.checks.health import Health

_FORMATS = ("text", "json", "classic", "prometheus")


@cluster_task(
    reads_only=True,
    values={"format": lambda: _FORMATS},
    json="Print the same as JSON, for programs; as --format json.",
    prometheus="Print metrics for a node_exporter's textfile collector; as --format prometheus.",
    format="text, json, prometheus, or classic: the resources alone, as `pcs resource` once did.",
    watch="Show it again and again, in place, until Ctrl-C.",
    interval="Seconds between two looks of --watch. Default: 2.",
    html="Write a page to this file too: what runs where, figures, what is wrong.",
)
def status(
    run: Run,
    json: bool = False,
    prometheus: bool = False,
    format: str = "text",  # noqa: A002  # its name
    watch: bool = False,
    interval: str | None = None,
    html: str | None = None,
) -> int:
    """Show whether the cluster and its services are healthy.

    Resources, nodes, every service by its own answers, a verdict. Exit 0 healthy, 1 degraded, 2
    unknown.

    Harmless at any time. The services are the inventory's, else those that the cluster shows. What
    Pacemaker calls Started and does not answer is degraded. With --watch, the exit status is that
    of the last look.

    Example: fab -H c1,c2,c3 status
    """
    form = _form(format, json=json, prometheus=prometheus)
    only_with("--interval", given=interval is not None, needed="--watch", there=watch)
    if html:
        not_with("--html", {"--watch": watch})
        check_writable(Path(html))
    if watch:
        return _watch(run, form, number("--interval", interval or "2", least=1))
    with run.printer.looking("status", run.everywhere()):
        found = _look(run)
    if html:
        write_file(Path(html), _page(found).encode())
    lines = _render(found, form, run.printer.width)
    if form == "classic" and isinstance(found, PacefabError):  # its lines are resources
        raise Exit("\n".join(run.printer.render(lines)), code=_status_of(found))
    _print(run.printer, lines, form)
    return _status_of(found)


def _look(run: Run) -> Health | PacefabError:
    """Return the cluster's health, or why it is unknown."""
    hosts = run.everywhere()
    from pacefab.workflows.checks.health import examine

    try:
        inventory = run.inventory.membership() if run.inventory else None
        return examine(hosts, run.reach, run.limit, _sections(run), inventory, tuple(run.placed))
    except UsageError:
        raise
    except PacefabError as error:
        return error


def _page(found: Health | PacefabError) -> str:
    """Return the page of a look that was just taken."""
    from pacefab.report.pages import status as page

    now = datetime.now(UTC)
    if isinstance(found, PacefabError):
        return page.render_unknown(found, now)
    return page.render(found, now)


def _status_of(found: Health | PacefabError) -> int:
    """Return the exit status, which is the verdict's."""
    from pacefab.workflows.checks.health import Verdict

    return int(Verdict.UNKNOWN if isinstance(found, PacefabError) else found.verdict)


def _watch(run: Run, form: str, seconds: int) -> int:
    """Show each look in place of the previous one; what was last seen stays on the terminal."""
    if not run.printer.stream.isatty():
        next_step = "for programs: --json or --prometheus, as often as needed"
        raise UsageError("watch the cluster", "the output is no terminal", next_step)
    from pacefab.report.health import style

    found: Health | PacefabError | None = None
    try:
        with screen(run.printer, style) as show:
            while True:
                found = _look(run)
                lines = _render(found, form, run.printer.width, watched=True)
                show([f"{time.strftime('%X')}, every {seconds} s; Ctrl-C ends", *lines])
                time.sleep(seconds)
    except KeyboardInterrupt as stop:
        if found is None or interrupts.status(stop) != interrupts.CTRL_C:
            raise
    _print(run.printer, _render(found, form, run.printer.width), form)
    return _status_of(found)


def _print(printer: Printer, lines: list[str], form: str) -> None:
    from pacefab.report.health import style

    if form == "text":
        printer.text(lines, style)
    else:
        printer.lines(lines)


def _form(name: str, *, json: bool, prometheus: bool) -> str:
    """Return the one form that was asked for, by --format or by an option of its own."""
    if name not in _FORMATS:
        allowed = f"allowed: {', '.join(_FORMATS)}"
        raise UsageError("read the options", f"--format {shown(name)}", allowed)
    chosen = "json" if json else "prometheus" if prometheus else name
    other = {f"--format {name}": name not in {"text", chosen}}
    not_with(f"--{chosen}", other | {"--prometheus": json and prometheus})
    return chosen


def _sections(run: Run) -> Mapping[str, Any] | None:
    """Return the settings of the inventory's services; None where no inventory names one."""
    return (run.inventory.sections or None) if run.inventory else None


def _render(
    found: Health | PacefabError, form: str, width: int | None, *, watched: bool = False
) -> list[str]:
    """Return the lines of a form; what is `watched` begins with the verdict."""
    from pacefab.report import classic, health, prometheus

    if isinstance(found, PacefabError):
        return _render_unknown(found, form, watched=watched)
    if form == "json":
        return [health.render_json(found)]
    if form == "prometheus":
        return prometheus.render(found)
    if form == "classic":
        devices = classic.render_devices(found.devices)
        return [*classic.render(found.status, former_ids=True), *devices]
    return health.render_text(found, width, watched=watched)


def _render_unknown(error: PacefabError, form: str, *, watched: bool) -> list[str]:
    from pacefab.report import health, prometheus

    if form == "json":
        return [health.render_unknown_json(error)]
    if form == "prometheus":
        return prometheus.render_unknown()
    return health.render_unknown(error, watched=watched)
