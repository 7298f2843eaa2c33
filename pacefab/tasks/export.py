"""An inventory from a cluster that is there: what the operator types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pacefab.cli.cluster_task import cluster_task
from pacefab.cli.options import not_with, write_private
from pacefab.cli.run import Run
from pacefab.errors import PacefabError, RefusedError, UsageError
from pacefab.report.text import Printer
from pacefab.transport.connection import Host

if TYPE_CHECKING:
    from pacefab.export.draft import Source
    from pacefab.export.export import Exported
    from pacefab.pacemaker.cib import Cib
    from pacefab.pacemaker.model import Membership

_UNSAID = 2  # exit status where something could not be said
_QUERY = "on a node of the cluster: cibadmin --query > cib.xml"


@cluster_task(
    file="to",
    reads_only=True,
    to="The inventory to write.",
    cib="A file with what cibadmin --query says, in place of -H: no host is contacted.",
    corosync="With --cib: that cluster's corosync.conf, for names and addresses.",
    plain="Resources in Pacemaker's terms, services too.",
    force="Overwrite an inventory that is there.",
)
def export(
    run: Run,
    to: str = "inventory/exported.yaml",
    cib: str = "",
    corosync: str = "",
    plain: bool = False,
    force: bool = False,
) -> int:
    """Write the inventory of a cluster that is there.

    The cluster is only read: the first host that answers, and files of all nodes. Values of
    secrets are written nowhere: their names are. What an inventory cannot say is named, with its
    XML as a comment.

    Exit 0: all of it is said; 2: what is named is not.

    Example: fab -H c1,c2,c3 export --to inventory/found.yaml
    """
    target = Path(to)
    if target.exists() and not force:
        next_step = "name another file with --to, or overwrite it with --force"
        raise UsageError(f"write {target}", "it is there already", next_step)
    if cib:
        not_with("--cib", {"-H": run.given})
        source = _from_files(Path(cib), Path(corosync) if corosync else None)
    else:
        not_with("-H", {"--corosync": corosync})
        source = _from_hosts(run, plain=plain)
    return _write(replace(source, plain=plain), target, run.printer)


def _write(source: Source, target: Path, printer: Printer) -> int:
    """Write the inventory and say what is not in it; return the exit status."""
    from pacefab.export.export import export as exported

    try:
        done = exported(source, _header(source))
    except ValueError as error:
        raise UsageError(
            f"export {source.place}", str(error), "write the inventory by hand"
        ) from None
    write_private(target, done.text)
    printer.lines(_report(done, target))
    return _UNSAID if done.unsaid else 0


def _report(done: Exported, target: Path) -> list[str]:
    lines = [f"+ {target}"]
    if done.secrets:
        lines += ["secrets that it refers to, for --secrets or the environment:"]
        lines += [f"  {name}" for name in done.secrets]
    if done.unsaid:
        lines.append(f"not in the inventory, and left alone by it ({len(done.unsaid)}):")
    for unsaid in done.unsaid:
        lines += [f"  {' '.join(str(unsaid).split())}", f"    {' '.join(unsaid.xml.split())}"]
    file = f"--inventory {target}"
    return [*lines, f"next: look through {target}, then: fab adopt {file}; fab plan {file}"]


def _header(source: Source) -> str:
    return (
        f"Exported from {source.place}. Comments say where each part came from.\n"
        "\n"
        "  fab adopt --inventory FILE   # takes the cluster over; nothing starts or stops\n"
        "  fab plan  --inventory FILE   # says that there is nothing to do"
    )


def _from_files(cib: Path, corosync: Path | None) -> Source:
    """Return what two files say.

    Raises:
        UsageError: one cannot be read or is something else.
    """
    from pacefab.export.draft import Source
    from pacefab.pacemaker.cib import parse
    from pacefab.pacemaker.members import corosync as conf

    try:
        found = parse(_text(cib))
    except ValueError as error:
        raise UsageError(f"read {cib}", f"it is not a CIB: {error}", _QUERY) from error
    text = _text(corosync) if corosync else ""
    try:
        membership = conf.parse(text, {}) if text else None
    except ValueError as error:
        raise UsageError(f"read {corosync}", str(error), "see: man corosync.conf") from error
    return Source(found, text, membership, place=cib.name)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"read {file}", error.strerror or str(error), _QUERY) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"read {file}", "it is no UTF-8 text", _QUERY) from error


def _from_hosts(run: Run, *, plain: bool) -> Source:
    """Return what the first host says that can be asked, and what all nodes do of services.

    Raises:
        PacefabError: none could; all of them are named.
    """
    from pacefab.export.asking import with_nodes
    from pacefab.workflows.nodes.claims import none_answered

    failed: dict[str, PacefabError] = {}
    hosts = run.named()
    for name, host in hosts.items():
        try:
            source = _from_host(host)
        except PacefabError as error:
            failed[name] = error
            continue
        if plain:
            return source
        rest = {name: host for name, host in hosts.items() if name not in failed}
        return with_nodes(
            source, rest, run.limit, lambda n: None if n in failed else run.reach_rest(n)
        )
    raise none_answered(failed)


def _from_host(host: Host) -> Source:
    """Return what a node says of its cluster.

    Raises:
        PacefabError: the host cannot be reached or asked, or is in no cluster.
    """
    from pacefab.export.draft import Source
    from pacefab.pacemaker import cib_text, live
    from pacefab.pacemaker.members import live_membership

    steps = [*live_membership.observe_membership(), *cib_text.observe_configuration()]
    sections = host.observe(steps)
    membership: Membership | None = live_membership.read_membership(sections)
    if membership is None:
        raise RefusedError(
            "read the cluster",
            "there is no cluster in /etc/corosync/corosync.conf",
            "name a node of a running cluster",
            host=host.name,
        )
    found = live.read_cib(sections)
    agents = _agents(found)
    asked = host.observe(live.observe_metadata(agents)) if agents else {}
    metadata = {agent: known for agent in agents if (known := live.find_metadata(agent, asked))}
    return Source(found, sections["corosync"].out, membership, host.name, metadata)


def _agents(cib: Cib) -> tuple[str, ...]:
    every = [cib.agent(e) for e in cib.resources.iter("primitive", "template")]
    return tuple(dict.fromkeys(filter(None, every)))
