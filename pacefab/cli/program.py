"""The program `pacefab`, and what makes `fab` in a checkout the same one.

Fabric's own program reads the command line; here is what it does differently: nothing that was
typed is ignored, and what cannot be read ends with exit status 2 and a next step.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fabric import Config, Connection, Executor
from fabric.main import Fab
from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.terminals import pty_size

from pacefab import interrupts
from pacefab.cli import settings
from pacefab.cli.endings import say_last_words, usage_exit, watch_output
from pacefab.cli.flags import check_flags
from pacefab.cli.sharing import share_options
from pacefab.cli.startup import prepare_imports
from pacefab.cli.traits import TRAITS
from pacefab.cli.usage import CommandLine
from pacefab.errors import UsageError
from pacefab.report.stream import substitute_unencodable

_ATTEMPTED = "read the command line"
_FORMATS = ("flat", "nested", "json")
_BEFORE_TASKS = ("collection", "debug", "list-agent-keys", "print-completion-script",
                 "search-root", "version", "write-pyc")  # fmt: skip
"""Options that Fabric heeds only while it has not come to a task yet."""


class Pacefab(Fab):  # type: ignore[misc]  # fabric has no types
    """Fabric's program, for a collection that is ours."""

    def create_config(self) -> None:
        """Read the settings of the machine and of the user."""
        with self._explained():
            super().create_config()

    def parse_core(self, argv: list[str] | None) -> None:
        """Read the program's own options, and do what is done without tasks."""
        with self._explained():
            super().parse_core(argv)
        prepare_imports()  # Invoke keeps no bytecode unless --write-pyc is given

    def parse_collection(self) -> None:
        """Take the tasks, and the settings files that are nearest."""
        with self._explained():
            super().parse_collection()
            if self.namespace is not None and (folder := settings.find_folder(Path.cwd())):
                settings.load_files(self.config, folder)

    def parse_tasks(self) -> None:
        """Read tasks and their options; tasks of one command share the inventory."""
        with self._explained():
            if self.namespace is None:
                # `fab` has read fabric.yaml beside fabfile/; pacefab.yaml is to be read too.
                settings.load_files(self.config, Path(self.config._project_prefix))  # noqa: SLF001
            super().parse_tasks()
            self._check_places()
            share_options(self.tasks)

    def parse_cleanup(self) -> None:
        """Do what ends without running a task: --help, --list, --complete."""
        with self._explained():
            self._check_listing()
            if self.args.complete.value:
                self._complete()
            try:
                super().parse_cleanup()
            except Exit as error:
                if not error.message:
                    raise
                next_step = f"{self.binary} --list shows the tasks"
                raise UsageError(_ATTEMPTED, error.message, next_step) from None

    def update_config(self) -> None:
        """Read what the command line says about settings, files and passwords."""
        with self._explained():
            self._check_files()
            settings.check_environment()
            super().update_config()

    def execute(self) -> None:
        """Run the tasks, or the command behind `--`."""
        with self._explained():
            if self.core.remainder:
                self._execute_command()
                return
            for task in self.tasks:  # before the first of them contacts a host
                check_flags(self.config, task.name, [arg.name for arg in task.args.values()])
        super().execute()

    def list_flat(self) -> None:
        """Print the tasks by when they are used."""
        from pacefab.cli.listing import render_listing
        from pacefab.tasks import GROUPS

        _print(*render_listing(GROUPS, self.collection, self.binary, pty_size()[0]))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """End with exit status 2 and a next step when the command line cannot be read."""
        try:
            yield
        except ParseError as error:
            raise usage_exit(self._typed.explain(error)) from None
        except UsageError as error:
            raise usage_exit(error) from None
        except ValueError:  # of int(), which Invoke leaves to whoever called
            if (wrong := self._typed.wrong_number()) is None:
                raise
            raise usage_exit(wrong) from None

    @property
    def _typed(self) -> CommandLine:
        contexts = self.parser.contexts.values() if hasattr(self, "parser") else ()
        tasks = {context.name: context for context in contexts}
        files = {name: f"--{traits.file}" for name, traits in TRAITS.items() if traits.file}
        return CommandLine(self.binary, self.argv[1:], self.initial_context, tasks, files)

    def _check_places(self) -> None:
        """Refuse what Fabric ignores: numbers that mean nothing, options that come too late."""
        if wrong := self._typed.wrong_number():
            raise wrong
        for name in _BEFORE_TASKS:
            late = self.core_via_tasks.args.get(name)
            if late is not None and late.got_value:
                belongs = f"it belongs before the tasks: {self.binary} --{name} …"
                raise UsageError(_ATTEMPTED, f"--{name} behind a task", belongs)
        hosts = self.args.hosts.value
        if hosts is not None and not all(name.strip() for name in hosts.split(",")):
            raise UsageError("read -H", f"{hosts!r} has no host's name", "give -H name,name,...")
        if self.core.remainder and self.tasks and not self.args.complete.value:
            seen = f"a task, {self.tasks[0].name}, and a command behind --"
            raise UsageError(_ATTEMPTED, seen, "give them one after the other")

    def _check_listing(self) -> None:
        form = self.args["list-format"].value
        if form not in _FORMATS:
            allowed = f"allowed: {', '.join(_FORMATS)}"
            raise UsageError(_ATTEMPTED, f"--list-format {form}", allowed)
        for name in ("list-format", "list-depth"):
            if self.args[name].got_value and not self.args.list.value:
                next_step = f"it goes with --list: {self.binary} --list --{name} …"
                raise UsageError(_ATTEMPTED, f"--{name} without --list", next_step)

    def _check_files(self) -> None:
        """Refuse files that cannot be read before anything else is done."""
        runtime = self.args.config.value or os.environ.get("INVOKE_RUNTIME_CONFIG")
        if runtime:
            file = Path(runtime).expanduser()
            if file.suffix in {".yaml", ".yml"}:
                settings.read_checked(self.config, file)
            elif file.suffix not in {".json", ".py"}:
                allowed = "name a file that ends in .yaml, .yml, .json or .py"
                raise UsageError(f"read {file}", "no kind of settings file", allowed)
            else:
                _check_readable(file)
        for name in (*self.args.identity.value, self.args["ssh-config"].value):
            if name:
                _check_readable(Path(name).expanduser())

    def _complete(self) -> None:
        """Print the values that fit the end of the command line, where a list of them is known."""
        from pacefab.cli.completion import completed

        _, *words = self.core.remainder.split(" ", 1)
        values = completed(words[0] if words else "", self.collection.task_names)
        if values is not None:
            _print(*values)
            raise Exit
        # Invoke knows the program by its name only, not by a path to it.
        self.core.remainder = " ".join([self.binary_names[0], *words])

    def _execute_command(self) -> None:
        """Run a command on each host of -H, reached as the tasks reach it."""
        from pacefab.cli.command import run_command

        hosts = [name for name in (self.args.hosts.value or "").split(",") if name]
        connections = [Connection(name, config=self.config.clone()) for name in hosts]
        raise Exit(code=run_command(connections, self.core.remainder))


