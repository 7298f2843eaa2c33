"""One run over all hosts of -H, or of the inventory.

Fabric turns `fab -H a,b,c task` into three calls, one after the other, and stops at the first that
fails. So the body of a task only notes its host and its options; Fabric then calls the task's post
task once, and that does the work, with every host, at once.
"""

from __future__ import annotations

import functools
import getpass
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fabric import Connection, task
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from pacefab.cli.options import HELP
from pacefab.cli.routes import given_user, route
from pacefab.errors import CommandError, PacefabError, UsageError
from pacefab.host.model import Outcome
from pacefab.report.text import Printer, render_error
from pacefab.transport.connection import Access, Host, check_name

if TYPE_CHECKING:
    from pacefab.cli.inventory import ClusterInventory
    from pacefab.inventory.secret_values import SecretValues

_INTERRUPTED = 130  # 128 + SIGINT, as shells say it
_UNREAD = 141  # 128 + SIGPIPE


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
        self.printer = Printer()
        self._given: dict[str, Connection] = {}
        self._context = context
        self._access = access
        self.inventory_file = inventory_file
        self._secrets_file = secrets_file

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

        ask = getpass.getpass if sys.stdin.isatty() else None
        file = _secrets_file(self._secrets_file, self.inventory_file)
        return SecretValues(os.environ, file, ask)

    @property
    def manages_firewall(self) -> bool:
        """Whether open ports are ours to manage: only where an inventory says so."""
        return self.inventory is not None and self.inventory.firewall == "managed"

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
        """The hosts by name, in the order given."""
        nodes = self.inventory.nodes if self.inventory else ()
        return {name: self._host(name) for name in self._given or [node.name for node in nodes]}

    def _host(self, name: str) -> Host:
        config = self._context.config
        connection = self._given.get(name) or Connection(name, user=self._user, config=config)
        section = self.inventory.ssh_config(name) if self.inventory else ""
        return route(connection, section, self._access)

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
        return self.hosts.get(name) or self._host(name)

    def named(self) -> dict[str, Host]:
        """Return the hosts to work on; their sessions begin to open, for there is more to import.

        Raises:
            UsageError: there is none, a name is none, or the inventory cannot be used.
        """
        if not self.hosts:
            next_step = "give them: fab -H c1,c2,c3 …, or an inventory: --inventory FILE"
            raise UsageError("find the hosts", "none was named", next_step)
        for name in self.hosts:
            check_name(name)
        for host in islice(self.hosts.values(), self.limit):
            host.open_ahead()
        return self.hosts

    def carry_out(self, step: str, work: Callable[[], Sequence[Outcome]]) -> int:
        """Do the work and print its summary; the exit status is 0 when all is as wanted."""
        with self.printer.working(step, self.hosts):
            outcomes = work()
        self.printer.summary(outcomes)
        return 0 if all(outcome.mark.ok for outcome in outcomes) else 1

    def told(self, status: int) -> int:
        """Return the exit status of work that ended in `status`: a pipe's when nobody read of it.

        Raises:
            CommandError: what was said could not be written, for another reason.
        """
        lost = self.printer.lost
        if lost is None or isinstance(lost, BrokenPipeError):
            return status if lost is None else _UNREAD
        next_step = "make room; the work itself went on to its end: fab status shows how it is now"
        raise CommandError("write to the output", lost.strerror or str(lost), next_step)

    @property
    def limit(self) -> int:
        """How many hosts are worked on at a time."""
        return int(self._context.config.pacefab.parallel)


_NOTED: dict[str, tuple[Run, dict[str, Any]]] = {}

Body = Callable[..., int]
AnyTask = Task[Any]


def cluster_task(
    file: str = "", *, secrets: bool = False, **option_help: str
) -> Callable[[Body], AnyTask]:
    """Make a fab task of `body(run, **options) -> exit status`, called once with all hosts.

    Names and defaults of options come from the body's signature, its help from the docstring,
    and the options' help from here, else from `options.HELP`. Every task has `--inventory` and
    `--accept-new-host-keys` too, with `secrets` also `--secrets`. The option called `file` may be
    given without its name, right behind the task's.
    """
    common = [name for name in _COMMON_HELP if name != "secrets" or secrets]

    def decorate(body: Body) -> AnyTask:
        name = body.__name__

        def note(
            context: Context,
            *,
            inventory: str | None = None,
            accept_new_host_keys: bool = False,
            secrets: str | None = None,
            **options: Any,
        ) -> None:
            if name not in _NOTED:
                access = Access(accept_new_host_keys, context.config.sudo.password)
                chosen = _inventory_file(inventory)
                _NOTED[name] = (Run(context, access, chosen, secrets), options)
            _NOTED[name][0].add(context)

        def work(_: Context) -> None:
            run, options = _NOTED.pop(name)
            _exit_with(lambda: run.told(body(run, **options)))

        functools.update_wrapper(note, body)
        note.__signature__ = _signature(body, common)  # type: ignore[attr-defined]
        texts = {option: _COMMON_HELP[option] for option in common} | _help(body, option_help)
        post: AnyTask = Task(work, name=f"{name}-on-all-hosts")
        by_place = [file] if file and _file_follows(name) else []
        made: AnyTask = task(post=[post], help=texts, auto_shortflags=False, positional=by_place)(
            note
        )
        return made

    return decorate


