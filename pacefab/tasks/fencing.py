"""Whether nodes can be fenced: what the operator types."""

from __future__ import annotations

from pathlib import Path

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import check_writable, not_with, number, write_file
from pacefab.cli.run import Run
from pacefab.tasks.verifying import JUNIT


@cluster_task(
    reads_only=True,
    junit=JUNIT,
    json="Print the checks as JSON, for programs.",
    prometheus="Print metrics for a node_exporter's textfile collector.",
    timeout="Seconds for each question to a fence device.",
)
def verify_fencing(
    run: Run,
    json: bool = False,
    prometheus: bool = False,
    junit: str | None = None,
    timeout: str = "20",
) -> int:
    """Check that nodes can be fenced; harmless at any time.

    As far as reading can say: each device is asked from each node that may run it, with what the
    cluster's configuration says; nothing is switched. Whom it would switch is compared where node
    and board say who they are.

    What only a real fencing shows is said with the date of the last one of each node, which the
    nodes note. A failure comes with its likely cause.

    Example: fab -H c1,c2,c3 verify-fencing
    """
    not_with("--json", {"--prometheus": json and prometheus})
    seconds = number("--timeout", timeout, least=1)
    if junit:
        check_writable(Path(junit))
    hosts = run.named()
    from pacefab.report import verification
    from pacefab.report.fencing import forms, metrics
    from pacefab.workflows.checks.fencing import verify

    with run.printer.looking("verify-fencing", hosts):
        found = verify(hosts, run.reach, run.limit, seconds)
    if json:
        run.printer.lines([forms.render_json(found)])
    elif prometheus:
        run.printer.lines(metrics.render_prometheus(found))
    else:
        run.printer.text(forms.render_text(found, run.printer.width), verification.style)
    if junit:
        write_file(Path(junit), verification.render_junit(found))
    return 1 if found.failed else 0
