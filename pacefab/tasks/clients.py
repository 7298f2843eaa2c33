"""Clients of the cache: what the operator types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import not_with, only_with, shown
from pacefab.cli.reading.host_names import check_hosts
from pacefab.cli.run import Run
from pacefab.clients.formats import FORMATS
from pacefab.errors import RefusedError, UsageError
from pacefab.transport.connection import Host

if TYPE_CHECKING:
    from pacefab.clients.finding import Finding, Known


@cluster_task(
    values={"format": lambda: FORMATS},
    format=f"Only this one, as it goes into a file: {', '.join(FORMATS)}.",
    json="Print servers and all formats as JSON, for programs.",
    write="Edit these files of services, separated by commas, on the hosts of --on.",
    on="Hosts to write on, separated by commas; without it those of -H.",
    dry_run="Show what --write would change; change nothing.",
)
def client_config(
    run: Run,
    format: str | None = None,  # noqa: A002  # the option's name
    json: bool = False,
    write: str | None = None,
    on: str | None = None,
    dry_run: bool = False,
) -> int:
    """Print what clients need to survive a lost server.

    It comes from the live cluster.

    -H names nodes of the cluster. --write edits files of oslo.config (such as nova.conf and
    keystone.conf) in place: [cache], and [keystone_authtoken] where it is; comments and everything
    else stay. It prints what changed, and what has to be restarted for that.

    Example: fab -H c1,c2,c3 client-config --write /etc/nova/nova.conf --on compute1,compute2
    """
    if format is not None and format not in FORMATS:
        allowed = f"allowed: {', '.join(FORMATS)}"
        raise UsageError("read the options", f"--format {shown(format)}", allowed)
    if json:
        not_with("--json", {"--format": format})
    if write is not None:
        not_with("--write", {"--format": format, "--json": json})
        return _write(run, _editable(write), on, dry_run=dry_run)
    if on or dry_run:
        raise UsageError("read the options", "--on, --dry-run without --write", "say what to write")
    hosts = run.everywhere()
    from pacefab.report import clients
    from pacefab.workflows.clients import find_cluster

    cluster = find_cluster(hosts, run.reach, run.limit, run.placed)
    as_json = clients.render_config_json
    run.printer.lines([as_json(cluster)] if json else clients.render_config(cluster, format))
    return 0


def _editable(write: str) -> tuple[str, ...]:
    paths = _paths("--write", write)
    if any(path.endswith(".py") for path in paths):
        next_step = "put in what fab client-config --format django prints"
        raise UsageError("edit settings", f"{write}: Python is not edited", next_step)
    return paths


def _write(run: Run, paths: tuple[str, ...], on: str | None, *, dry_run: bool) -> int:
    named, hosts = run.everywhere(), _hosts(run, on)
    from pacefab.workflows.clients import WriteClients, find_cluster

    cluster = find_cluster(named, run.reach, run.limit, run.placed)
    work = WriteClients(cluster.servers, paths, dry_run, run.limit)
    return run.perform("client-config", lambda: work.run(hosts, run.printer))


@cluster_task(
    file="files",
    reads_only=True,
    files="Files to read, separated by commas: nova.conf and such, or Horizon's local_settings.py.",
    on="Hosts to read them on, separated by commas; without it those of -H.",
)
def check_clients(
    run: Run, files: str | None = None, on: str | None = None, json: bool = False
) -> int:
    """Check clients' configurations for a lost server.

    Says what would hurt when a server is lost. Changes nothing.

    With -H, the files are read on those hosts (or those of --on) and compared with the live
    cluster; without -H they are files of this machine, compared with each other. Exit 1 when
    something would hurt.

    Example: fab -H c1,c2,c3 check-clients /etc/nova/nova.conf,/etc/keystone/keystone.conf
    """
    paths = _paths("check-clients", files or "")
    only_with("--on", given=on is not None, needed="-H", there=run.given)
    from pacefab.clients.finding import Known
    from pacefab.report import clients
    from pacefab.workflows.clients import find_cluster, read_here, read_on_hosts

    if run.given:
        named, hosts = run.everywhere(), _hosts(run, on)
        cluster = find_cluster(named, run.reach, run.limit, run.placed)
        texts = read_on_hosts(hosts, paths, run.limit)
        findings = _check(texts, Known(cluster.servers, cluster.vips))
    else:
        texts = read_here(paths)
        findings = _check(texts, None)
    if json:
        run.printer.lines([clients.render_findings_json(findings, texts)])
    else:
        lines = clients.render_findings(findings, texts)
        run.printer.text(lines, clients.findings_style)
    return 1 if findings else 0


def _check(texts: Mapping[str, str], known: Known | None) -> list[Finding]:
    from pacefab.clients.check import check

    try:
        return check(texts, known)
    except ValueError as error:
        raise RefusedError("read the files", str(error), "correct that line, run again") from None


def _paths(option: str, text: str) -> tuple[str, ...]:
    paths = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not paths:
        raise UsageError("read the options", f"{option}: no file", "give paths: FILE,FILE")
    return paths


def _hosts(run: Run, on: str | None) -> dict[str, Host]:
    """Return the hosts of --on; without it those that the run has."""
    if on is None:
        return run.named()
    check_hosts("--on", on)
    return {name: run.reach(name) for name in on.split(",")}
