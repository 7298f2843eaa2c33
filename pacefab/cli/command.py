"""A command of the operator's own on the hosts: `pacefab -H c1,c2 -- uptime`."""

from __future__ import annotations

from collections.abc import Sequence

from fabric import Connection
from invoke.exceptions import CommandTimedOut, UnexpectedExit

from pacefab.cli.endings import show_error
from pacefab.cli.files import inventory_file
from pacefab.cli.run import Run
from pacefab.errors import CommandError, PacefabError, UsageError
from pacefab.transport.connection import Access


def run_command(connections: Sequence[Connection], line: str) -> int:
    """Run a shell's line on each host, one after the other; return the first status that is not 0.

    It is Fabric's own Connection.run: -e, -p, -w, -R, -T and --hide are for that. Hosts are
    reached as the tasks reach them, host keys and the settings' ssh_config included.

    Raises:
        UsageError: no host was given, or one cannot be.
    """
    if not connections:
        raise UsageError("run a command", "no host was given", "give them: -H c1,c2 -- COMMAND")
    context = connections[0]
    run = Run(context, Access(), inventory_file(None), None)
    for connection in connections:
        run.add(connection)
    statuses = [_run(run, name, line) for name in run.named()]
    return next((status for status in statuses if status), 0)


def _run(run: Run, name: str, line: str) -> int:
    host = run.reach(name)
    try:
        return int(host.shell(line))
    except UnexpectedExit as error:
        return int(error.result.exited)
    except CommandTimedOut as error:
        next_step = "give more time: -T SECONDS"
        seen = f"no end after {error.timeout} s"
        failed: PacefabError = CommandError("run a command", seen, next_step, host=name)
    except UsageError:
        raise
    except PacefabError as error:
        failed = error
    show_error(failed)
    return 1
