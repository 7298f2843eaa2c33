"""The cluster as a whole: what the operator types."""

from __future__ import annotations

from invoke.exceptions import Exit

from fabfile.deploy.health import Health, Verdict, examine
from fabfile.errors import PacefabError, UsageError
from fabfile.report import classic, health
from fabfile.report.text import render_error
from fabfile.tasks.collect import Run, cluster_task

_FORMATS = ("text", "json", "classic")


@cluster_task(
    json="Print the same as JSON, for programs; as --format json.",
    format="text, json, or classic: the resources alone, as `pcs resource` once showed them.",
)
def status(run: Run, json: bool = False, format: str = "text") -> int:  # noqa: A002  # its name
    """Show resources, each node's memcached and a verdict. Exit 0 healthy, 1 degraded, 2 unknown.

    Harmless at any time. A node that Pacemaker calls Started and whose memcached does not answer
    another node is degraded.

    Example: fab -H c1,c2,c3 status
    """
    form = _form("json" if json else format)
    try:
        found = examine(run.named(), run.reach, run.limit, memcached_wanted=_wants_memcached(run))
    except UsageError:
        raise
    except PacefabError as error:
        return _tell_unknown(run, form, error)
    run.printer.lines(_render(found, form))
    return int(found.verdict)


def _form(name: str) -> str:
    if name not in _FORMATS:
        allowed = f"allowed: {', '.join(_FORMATS)}"
        raise UsageError("read the options", f"--format {name}", allowed)
    return name


def _wants_memcached(run: Run) -> bool:
    """Whether a cluster without memcached is not as wanted: unless an inventory names others."""
    sections = run.inventory.sections if run.inventory else {}
    return not sections or "memcached" in sections


def _render(found: Health, form: str) -> list[str]:
    if form == "json":
        return [health.render_json(found)]
    if form == "classic":
        return classic.render(found.status, former_ids=True)
    return health.render_text(found)


def _tell_unknown(run: Run, form: str, error: PacefabError) -> int:
    lines = [f"{Verdict.UNKNOWN}: nobody could tell how the cluster is", *render_error(error)]
    if form == "classic":  # its lines are resources; this goes to stderr
        raise Exit("\n".join(lines), code=int(Verdict.UNKNOWN))
    run.printer.lines([health.render_unknown_json(error)] if form == "json" else lines)
    return int(Verdict.UNKNOWN)
