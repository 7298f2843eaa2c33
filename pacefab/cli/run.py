"""The hosts of one call of a task: those of -H, or of the inventory."""

from __future__ import annotations

import functools
import getpass
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from fabric import Connection
from invoke.context import Context

from pacefab import interrupts
from pacefab.cli.endings import written
from pacefab.cli.files import secrets_file
from pacefab.cli.naming import as_typed
from pacefab.cli.routes import given_user, route
from pacefab.cli.settings import read_settings
from pacefab.errors import UsageError
from pacefab.host.model import Outcome
from pacefab.report.text import Printer
from pacefab.transport.connection import Access, Host
from pacefab.transport.names import check_name

if TYPE_CHECKING:
    from pacefab.cli.inventory import ClusterInventory
    from pacefab.inventory.secret_values import SecretValues
    from pacefab.workflows.transaction.transaction import Transaction


class Run:
    """The hosts of one call of a task, and how to reach others of their cluster.

    Those of -H; without it the nodes of the inventory, which is in `inventory_file`.
    """

    def __init__(
        self,
        context: Context,
        access: Access,
        inventory_file: Path | None,
        secrets_file: str | None,
    ) -> None:
        self.printer = Printer(spelled=as_typed)
        self._given: dict[str, Connection] = {}
        self._context = context
        self.settings = read_settings(context.config)
        self._access = access
        self.inventory_file = inventory_file
        self.inventory_option: str | None = None
        self._secrets_file = secrets_file
        self.left_out: tuple[str, ...] = ()  # of the cluster, by the names of its nodes
        self._reached: dict[str, Host] = {}
        self.wait: int | None = None  # seconds for another user's change; None: as usual

    def add(self, context: Context) -> None:
        """Take a host of -H in; the same one named twice is one host."""
        if isinstance(context, Connection):
            self._given.setdefault(context.original_host, context)

    @functools.cached_property
    def inventory(self) -> ClusterInventory | None:
        """The inventory, if there is one.

        Raises:
            UsageError: it cannot be used.
        """
        if self.inventory_file is None:
            return None
        from pacefab.cli.inventory import read_inventory  # takes 0.1 s

        return read_inventory(self.inventory_file)

    @functools.cached_property
    def _secrets(self) -> SecretValues:
        from pacefab.inventory.secret_values import SecretValues  # takes 0.1 s

        ask = self._ask_secret if sys.stdin.isatty() else None
        file = secrets_file(self._secrets_file, self.inventory_file)
        return SecretValues(os.environ, file, ask)

    def _ask_secret(self, prompt: str) -> str:
        with interrupts.at_once(), self.printer.aside():
            return getpass.getpass(prompt)

    @property
    def manages_firewall(self) -> bool:
        """Whether open ports are ours to manage: only where an inventory says so."""
        return self.inventory is not None and self.inventory.firewall != "unmanaged"

    @property
    def client_networks(self) -> tuple[str, ...]:
        """The networks whose clients firewalls let in, where they are ours to manage."""
        firewall = self.inventory.firewall if self.inventory else "unmanaged"
        return () if isinstance(firewall, str) else firewall.clients

    def gather(self, secrets: Iterable[str]) -> None:
        """Get secrets by their names, those that nothing gives from a prompt, if there is one.

        Raises:
            UsageError: some cannot be had; all of them are named.
        """
        self._secrets.gather(secrets)

    def secret(self, name: str) -> str:
        """Return a secret by its name. Same errors as `gather`."""
        return self._secrets.get(name)

    @functools.cached_property
    def hosts(self) -> dict[str, Host]:
        """The members by name, in the order given, without those that are left out."""
        nodes = self.inventory.nodes if self.inventory else ()
        names = self._given or [node.name for node in nodes]
        out = {*self.left_out, *(node.name for node in nodes if not node.member)}
        return {name: self._host(name) for name in names if name not in out}

    @property
    def remotes(self) -> dict[str, Host]:
        """The hosts of the inventory's remote nodes, whatever -H names, but for those left out."""
        nodes = self.inventory.remotes if self.inventory else ()
        names = (node.name for node in nodes)
        return {name: self.reach(name) for name in names if name not in self.left_out}

    @property
    def placed(self) -> dict[str, Host]:
        """The hosts of the remote nodes on which the inventory has services, as `remotes`."""
        names = self.inventory.remote_places if self.inventory else ()
        return {name: host for name, host in self.remotes.items() if name in names}

    def _host(self, name: str) -> Host:
        config = self._context.config
        connection = self._given.get(name) or Connection(name, user=self._user, config=config)
        section = self.inventory.ssh_config(name) if self.inventory else ""
        return route(self, connection, self.settings.ssh_config, section, self._access)

    @functools.cached_property
    def _user(self) -> str | None:
        """The user of -H user@host; for nodes that -H does not name too."""
        return next(filter(None, map(given_user, self._given.values())), None)

    @property
    def given(self) -> bool:
        """Whether -H named hosts."""
        return bool(self._given)

    def reach(self, name: str) -> Host:
        """Return a node of the cluster that was not named; no traffic yet."""
        check_name(name)
        known = self.hosts.get(name) or self._reached.get(name)
        return known or self._reached.setdefault(name, self._host(name))

    def transaction(self, task: str) -> Transaction:
        """Return what a task changes something by: under a lease, and noted on the nodes."""
        from pacefab.workflows.transaction.lease import WAIT_SECONDS
        from pacefab.workflows.transaction.transaction import Transaction

        return Transaction(task, WAIT_SECONDS if self.wait is None else self.wait, self.reach_rest)

    def reach_rest(self, name: str) -> Host | None:
        """Return a node of the cluster that was not named, unless it is left out; as `reach`."""
        return None if name in self.left_out else self.reach(name)

    def named(self) -> dict[str, Host]:
        """Return the hosts to work on; their sessions begin to open, for there is more to import.

        Raises:
            UsageError: there is none, a name is none, or the inventory cannot be used.
        """
        for name in self._given:  # before a way to them is looked for
            check_name(name)
        self._check_left_out()
        if not self.hosts:
            next_step = "give them: fab -H c1,c2,c3 …, or an inventory: --inventory FILE"
            raise UsageError("find the hosts", self._none(), next_step)
        for name in self.hosts:
            check_name(name)
        for host in islice(self.hosts.values(), self.limit):
            host.open_ahead()
        return self.hosts

    def everywhere(self) -> dict[str, Host]:
        """Return the hosts to work on, and those of remote nodes with services. As `named`."""
        return {**self.named(), **self.placed}

    def _none(self) -> str:
        """Return why there is no host to work on, though some were named."""
        nodes = self.inventory.nodes if self.inventory else ()
        roles = {node.name: node.role for node in nodes if not node.member}
        named = [f"{name} is a {roles[name]} node" for name in self._given if name in roles]
        return f"{', '.join(named)}, and this works on members" if named else "none was named"

    def _check_left_out(self) -> None:
        """Raise a UsageError where --without names what there is not, or all that there is."""
        known = {*self._given, *(n.name for n in (self.inventory.nodes if self.inventory else ()))}
        unknown = [n for n in self.left_out if self.inventory and n not in known]
        if unknown or (known and known <= set(self.left_out)):
            seen = f"no host is called {unknown[0]}" if unknown else "no host would be left"
            raise UsageError(
                f"leave out {', '.join(self.left_out)}", seen, f"the hosts are: {', '.join(known)}"
            )

    def perform(self, step: str, work: Callable[[], Sequence[Outcome]]) -> int:
        """Do the work and print its summary; the exit status is 0 when all is as desired."""
        with self.printer.working(step, self.hosts):
            outcomes = work()
        self.printer.summary(outcomes)
        return 0 if all(outcome.mark.ok for outcome in outcomes) else 1

    def status_of(self, status: int) -> int:
        """Return the exit status of work that ended in `status`: a pipe's when nobody read of it.

        Raises:
            CommandError: what was said could not be written, for another reason.
        """
        return written(self.printer, status, "fab status shows how it is now")

    @property
    def limit(self) -> int:
        """How many hosts are worked on at a time."""
        return self.settings.parallel


def left_out(values: Iterable[str]) -> tuple[str, ...]:
    """Return the names that --without was given: once or several times, with commas between."""
    return tuple(filter(None, (name.strip() for value in values for name in value.split(","))))
