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


def check_flags(config: Config, task: str, options: Collection[str] = ()) -> None:
    """Refuse the options of Fabric that a task, whose own `options` are given, cannot honour.

    Raises:
        UsageError: there is one; of -R/--dry, because the task has no --dry-run.
    """
    overrides = config._overrides  # noqa: SLF001  # settings are for others' tasks; options are not
    given = {**overrides.get("run", {}), **overrides.get("timeouts", {})}
    for name, (typed, instead) in _REFUSED.items():
        if given.get(name):
            seen = f"{typed}, which no task can honour"
            raise UsageError(_ATTEMPTED, seen, f"{instead}; {_OWN_COMMAND}")
    if is_dry(config) and "dry_run" not in options and not traits(task).reads_only:
        raise UsageError(_ATTEMPTED, f"-R/--dry: {task} has no --dry-run", _ELSEWHERE)


_ELSEWHERE = (
    "leave it out to have it done; --dry-run of other tasks, and fab plan for the whole inventory, "
    "show what would be done"
)


def is_dry(config: Config) -> bool:
    """Whether -R/--dry was given, or is set (`run: {dry: true}`)."""
    return bool(config.run.dry)


def dry_options(config: Config, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's options; -R/--dry is --dry-run where the task has that."""
    dry = {"dry_run": True} if is_dry(config) and "dry_run" in options else {}
    return {**options, **dry}
