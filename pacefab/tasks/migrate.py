"""Old scripts -> an inventory, and what became of every line of them: what the operator types."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fabric import Connection
from invoke.context import Context
from invoke.tasks import task

from pacefab.cli.endings import exit_with
from pacefab.cli.flags import check_flags
from pacefab.cli.options import not_with, write_file
from pacefab.errors import UsageError
from pacefab.report.text import Printer
from pacefab.tasks.scripts import (
    Scripts,
    hosts_of,
    read_given,
    settings,
    started,
    write_asked,
    write_text,
)

if TYPE_CHECKING:
    from pacefab.legacy.answers.reading import AnswersFile
    from pacefab.legacy.model import Migration
    from pacefab.pacemaker.model import Configuration

_QUERY = "on a node of the cluster: cibadmin --query > cib.xml"
_DIFFERENT = 2  # exit status of --check, as of plan


_TARGET = "inventory/migrated.yaml"


@task(
    auto_shortflags=False,
    iterable=["entry", "set_", "on"],
    help={
        "from_": "The folder of bash scripts and ini files.",
        "ini": "An ini file in the place of the one of its name, or of one that is missing.",
        "to": "The inventory to write, or of several clusters their folder. "
        "Default: inventory/migrated.yaml.",
        "report": "A file for the account of every line, as JSON.",
        "html": "A file for the account as a page: each script with what became of its lines.",
        "check": "Compare only: a file with what cibadmin --query says on the scripts' cluster.",
        "answers": "A YAML file with all that no script says: written with what is asked, then "
        "read with your answers.",
        "entry": "A script that is started, with its arguments in quotes; repeatable, in order.",
        "set_": "NAME=VALUE: a variable of the environment of the scripts; repeatable.",
        "on": "HOST=SCRIPT: the script ran on that host; repeatable.",
        "plain": "Plain resources in place of services: to adopt a running cluster unchanged.",
        "force": "Overwrite an inventory that is there.",
    },
)
def migrate(
    context: Context,
    from_: str = "",
    to: str = _TARGET,
    ini: str = "",
    report: str = "",
    html: str = "",
    check: str = "",
    answers: str = "",
    entry: Sequence[str] | None = None,  # with another default, Invoke makes no list of them
    set_: Sequence[str] | None = None,
    on: Sequence[str] | None = None,
    plain: bool = False,
    force: bool = False,
) -> None:
    """Translate legacy bash scripts into an inventory.

    Nothing is executed.

    No host is contacted. With --check, exit code 0: the cluster is as the scripts say; 2: it is
    not.

    What no script says, such as arguments, is asked in the file of --answers: fill in what you
    know, and run the same command again.

    Example: pacefab migrate --from ~/openstack-ha --answers answers.yaml --to inventory/os.yaml
    """

    def work() -> int:
        check_flags(context.config, "migrate")
        _check_command_line(context, from_)
        scripts = Scripts(
            Path(from_), Path(ini) if ini else None, [started(one) for one in entry or ()],
            settings(set_ or ()), hosts_of(on or ()), Path(answers) if answers else None,
        )  # fmt: skip
        if check:
            others = {"--to": to != _TARGET and to, "--report": report, "--html": html}
            not_with("--check", others | {"--plain": plain, "--force": force})
            return _DIFFERENT if check_folder(scripts, Path(check)) else 0
        migrate_folder(scripts, Path(to), report, html, plain=plain, force=force)
        return 0

    exit_with(work)


def migrate_folder(
    scripts: Scripts,
    target: Path,
    report: str = "",
    html: str = "",
    *,
    plain: bool = False,
    force: bool = False,
) -> None:
    """Write the inventory of a folder of scripts, and its report; both are read back or shown.

    Raises:
        UsageError: something cannot be read or written, an inventory is there already, or the one
            written is not complete (the report says what is missing).
    """
    if target.exists() and not force:
        raise UsageError(f"write {target}", "it is there already",
                         "name another file with --to, or overwrite it with --force")  # fmt: skip
    given = read_given(scripts.answers)
    _claim({"--report": report, "--html": html}, target, scripts.answers)
    done = _translate(scripts, given, target.stem, plain=plain)
    from pacefab.cli.inventory import read_inventory
    from pacefab.report.migration import print_report, render_json
    from pacefab.report.pages import migration as page

    targets = _targets(target, done)
    for file, text in targets.items():
        if file.exists() and not force:
            raise UsageError(
                f"write {file}", "it is there already", "name another folder, or use --force"
            )
        write_text(file, text)
    if report:
        write_text(Path(report), render_json(done))
    if html:
        write_text(Path(html), page.render(done, str(scripts.folder)))
    print_report(done, sys.stdout, str(scripts.answers or ""))
    Printer().lines([f"inventory: {file}" for file in targets])
    if scripts.answers is not None:
        write_asked(scripts.answers, scripts.folder, done, given)
    for file in targets:
        read_inventory(file)


def _claim(reports: Mapping[str, str], target: Path, answers: Path | None) -> None:
    """Write empty reports, before the inventory is written: each into a file of its own."""
    taken = {target.resolve(): "the inventory's file"}
    if answers is not None:
        if answers.resolve() in taken:
            raise UsageError(f"write {answers}", "it is the inventory's file", "name another file")
        taken[answers.resolve()] = "the file of --answers"
    for option, name in reports.items():
        if not name:
            continue
        file = Path(name)
        if file.resolve() in taken:
            raise UsageError(f"write {name}", f"it is {taken[file.resolve()]}", "name another file")
        taken[file.resolve()] = f"the file of {option}"
        write_file(file, b"")


def _targets(target: Path, done: Migration) -> dict[Path, str]:
    """Return files and texts: of several clusters one for each, in a folder of that name."""
    if len(done.inventories) < 2:  # noqa: PLR2004
        return {target: done.inventory}
    folder = target.with_suffix("")
    return {folder / f"{name}.yaml": text for name, text in done.inventories.items()}


def check_folder(scripts: Scripts, cib: Path) -> int:
    """Compare a folder of scripts with the CIB of a cluster that they built; return how much.

    Of several clusters the one with most of the CIB's nodes is compared.

    Args:
        scripts: as for a migration.
        cib: what `cibadmin --query` printed on a node of that cluster.

    Raises:
        UsageError: something cannot be read, or no cluster of the scripts has a node of the CIB.
    """
    live, nodes = _read_cib(cib)
    given = read_given(scripts.answers)
    if scripts.answers is not None and given is None:
        raise UsageError(f"read {scripts.answers}", "it is not there", "migrate without --check")
    done = _translate(scripts, given)
    from pacefab.legacy.cluster.comparison import compare

    name = _same_cluster(done, nodes, cib)
    lines = compare(done.clusters[name].configuration, live)
    said = [f"compared with the cluster {name}"] if len(done.clusters) > 1 else []
    Printer().text([*said, *(lines or ["the cluster is as the scripts say"])])
    return len(lines)


def _same_cluster(done: Migration, nodes: AbstractSet[str], cib: Path) -> str:
    """Return the name of the scripts' cluster that has most of some nodes."""
    if len(done.clusters) == 1:
        return next(iter(done.clusters))
    name, made = max(done.clusters.items(), key=lambda item: len(item[1].nodes & nodes))
    if not made.nodes & nodes:
        shown = "; ".join(f"{n}: {', '.join(sorted(c.nodes))}" for n, c in done.clusters.items())
        raise UsageError(
            f"compare {cib}",
            f"its nodes ({', '.join(sorted(nodes)) or 'none'}) are of no cluster of the scripts "
            f"({shown})",
            "query a node of one of these",
        )
    return name


