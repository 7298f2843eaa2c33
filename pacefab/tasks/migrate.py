"""Old scripts -> an inventory, and what became of every line of them: what the operator types."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
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

if TYPE_CHECKING:
    from pacefab.legacy.model import Migration
    from pacefab.pacemaker.model import Configuration

_QUERY = "on a node of the cluster: cibadmin --query > cib.xml"
_DIFFERENT = 2  # exit status of --check, as of plan


_TARGET = "inventory/migrated.yaml"


@task(
    auto_shortflags=False,
    iterable=["entry", "set_"],
    help={
        "from_": "The folder of bash scripts and ini files.",
        "ini": "An ini file in the place of the one of its name, or of one that is missing.",
        "to": "The inventory to write, or of several clusters their folder. "
        "Default: inventory/migrated.yaml.",
        "report": "A file for the account of every line, as JSON.",
        "check": "Compare only: a file with what cibadmin --query says on the scripts' cluster.",
        "entry": "A script that is started, with its arguments in quotes; repeatable, in order.",
        "set_": "NAME=VALUE: a variable of the environment of the scripts; repeatable.",
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
    check: str = "",
    entry: Sequence[str] | None = None,  # with another default, Invoke makes no list of them
    set_: Sequence[str] | None = None,
    plain: bool = False,
    force: bool = False,
) -> None:
    """Translate legacy bash scripts into an inventory.

    Nothing is executed.

    No host is contacted. With --check, exit code 0: the cluster is as the scripts say; 2: it is
    not.

    Example: pacefab migrate --from ~/openstack-ha --to inventory/openstack-ha.yaml
    """

    def work() -> int:
        check_flags(context.config, "migrate")
        _check_command_line(context, from_)
        folder, variables = Path(from_), Path(ini) if ini else None
        if check:
            others = {"--to": to != _TARGET and to, "--report": report, "--plain": plain}
            others |= {"--entry": bool(entry), "--set": bool(set_)}
            not_with("--check", others | {"--force": force})
            return _DIFFERENT if check_folder(folder, variables, Path(check)) else 0
        migrate_folder(
            folder, variables, Path(to), report, plain=plain, force=force,
            entries=[_started(one) for one in entry or ()], settings=_settings(set_ or ()),
        )  # fmt: skip
        return 0

    exit_with(work)


def migrate_folder(
    folder: Path,
    ini: Path | None,
    target: Path,
    report: str = "",
    *,
    plain: bool = False,
    force: bool = False,
    entries: Sequence[tuple[str, ...]] = (),
    settings: Mapping[str, str] | None = None,
) -> None:
    """Write the inventory of a folder of scripts, and its report; both are read back or shown.

    Raises:
        UsageError: something cannot be read or written, an inventory is there already, or the one
            written is not complete (the report says what is missing).
    """
    if target.exists() and not force:
        raise UsageError(f"write {target}", "it is there already",
                         "name another file with --to, or overwrite it with --force")  # fmt: skip
    if report:
        if Path(report).resolve() == target.resolve():
            raise UsageError(f"write {report}", "it is the inventory's file", "name another file")
        write_file(Path(report), b"")  # before the inventory is written
    done = _translate(
        folder, ini, target.stem, plain=plain, entries=entries, settings=settings or {}
    )
    from pacefab.cli.inventory import read_inventory
    from pacefab.report.migration import print_report, render_json

    targets = _targets(target, done)
    for file, text in targets.items():
        if file.exists() and not force:
            raise UsageError(
                f"write {file}", "it is there already", "name another folder, or use --force"
            )
        _write(file, text)
    if report:
        _write(Path(report), render_json(done))
    print_report(done, sys.stdout)
    Printer().lines([f"inventory: {file}" for file in targets])
    for file in targets:
        read_inventory(file)


def _targets(target: Path, done: Migration) -> dict[Path, str]:
    """Return files and texts: of several clusters one for each, in a folder of that name."""
    if len(done.inventories) < 2:  # noqa: PLR2004
        return {target: done.inventory}
    folder = target.with_suffix("")
    return {folder / f"{name}.yaml": text for name, text in done.inventories.items()}


def check_folder(folder: Path, ini: Path | None, cib: Path) -> int:
    """Compare a folder of scripts with the CIB of the cluster that they built; return how much.

    Args:
        folder: the scripts, as for a migration.
        ini: likewise.
        cib: what `cibadmin --query` printed on a node of that cluster.

    Raises:
        UsageError: something cannot be read.
    """
    live = _read_cib(cib)
    done = _translate(folder, ini)
    from pacefab.legacy.cluster.comparison import compare

    lines = compare(done.configuration, live)
    Printer().text(lines or ["the cluster is as the scripts say"])
    return len(lines)


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


def _started(text: str) -> tuple[str, ...]:
    """Return a script that is started and its arguments.

    Raises:
        UsageError: it is none, or has a quote without an end.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"--entry {text}", str(error), "quote as in a shell") from None
    if not words:
        raise UsageError("read --entry", "it names no script", "write --entry 'SCRIPT ARGUMENTS'")
    return words


def _settings(words: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE words as a mapping.

    Raises:
        UsageError: one is none.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--set {word}", "it is no NAME=VALUE", "write --set NAME=VALUE")
        found[name] = value
    return found


def _translate(
    folder: Path,
    ini: Path | None,
    name: str = "cluster",
    *,
    plain: bool = False,
    entries: Sequence[tuple[str, ...]] = (),
    settings: Mapping[str, str] | None = None,
) -> Migration:
    """Return the scripts' inventory and report.

    Raises:
        UsageError: something cannot be read, or the parser of bash is not installed.
    """
    try:
        from pacefab.legacy.interpreter.walkthrough import Start
        from pacefab.legacy.migrate import migrate as translate
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("tree_sitter"):
            raise
        raise UsageError(
            "read bash scripts",
            f"the Python package {error.name} is not installed",
            "pip install 'pacefab[migrate]'",
        ) from error
    start = Start(tuple(entries), settings or {})
    return translate(folder, ini, name, plain=plain, start=start)


def _read_cib(file: Path) -> Configuration:
    from pacefab.pacemaker.cib import parse
    from pacefab.pacemaker.configuration import read_configuration

    try:
        return read_configuration(parse(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"read {file}", error.strerror or str(error), _QUERY) from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise UsageError(f"read {file}", f"it is not a CIB: {error}", _QUERY) from error


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"write {file}", error.strerror or str(error), "name another file"
        ) from error
