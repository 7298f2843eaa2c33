"""The program `pacefab`, and what makes `fab` in a checkout the same one.

Fabric's own program reads the command line; here is what it does differently: nothing that was
typed is ignored, and what cannot be read ends with exit status 2 and a next step.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fabric import Config
from fabric.main import Fab
from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.terminals import pty_size

from pacefab import interrupts
from pacefab.cli import settings
from pacefab.cli.endings import open_missing, say_last_words, usage_exit, watch_output
from pacefab.cli.flags import check_flags
from pacefab.cli.reading.explaining import Explaining, check_folder
from pacefab.cli.reading.host_names import check_hosts
from pacefab.cli.routes import HostExecutor, named
from pacefab.cli.sharing import share_options
from pacefab.cli.startup import prepare_imports
from pacefab.errors import UsageError
from pacefab.report.stream import substitute_unencodable

_ATTEMPTED = "read the command line"
_FORMATS = ("flat", "nested", "json")
_BEFORE_TASKS = ("collection", "debug", "list-agent-keys", "print-completion-script",
                 "search-root", "version", "write-pyc")  # fmt: skip
"""Options that Fabric heeds only while it has not come to a task yet."""


class Pacefab(Explaining, Fab):  # type: ignore[misc]  # fabric has no types
    """Fabric's program, for a collection that is ours."""

    def create_config(self) -> None:
        """Read the settings of the machine and of the user."""
        with self.explained():
            super().create_config()

    def parse_core(self, argv: list[str] | None) -> None:
        """Read the program's own options, and do what is done without tasks."""
        with self.explained():
            super().parse_core(argv)
        prepare_imports()  # Invoke keeps no bytecode unless --write-pyc is given

    def parse_collection(self) -> None:
        """Take the tasks, and the settings files that are nearest."""
        with self.explained():
            check_folder()
            super().parse_collection()
            if self.namespace is not None and (folder := settings.find_folder(Path.cwd())):
                settings.load_files(self.config, folder)

    def parse_tasks(self) -> None:
        """Read tasks and their options; tasks of one command share the inventory."""
        with self.explained():
            if self.namespace is None:
                # `fab` has read fabric.yaml beside fabfile/; pacefab.yaml is to be read too.
                settings.load_files(self.config, Path(self.config._project_prefix))  # noqa: SLF001
            super().parse_tasks()
            self._check_places()
            share_options(self.tasks)

    def parse_cleanup(self) -> None:
        """Do what ends without running a task: --help, --list, --complete."""
        with self.explained():
            self._check_listing()
            if self.args.complete.value:
                self._complete()
            super().parse_cleanup()

    def update_config(self) -> None:  # type: ignore[override]  # as Fabric's
        """Read what the command line says about settings, files and passwords."""
        with self.explained():
            self._check_files()
            settings.check_environment()
            # Fabric would read the ssh configuration, in its own way: that is the transport's.
            self.config._set(_given_explicit_object=True)  # noqa: SLF001
            try:
                super().update_config()
            except EOFError:
                seen = "a password is asked for, and there is no terminal to type it on"
                raise UsageError(_ATTEMPTED, seen, "leave the --prompt-for option out") from None

    def execute(self) -> None:
        """Run the tasks, or the command behind `--`."""
        with self.explained():
            if self.core.remainder:
                self._execute_command()
                return
            for task in self.tasks:  # before the first of them contacts a host
                check_flags(self.config, str(task.name), [arg.name for arg in task.args.values()])
        super().execute()

    def list_flat(self) -> None:
        """Print the tasks by when they are used."""
        from pacefab.cli.listing import render_listing
        from pacefab.tasks import GROUPS

        _print(*render_listing(GROUPS, self.collection, self.binary, pty_size()[0]))

    def _check_places(self) -> None:
        """Refuse what Fabric ignores: numbers that mean nothing, options that come too late."""
        typed = self.typed
        if wrong := typed.wrong_number() or typed.repeated() or typed.empty():
            raise wrong
        for name in _BEFORE_TASKS:
            late = self.core_via_tasks.args.get(name)
            if late is not None and late.got_value:
                belongs = f"it belongs before the tasks: {self.binary} --{name} …"
                raise UsageError(_ATTEMPTED, f"--{name} behind a task", belongs)
        if self.args.hosts.value is not None:
            check_hosts("-H", self.args.hosts.value)
        if not self.args.complete.value:
            self._check_command()

    def _check_command(self) -> None:
        """Refuse a `--` without a command behind it, and one beside tasks."""
        if "--" in self.argv and not self.core.remainder.strip():
            raise UsageError(_ATTEMPTED, "no command behind --", "give one: -H c1,c2 -- COMMAND")
        if self.core.remainder and self.tasks:
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
        if os.environ.get("INVOKE_RUNTIME_CONFIG") == "":
            del os.environ["INVOKE_RUNTIME_CONFIG"]  # Invoke takes it for the name of a file
        if runtime := self.args.config.value or os.environ.get("INVOKE_RUNTIME_CONFIG"):
            settings.read_checked(self.config, _expanded(runtime))
        for name in (*self.args.identity.value, self.args["ssh-config"].value):
            if name:
                _check_readable(_expanded(name))

    def _complete(self) -> None:
        """Print the values that fit the end of the command line, where a list of them is known."""
        from pacefab.cli.reading.completion import completed

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
        connections = [named(name, self.config.clone()) for name in hosts]
        raise Exit(code=run_command(connections, self.core.remainder))


def _expanded(name: str) -> Path:
    return Path(os.path.expanduser(name))  # noqa: PTH111  # of ~nobody, pathlib makes an error


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
        executor_class=HostExecutor,
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
        program.executor_class = HostExecutor
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
    open_missing()
    prepare_imports()
    substitute_unencodable(sys.stdout, sys.stderr)
    interrupts.prepare()
    sys.excepthook = say_last_words
    watch_output()