def _check_command_line(context: Context, folder: str) -> None:
    """Refuse -H, which nothing would come of, and a command without scripts."""
    if isinstance(context, Connection):
        raise UsageError(
            "migrate scripts",
            f"-H {context.original_host}: migrate reads files on this machine and contacts no host",
            "leave -H out",
        )
    if not folder:
        raise UsageError(
            "migrate scripts", "no folder of scripts was named", "name it: migrate --from FOLDER"
        )


def _translate(
    scripts: Scripts, given: AnswersFile | None, name: str = "cluster", *, plain: bool = False
) -> Migration:
    """Return the scripts' inventory and report.

    Raises:
        UsageError: something cannot be read, or the parser of bash is not installed.
    """
    try:
        from pacefab.legacy.migrate import migrate as translate
        from pacefab.legacy.questions import Start, StartedScript
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("tree_sitter"):
            raise
        raise UsageError(
            "read bash scripts",
            f"the Python package {error.name} is not installed",
            "pip install 'pacefab[migrate]'",
        ) from error
    answered = given.start if given else Start()
    entries = tuple(StartedScript(one[0], one[1:]) for one in scripts.entries)
    start = replace(
        answered,
        entries=entries or answered.entries,
        settings={**answered.settings, **scripts.settings},
        hosts=scripts.hosts,
    )
    return translate(scripts.folder, scripts.ini, name, plain=plain, start=start, answers=given)


def _read_cib(file: Path) -> tuple[Configuration, set[str]]:
    """Return what a CIB says, and the names of its nodes."""
    from pacefab.pacemaker.cib import parse
    from pacefab.pacemaker.configuration import read_configuration

    try:
        cib = parse(file.read_text(encoding="utf-8"))
        nodes = {node.get("uname", "") for node in cib.root.iterfind("configuration/nodes/node")}
        return read_configuration(cib), nodes
    except OSError as error:
        raise UsageError(f"read {file}", error.strerror or str(error), _QUERY) from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise UsageError(f"read {file}", f"it is not a CIB: {error}", _QUERY) from error
