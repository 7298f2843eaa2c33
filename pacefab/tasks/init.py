"""The files that somebody begins with: what the operator types."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from fabric import Connection
from invoke.context import Context
from invoke.tasks import task

from pacefab.cli.endings import exit_with, written
from pacefab.cli.files import USUAL_INVENTORIES
from pacefab.cli.flags import check_flags
from pacefab.cli.options import not_with
from pacefab.cli.reading.host_names import check_host
from pacefab.cli.traits import TRAITS, Traits
from pacefab.errors import RefusedError, UsageError
from pacefab.report.text import Printer

if TYPE_CHECKING:
    from pacefab.pacemaker.model import Membership

_IGNORED = "# Secrets are for the nodes, not for Git.\n*.secrets.yaml\n"


def _directory_follows() -> bool:
    """Whether this command line has a directory right behind the task.

    Invoke insists on every value that has a place; so there is one only when it is given.
    """
    return any(
        word.rpartition(".")[2] == "init" and not following.startswith("-")
        for word, following in pairwise(sys.argv)
    )


@task(
    auto_shortflags=False,
    positional=["directory"] if _directory_follows() else [],
    help={
        "directory": "Where to begin, made if need be. Default: the current one.",
        "from_cluster": "A node of a running cluster, [USER@]HOST[:PORT]: its cluster's name and "
        "nodes are filled in; it is only read. -H HOST does the same.",
        "accept_new_host_keys": "Trust a host never met before and note its key.",
    },
)
def init(
    context: Context,
    directory: str | None = None,
    from_cluster: str | None = None,
    accept_new_host_keys: bool = False,
) -> None:
    """Write an inventory to begin with.

    Also its schema for editors, and a .gitignore for secrets.

    A file that is there already is left as it is; so this can be repeated.

    Example: pacefab init --from-cluster root@c1
    """

    def work() -> int:
        check_flags(context.config, "init")
        connection = _connection(context, from_cluster)
        start = _Start(Path(directory or "."))
        if connection and start.inventory.exists():
            raise UsageError(
                f"write {start.inventory}",
                "it is there already and was left as it is; no host was contacted",
                "move it away, or name another directory: pacefab init DIRECTORY",
            )
        printer = Printer()
        start.write(_text(connection, accept_new_host_keys=accept_new_host_keys), printer)
        return written(printer, 0)

    exit_with(work)


TRAITS["init"] = Traits(file="directory")


@dataclass(frozen=True)
class _Start:
    """A directory that begins to be one of a cluster."""

    directory: Path

    @property
    def inventory(self) -> Path:
        """The inventory that the tasks find here; where there is none, the one to write."""
        if self.directory.name == USUAL_INVENTORIES[0].parent.name:
            return self.directory / USUAL_INVENTORIES[0].name
        usual = [self.directory / name for name in USUAL_INVENTORIES]
        return next((file for file in usual if file.exists()), usual[0])

    def write(self, inventory: str, printer: Printer) -> None:
        """Write what is missing, and say of each file what became of it.

        Raises:
            UsageError: a file cannot be written, or the inventory is not complete.
        """
        from pacefab.cli.inventory import read_inventory, render_schema

        folder = self.inventory.parent
        new = _write(self.inventory, inventory, printer)
        _write(folder / "schema.json", render_schema(), printer)
        _write(folder / ".gitignore", _IGNORED, printer)
        if new:
            read_inventory(self.inventory)
            file = "" if self.directory == Path() else f" --inventory {self.inventory}"
            printer.lines([f"next: look through {self.inventory}, then: pacefab plan{file}"])


def _write(file: Path, text: str, printer: Printer) -> bool:
    """Write a file unless there is one, and say so; return whether it is new."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            same = file.read_text(encoding="utf-8", errors="replace") == text
            differs = "" if same else ", and it differs"
            printer.lines([f"= {file}  is there already: left as it is{differs}"])
            return False
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(
            f"write {file}", error.strerror or str(error), "name another directory"
        ) from error
    printer.lines([f"+ {file}"])
    return True


def _connection(context: Context, from_cluster: str | None) -> Connection | None:
    """Return the way to the node whose cluster is to be read, if one was named."""
    if from_cluster is None:
        return context if isinstance(context, Connection) else None
    if isinstance(context, Connection):
        not_with("--from-cluster", {f"-H {context.original_host}": True})
    check_host("--from-cluster", from_cluster)
    from pacefab.cli.routes import named

    return named(from_cluster, context.config)


def _text(connection: Connection | None, *, accept_new_host_keys: bool) -> str:
    """Return the inventory to begin with. Raises a PacefabError when no cluster can be read."""
    from pacefab.cli.routes import given_port, given_user
    from pacefab.report import starter
    from pacefab.services.offers import names

    if connection is None:
        return starter.render_inventory(starter.EXAMPLE, names())
    return starter.render_inventory(
        _membership(connection, accept_new_host_keys=accept_new_host_keys),
        names(),
        source=connection.original_host,
        user=given_user(connection),
        port=given_port(connection),
    )


def _membership(connection: Connection, *, accept_new_host_keys: bool) -> Membership:
    """Return the cluster of a node.

    Raises:
        PacefabError: the host cannot be reached or asked, or is in no cluster.
    """
    from pacefab.cli.routes import route
    from pacefab.cli.settings import read_settings
    from pacefab.pacemaker import cib_text
    from pacefab.pacemaker.members import live_membership
    from pacefab.transport.connection import Access

    access = Access(accept_new_host_keys, connection.config.sudo.password)
    host = route(connection, connection, read_settings(connection.config).ssh_config, "", access)
    steps = [*live_membership.observe_membership(), *cib_text.observe_configuration()]
    found = live_membership.read_membership(host.observe(steps))
    if found is None:
        raise RefusedError(
            "read the cluster",
            "there is no cluster in /etc/corosync/corosync.conf",
            "name a node of a running cluster, or run pacefab init without one",
            host=host.name,
        )
    return found
