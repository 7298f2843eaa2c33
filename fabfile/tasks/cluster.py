"""The cluster as a whole: what the operator types."""

from __future__ import annotations

from fabfile.deploy.health import Verdict, examine
from fabfile.errors import PacefabError, UsageError
from fabfile.report import health
from fabfile.report.text import render_error
from fabfile.tasks.collect import Run, cluster_task


@cluster_task(json="Print the same as JSON, for programs.")
def status(run: Run, json: bool = False) -> int:
    """Show resources, each node's memcached and a verdict. Exit 0 healthy, 1 degraded, 2 unknown.

    Harmless at any time. A node that Pacemaker calls Started and whose memcached does not answer
    another node is degraded.

    Example: fab -H c1,c2,c3 status
    """
    try:
        found = examine(run.named(), run.reach, run.limit)
    except UsageError:
        raise
    except PacefabError as error:
        lines = [f"{Verdict.UNKNOWN}: nobody could tell how the cluster is", *render_error(error)]
        run.printer.lines([health.render_unknown_json(error)] if json else lines)
        return int(Verdict.UNKNOWN)
    run.printer.lines([health.render_json(found)] if json else health.render_text(found))
    return int(found.verdict)
