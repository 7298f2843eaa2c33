"""What `migrate` does: read scripts, write an inventory, report what became of each line."""

from __future__ import annotations

import sys
from pathlib import Path

from pacefab.cli.inventory import read_inventory
from pacefab.errors import UsageError
from pacefab.legacy.cluster.comparison import compare
from pacefab.legacy.migrate import migrate
from pacefab.pacemaker.cib import parse
from pacefab.pacemaker.configuration import read_configuration
from pacefab.report.migration import print_report, render_json

_QUERY = "on a node of the cluster: cibadmin --query > cib.xml"


def migrate_folder(
    folder: Path,
    ini: Path | None,
    target: Path,
    report: str = "",
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
    done = migrate(folder, ini, target.stem, plain=plain)
    _write(target, done.inventory)
    if report:
        _write(Path(report), render_json(done))
    print_report(done, sys.stdout)
    sys.stdout.write(f"inventory: {target}\n")
    read_inventory(target)


def check_folder(folder: Path, ini: Path | None, cib: Path) -> int:
    """Compare a folder of scripts with the CIB of the cluster that they built; return how much.

    Args:
        folder: the scripts, as for a migration.
        ini: likewise.
        cib: what `cibadmin --query` printed on a node of that cluster.

    Raises:
        UsageError: something cannot be read.
    """
    try:
        live = read_configuration(parse(cib.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"read {cib}", error.strerror or str(error), _QUERY) from error
    except ValueError as error:  # UnicodeDecodeError is one
        raise UsageError(f"read {cib}", f"it is not a CIB: {error}", _QUERY) from error
    lines = compare(migrate(folder, ini).configuration, live)
    for line in lines or ["the cluster is as the scripts say"]:
        sys.stdout.write(f"{line}\n")
    return len(lines)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"write {file}", error.strerror or str(error), "name another file"
        ) from error