def _file_follows(task_name: str) -> bool:
    """Whether this command line has a file right behind the task: `fab deploy plan.json`.

    Invoke insists on every value that has a place; so there is one only when it is given.
    """
    words = dict(pairwise(sys.argv))
    word = words.get(task_name.replace("_", "-"), "")
    return not word.startswith("-") and ("." in word or "/" in word)


_COMMON_HELP = {
    "inventory": "YAML file that describes the cluster; without -H its nodes are the hosts.",
    "accept_new_host_keys": "Trust hosts never met before and note their keys; a changed key is "
    "still refused.",
    "secrets": "YAML file of mode 600 with secrets by name; else the environment or a prompt.",
}
_COMMON_DEFAULTS = {"accept_new_host_keys": False}  # the others take a text
_USUAL_INVENTORIES = (Path("inventory", "cluster.yaml"), Path("cluster.yaml"))


def _inventory_file(option: str | None) -> Path | None:
    """Return the file of --inventory, else of PACEFAB_INVENTORY, else the nearest usual one.

    Usual are inventory/cluster.yaml and cluster.yaml, in the current folder or above.
    """
    if named := option or os.environ.get("PACEFAB_INVENTORY"):
        return Path(named)
    here = Path.cwd()
    usual = (folder / name for folder in (here, *here.parents) for name in _USUAL_INVENTORIES)
    return next((file for file in usual if file.exists()), None)


def _secrets_file(option: str | None, inventory: Path | None) -> Path | None:
    """Return the file of --secrets, else of PACEFAB_SECRETS, else the one beside the inventory."""
    if named := option or os.environ.get("PACEFAB_SECRETS"):
        return Path(named)
    usual = inventory.with_suffix(".secrets.yaml") if inventory and inventory.name else None
    return usual if usual and usual.exists() else None


def _help(body: Body, own: Mapping[str, str]) -> dict[str, str]:
    """Return what each option of the body is for, with its default where that is a word."""
    _, *options = inspect.signature(body).parameters.values()
    texts = {option.name: own.get(option.name) or HELP[option.name] for option in options}
    defaults = {option.name: option.default for option in options if option.default}
    return {
        name: f"{text} Default: {defaults[name]}." if name in defaults else text
        for name, text in texts.items()
    }


def _signature(body: Body, common: Iterable[str]) -> inspect.Signature:
    """Return the body's signature for Invoke: the context first, the common options last."""
    _, *options = inspect.signature(body).parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [
            inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            *(option.replace(kind=kind) for option in options),
            *(inspect.Parameter(name, kind, default=_COMMON_DEFAULTS.get(name)) for name in common),
        ]
    )


def _exit_with(work: Callable[[], int]) -> None:
    """Turn how the work ended into fab's exit status; 0 lets the next task of the command run."""
    try:
        status = work()
    except UsageError as error:
        raise Exit("\n".join(render_error(error)), code=2) from None
    except PacefabError as error:
        raise Exit("\n".join(render_error(error)), code=1) from None
    except KeyboardInterrupt:
        said = "interrupted: what already ran on a node finishes there; run this again to converge"
        raise Exit(said, code=_INTERRUPTED) from None
    if status:
        sys.stdout.flush()
        raise Exit(code=status)


def say_last_words(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Tell an error that nobody caught in a sentence: `sys.excepthook`, not a traceback.

    Fabric makes the connections of -H before any of our code runs; what it cannot read there ends
    here too. With PACEFAB_TRACEBACK set, the traceback is shown. A reader who left (`fab --list |
    head`) ends it without a word, as it ends other programs.
    """
    if isinstance(error, BrokenPipeError):
        os._exit(_UNREAD)
    if os.environ.get("PACEFAB_TRACEBACK"):
        sys.__excepthook__(kind, error, trace)
        return
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(trace)]
    if frames[-1:] == ["derive_shorthand"]:
        said = UsageError("read -H", str(error), "write a port as a number: host:22")
    elif isinstance(error, OSError) and error.filename:  # of -S, -f, --identity
        next_step = "name a file that is there and can be read"
        said = UsageError(f"read {error.filename}", error.strerror or str(error), next_step)
    else:
        next_step = "please report this; PACEFAB_TRACEBACK=1 shows where it happened"
        said = UsageError("run fab", f"{kind.__name__}: {error}", next_step)
    print("\n".join(render_error(said)), file=sys.stderr)  # noqa: T201
