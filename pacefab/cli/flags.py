"""Fabric's own options: what each of them means for the tasks; none is ignored.

Fabric's options are about commands that a task's body runs by Connection.run. The tasks run
nothing in that way, so those that would change how it is done are refused; they are for a command
of one's own: `fab -H c1 -- COMMAND`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from invoke.config import Config

from pacefab.cli.traits import traits
from pacefab.errors import UsageError

_ATTEMPTED = "read the options"
_OWN_COMMAND = "it is for a command of your own: pacefab -H c1 -- COMMAND"
_REFUSED = {
    "command": (
        "-T/--command-timeout",
        "the tasks' own --timeout SECONDS, where a task waits; -t SECONDS limits connecting",
    ),
    "echo": ("-e/--echo", "plan --full --show-pcs shows what would be done, and where"),
    "hide": ("--hide", "leave it out; --json, where a task reports, is for programs"),
    "pty": ("-p/--pty", "leave it out: what the tasks run on nodes needs no terminal"),
    "warn": ("-w/--warn-only", "leave it out: a host that fails never stops the others"),
}
"""What is refused, by its name in the configuration: how it is typed, and what to take instead."""


def refuse_flags(config: Config) -> None:
    """Raise a UsageError for the first option of Fabric that the tasks have no use for."""
    overrides = config._overrides  # noqa: SLF001  # settings are for others' tasks; options are not
    given = {**overrides.get("run", {}), **overrides.get("timeouts", {})}
    for name, (typed, instead) in _REFUSED.items():
        if given.get(name):
            seen = f"{typed}, which no task can honour"
            raise UsageError(_ATTEMPTED, seen, f"{instead}; {_OWN_COMMAND}")


def is_dry(config: Config) -> bool:
    """Whether -R/--dry was given, or is set (`run: {dry: true}`)."""
    return bool(config.run.dry)


def check_dry(task: str, options: Collection[str]) -> None:
    """Raise a UsageError when nobody can say what `task` would do: it has no --dry-run."""
    if "dry_run" in options or traits(task).reads_only:
        return
    shown = "fab plan shows what deploy would do" if task == "deploy" else _ELSEWHERE
    raise UsageError(_ATTEMPTED, f"-R/--dry: {task} has no --dry-run", shown)


_ELSEWHERE = (
    "leave it out to have it done; --dry-run of other tasks, and fab plan for the whole inventory, "
    "show what would be done"
)


def refuse_all(task: str, config: Config) -> None:
    """Raise a UsageError for any option of Fabric, for a task without hosts and --dry-run."""
    refuse_flags(config)
    if is_dry(config):
        check_dry(task, ())


def dry_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's options with --dry-run, where it has that."""
    return {**options, "dry_run": True} if "dry_run" in options else dict(options)
