"""One run over all hosts of -H.

Fabric turns `fab -H a,b,c task` into three calls, one after the other, and stops at the first that
fails. So the body of a task only notes its host and its options; Fabric then calls the task's post
task once, and that does the work, with every host, at once.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from fabric import Config, Connection, task
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task
from paramiko.config import SSHConfig

from fabfile.errors import PacefabError, UsageError
from fabfile.host.model import Outcome
from fabfile.report.text import Printer, render_error
from fabfile.transport.connection import Access, Host, check_name

_ROOT = Path(__file__).resolve().parents[2]
_INTERRUPTED = 130  # 128 + SIGINT, as shells say it


class Run:
    """The hosts of one call of a task, and how to reach others of their cluster."""

    def __init__(self, context: Context, access: Access) -> None:
        self.hosts: dict[str, Host] = {}
        self.printer = Printer()
        self._user: str | None = None  # of -H user@host; for nodes that -H does not name too
        self._context = context
        self._access = access

    def add(self, context: Context) -> None:
        """Take a host in; the same one named twice is one host."""
        if isinstance(context, Connection):
            self._user = self._user or _given_user(context)
            self.hosts[context.original_host] = _opened(context, self._access)

    def reach(self, name: str) -> Host:
        """Return a node of the cluster that -H did not name; no traffic yet."""
        check_name(name)
        connection = Connection(name, user=self._user, config=self._context.config)
        return self.hosts.get(name) or _opened(connection, self._access)

    def named(self) -> dict[str, Host]:
        """Return the hosts of -H.

        Raises:
            UsageError: there is none, or a name is none.
        """
        if not self.hosts:
            raise UsageError("find the hosts", "none was named", "give them: fab -H c1,c2,c3 …")
        for name in self.hosts:
            check_name(name)
        return self.hosts

    def carry_out(self, step: str, work: Callable[[], Sequence[Outcome]]) -> int:
        """Do the work and print its summary; the exit status is 0 when all is as wanted."""
        with self.printer.working(step, self.hosts):
            outcomes = work()
        self.printer.summary(outcomes)
        return 0 if all(outcome.mark.ok for outcome in outcomes) else 1

    @property
    def limit(self) -> int:
        """How many hosts are worked on at a time."""
        return int(self._context.config.pacefab.parallel)


# Connections live as long as the fab process, so that several tasks in one command open each once.
_OPEN: dict[tuple[str, Access], Host] = {}
_NOTED: dict[str, tuple[Run, dict[str, Any]]] = {}

Body = Callable[..., int]
AnyTask = Task[Any]


def cluster_task(**option_help: str) -> Callable[[Body], AnyTask]:
    """Make a fab task of `body(run, **options) -> exit status`, called once with all hosts.

    Names and defaults of options come from the body's signature, its help from the docstring,
    and the options' help from here. Every task has `--accept-new-host-keys` besides.
    """

    def decorate(body: Body) -> AnyTask:
        name = body.__name__

        def note(context: Context, *, accept_new_host_keys: bool = False, **options: Any) -> None:
            if name not in _NOTED:
                access = Access(accept_new_host_keys, context.config.sudo.password)
                _NOTED[name] = (Run(context, access), options)
            _NOTED[name][0].add(context)

        def work(_: Context) -> None:
            run, options = _NOTED.pop(name)
            _exit_with(functools.partial(body, run, **options))

        functools.update_wrapper(note, body)
        note.__signature__ = _signature(body)  # type: ignore[attr-defined]
        texts = {"accept_new_host_keys": _ACCEPT_HELP, **option_help}
        post: AnyTask = Task(work, name=f"{name}-on-all-hosts")
        made: AnyTask = task(post=[post], help=texts, auto_shortflags=False)(note)
        return made

    return decorate


_ACCEPT_HELP = "Trust hosts never met before and note their keys; a changed key is still refused."


def _signature(body: Body) -> inspect.Signature:
    """Return the body's signature as Invoke wants it: the context first, our common option last."""
    _, *options = inspect.signature(body).parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [
            inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            *(option.replace(kind=kind) for option in options),
            inspect.Parameter("accept_new_host_keys", kind, default=False),
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


def _opened(connection: Connection, access: Access) -> Host:
    """Return the run's one host of that name; opened at its first use."""
    name = connection.original_host
    if (name, access) not in _OPEN:
        _OPEN[name, access] = Host(name, _through_harness(connection), access)
    return _OPEN[name, access]


def _given_user(connection: Connection) -> str | None:
    """Return the user of `-H user@host`; None when it is the one of the configuration."""
    usual = connection.ssh_config.get("user", connection.config.user)
    return None if connection.user == usual else str(connection.user)


def _through_harness(connection: Connection) -> Connection:
    """Return the same connection by way of fabric.yaml's pacefab.ssh_config, if that names it.

    Fabric's own setting, ssh_config_path, ends in a traceback while the file is not there, and
    switches ~/.ssh/config off while it is.
    """
    config = connection.config
    file = _ROOT / str(config.pacefab.ssh_config or "")
    if config._runtime_ssh_path or not file.is_file():  # noqa: SLF001  # -S FILE wins
        return connection
    harness = SSHConfig.from_path(str(file))
    if connection.original_host not in harness.get_hostnames():
        return connection
    overrides = {"authentication": {"identities": list(config.authentication.identities)}}
    return Connection(
        connection.original_host,
        user=_given_user(connection),
        config=Config(ssh_config=harness, overrides=overrides),
    )


def say_last_words(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Tell an error that nobody caught in a sentence: `sys.excepthook`, not a traceback.

    Fabric makes the connections of -H before any of our code runs; what it cannot read there ends
    here too. With PACEFAB_TRACEBACK set, the traceback is shown.
    """
    if os.environ.get("PACEFAB_TRACEBACK"):
        sys.__excepthook__(kind, error, trace)
        return
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(trace)]
    if frames[-1:] == ["derive_shorthand"]:
        said = UsageError("read -H", str(error), "write a port as a number: host:22")
    else:
        next_step = "please report this; PACEFAB_TRACEBACK=1 shows where it happened"
        said = UsageError("run fab", f"{kind.__name__}: {error}", next_step)
    print("\n".join(render_error(said)), file=sys.stderr)  # noqa: T201
