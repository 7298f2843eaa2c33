"""Options that the tasks of one command share: `fab plan deploy --inventory FILE`."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.parser.context import ParserContext

from pacefab.errors import UsageError

_SHARED = ("inventory", "secrets", "accept-new-host-keys")


def share_options(tasks: Sequence[ParserContext]) -> None:
    """Give what one task of the command was given to those that were not; once is enough.

    Raises:
        UsageError: tasks were given different ones, and another none: it is not said which it is.
    """
    for name in _SHARED:
        options = [(task.name, task.args[name]) for task in tasks if name in task.args]
        given = {option.value for _, option in options if option.got_value}
        without = [(task, option) for task, option in options if not option.got_value]
        if len(given) > 1 and without:
            seen = f"--{name} differs between tasks, and {without[0][0]} has none"
            raise UsageError("read the command line", seen, "give it to each of the tasks")
        for _, option in without:
            for value in given:
                option.value = value