def _check_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        next_step = "name a file that is there and can be read"
        raise UsageError(f"read {file}", error.strerror or str(error), next_step) from None


def _print(*lines: str) -> None:
    print(*lines, sep="\n")  # noqa: T201  # as Invoke does, whose words these stand in for


def main() -> None:
    """Run the command line; it ends the process with the exit status."""
    _prepare()
    from pacefab.tasks import namespace

    Pacefab(
        name="pacefab",
        version=version("pacefab"),
        binary="pacefab",
        namespace=namespace,
        executor_class=Executor,
        config_class=Config,
    ).run()


def adopt_fab(fabfile: str, name: str) -> Collection:
    """Return the tasks for a checkout's fabfile; a `fab` that loads it becomes our program.

    Only that one: in another fabfile, Fabric stays as it is.
    """
    from fabric import main as running

    program: Any = running.program
    if hasattr(program, "core") and _loads(program, name):
        _prepare()
        program.__class__ = Pacefab
        try:  # before Fabric reads it, and ends in a traceback
            settings.load_files(program.config, Path(fabfile).resolve().parents[1])
        except UsageError as error:
            raise usage_exit(error) from None
    from pacefab.tasks import namespace

    return namespace


def _loads(program: Fab, name: str) -> bool:
    chosen = program.args.collection.value or program.config.tasks.collection_name
    return bool(chosen == name)


def _prepare() -> None:
    prepare_imports()
    substitute_unencodable(sys.stdout, sys.stderr)
    interrupts.prepare()
    sys.excepthook = say_last_words
    watch_output()
