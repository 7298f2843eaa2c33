"""The program `pacefab`: the tasks of `fab` in a checkout, from any folder."""

from __future__ import annotations

import sys
from importlib.metadata import version

from fabric import Config, Executor
from fabric.main import Fab
from invoke.collection import Collection

from pacefab.cli.endings import say_last_words
from pacefab.cli.startup import prepare_imports
from pacefab.report.stream import substitute_unencodable


def main() -> None:
    """Run the command line; it ends the process with the exit status."""
    program = Fab(
        name="pacefab",
        version=version("pacefab"),
        namespace=adopt_fab(),
        executor_class=Executor,
        config_class=Config,
    )
    program.run()


def adopt_fab() -> Collection:
    """Return the tasks, once this process is set up for them: how it imports, how it ends."""
    prepare_imports()
    substitute_unencodable(sys.stdout, sys.stderr)
    sys.excepthook = say_last_words
    # What is set here counts for this import.
    from pacefab.tasks import namespace

    return namespace
