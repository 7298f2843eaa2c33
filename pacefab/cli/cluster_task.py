"""Tasks whose body is called once, with all hosts.

Fabric turns `fab -H a,b,c task` into three calls, one after the other, and stops at the first that
fails. So the body of a task only notes its host and its options; Fabric then calls the task's post
task once, and that does the work, with every host, at once.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from fabric import task
from invoke.context import Context
from invoke.tasks import Task

from pacefab.cli.endings import exit_with, usage_exit
from pacefab.cli.files import inventory_file
from pacefab.cli.flags import check_flags, dry_options
from pacefab.cli.options import HELP, number
from pacefab.cli.run import Run, left_out
from pacefab.cli.traits import TRAITS, Traits, Values
from pacefab.errors import UsageError
from pacefab.transport.connection import Access

_NOTED: dict[str, tuple[Run, dict[str, Any]]] = {}

Body = Callable[..., int]
AnyTask = Task[Any]


def cluster_task(
    file: str = "",
    *,
    secrets: bool = False,
    leaves_out: bool = False,
    reads_only: bool = False,
    values: Mapping[str, Values] | None = None,
    **option_help: str,
) -> Callable[[Body], AnyTask]:
    """Make a fab task of `body(run, **options) -> exit status`, called once with all hosts.

    Names and defaults of options come from the body's signature, its help from the docstring,
    and the options' help from here, else from `options.HELP`. Every task has `--inventory` and
    `--accept-new-host-keys` too, with `secrets` also `--secrets`, one that `leaves_out` nodes
    `--without`, where it changes something `--wait`. The option called `file` may be given without
    its name, right behind the task's. A task that `reads_only` is its own --dry-run; `values` are
    the words that options take, for completion.
    """
    special = {"secrets": secrets, "without": leaves_out, "wait": not reads_only}
    common = [name for name in _COMMON_HELP if special.get(name, True)]

    def decorate(body: Body) -> AnyTask:
        name = body.__name__
        typed = name.replace("_", "-")
        TRAITS[typed] = Traits(file.replace("_", "-"), reads_only, values or {})

        def note(
            context: Context,
            *,
            inventory: str | None = None,
            accept_new_host_keys: bool = False,
            secrets: str | None = None,
            wait: str | None = None,
            **options: Any,
        ) -> None:
            # start-galera has a --without of its own.
            without = options.pop("without", ()) if leaves_out else ()
            if name not in _NOTED:
                access = Access(accept_new_host_keys, context.config.sudo.password)
                _NOTED[name] = _begin(typed, context, options, access, inventory, secrets)
                _NOTED[name][0].left_out, _NOTED[name][0].wait = left_out(without), _wait(wait)
            _NOTED[name][0].add(context)

        def work(_: Context) -> None:
            run, options = _NOTED.pop(name)
            exit_with(lambda: run.status_of(body(run, **options)))

        functools.update_wrapper(note, body)
        note.__signature__ = _signature(body, common)  # type: ignore[attr-defined]
        texts = {option: _COMMON_HELP[option] for option in common} | _help(body, option_help)
        by_place = [file] if file and _file_follows(name) else []
        return _fabric_task(note, work, texts, by_place, ["without"] if leaves_out else [])

    return decorate


def _fabric_task(
    note: Callable[..., None],
    work: Callable[[Context], None],
    texts: Mapping[str, str],
    by_place: Sequence[str],
    several: Sequence[str],
) -> AnyTask:
    """Return the task whose body is `note`, for each host, and whose post task is `work`.

    `texts` are the options' help; `by_place` take their value from its place, `several` gather it.
    """
    post: AnyTask = Task(work, name=f"{note.__name__}-on-all-hosts")
    wrap = task(
        post=[post], help=texts, auto_shortflags=False, positional=by_place, iterable=several
    )
    return cast("AnyTask", wrap(note))


def _begin(
    task_name: str,
    context: Context,
    options: Mapping[str, Any],
    access: Access,
    inventory: str | None,
    secrets: str | None,
) -> tuple[Run, dict[str, Any]]:
    """Return a task's run and its options, by Fabric's own options too.

    Raises:
        Exit: the command line or a setting is wrong.
    """
    try:
        check_flags(context.config, task_name, options)
        run = Run(context, access, inventory_file(inventory), secrets)
        run.inventory_option = inventory
    except UsageError as error:
        raise usage_exit(error) from None
    return run, dry_options(context.config, options)


def _wait(seconds: str | None) -> int | None:
    """Return for how long another user's change is waited.

    Raises:
        Exit: that is no number.
    """
    try:
        return None if seconds is None else number("--wait", seconds, least=0)
    except UsageError as error:
        raise usage_exit(error) from None


def _file_follows(task_name: str) -> bool:
    """Whether this command line has a file right behind the task: `fab deploy plan.json`.

    Invoke insists on every value that has a place; so there is one only when it is given.
    """
    typed = task_name.replace("_", "-")
    followed = (word for task, word in pairwise(sys.argv) if task.rpartition(".")[2] == typed)
    word = next(followed, "")
    return not word.startswith("-") and ("." in word or "/" in word)


_COMMON_HELP = {
    "inventory": "YAML file that describes the cluster; without -H its nodes are the hosts.",
    "accept_new_host_keys": "Trust hosts never met before and note their keys; a changed key is "
    "still refused.",
    "without": "Go on without a node that is down: it is neither asked nor waited for. Several: "
    "NODE,NODE, or the option again.",
    "wait": "Seconds to wait for the end of another user's change. Default: 60.",
    "secrets": "YAML file of mode 600 with secrets by name; else the environment or a prompt.",
}
_COMMON_DEFAULTS = {"accept_new_host_keys": False}  # the others take a text


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
