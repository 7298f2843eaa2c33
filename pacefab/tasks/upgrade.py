"""From one release of the distribution to the next: what the operator types."""

from __future__ import annotations

from pathlib import Path

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import check_writable, not_with, number, write_file
from pacefab.cli.run import Run
from pacefab.errors import UsageError
from pacefab.tasks.asking import Operator
from pacefab.tasks.patch import NODE, UNTIL, patch_nodes
from pacefab.tasks.stack import roll_out
from pacefab.tasks.verifying import JUNIT


def _releases() -> list[str]:
    from pacefab.workflows.upgrade import known_releases

    return known_releases.names()


@cluster_task(
    values={"to": _releases},
    check="Look whether the cluster can go; nothing is changed.",
    fix="Write the cluster's configuration for the next Pacemaker: shown, asked, applied.",
    to="Codename of the release to go to; by default the one after that of the oldest node.",
    json="With --check: print what was found as JSON, for programs.",
    junit=f"With --check: {JUNIT[0].lower()}{JUNIT[1:]}",
    packages_only="Bring every package to its newest version within the release, as patch does.",
    node=f"With --packages-only: {NODE[0].lower()}{NODE[1:]}",
    until=f"With --packages-only: {UNTIL}",
    timeout="With --fix and --packages-only: seconds for the cluster to follow.",
)
def upgrade(
    run: Run,
    check: bool = False,
    fix: bool = False,
    packages_only: bool = False,
    node: str | None = None,
    until: str | None = None,
    to: str | None = None,
    json: bool = False,
    junit: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    allow_interruption: bool = False,
    timeout: str = "300",
) -> int:
    """Look whether a cluster can go to the next release.

    With --check nothing is changed: nodes say what they have, the configuration is compared with
    what the next Pacemaker reads, and each finding has its way out. Exit 0: it can go; 1: not yet.

    With --fix the findings that are about the cluster's configuration are fixed as one change. With
    --packages-only nodes stay in their release: see patch.

    Example: fab -H c1,c2,c3 upgrade --check
    """
    modes = {"--check": check, "--fix": fix, "--packages-only": packages_only}
    given = [name for name, on in modes.items() if on]
    if len(given) != 1:
        seen = " and ".join(given) or f"none of {', '.join(modes)}"
        raise UsageError("read the options", seen, "give one of them; --check changes nothing")
    if not packages_only:
        not_with(given[0], {"--node": node, "--until": until})
    if not check:
        not_with(given[0], {"--json": json, "--junit": junit, "--to": to})
    if packages_only:
        return patch_nodes(
            run, node, until, timeout, "120",
            allow_interruption=allow_interruption, dry_run=dry_run, yes=yes,
        )  # fmt: skip
    if fix:
        seconds = number("--timeout", timeout, least=1)
        return _fix(run, Operator(run.printer, yes=yes), seconds, dry_run, allow_interruption)
    not_with("--check", {"--yes": yes, "--allow-interruption": allow_interruption})
    return _check(run, to, json, junit)


def _check(run: Run, to: str | None, json: bool, junit: str | None) -> int:
    if junit:
        check_writable(Path(junit))
    hosts = run.named()
    from pacefab.report import verification
    from pacefab.report.upgrade import forms
    from pacefab.workflows.upgrade.check import check

    sections = run.inventory.sections if run.inventory else None
    with run.printer.looking("upgrade", hosts):
        found = check(hosts, run.reach, run.limit, sections, to)
    if json:
        run.printer.lines([forms.render_json(found)])
    else:
        run.printer.text(forms.render_text(found, run.printer.width), forms.style)
    if junit:
        write_file(Path(junit), verification.render_junit(found))
    return 1 if found.failed else 0


def _fix(run: Run, operator: Operator, seconds: int, dry_run: bool, interrupts: bool) -> int:
    run.named()  # they are reached while the rest is imported
    from pacefab.workflows.rollout.rollout import Rollout
    from pacefab.workflows.upgrade.repairs import Repairs

    flow = Rollout(
        Repairs(),
        step="upgrade",
        allow_interruption=interrupts,
        timeout=seconds,
        limit=run.limit,
        reach=run.reach_rest,
        transaction=run.transaction("upgrade"),
    )
    return roll_out(run, flow, operator, dry_run=dry_run)
