"""A program of Invoke that ends with exit status 2 and a next step when it cannot be understood."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from invoke.exceptions import Exit, ParseError
from invoke.program import Program
from invoke.terminals import pty_size

from pacefab.cli.endings import usage_exit
from pacefab.cli.listing import entry
from pacefab.cli.reading.usage import CommandLine
from pacefab.cli.traits import TRAITS
from pacefab.errors import UsageError


class Explaining(Program):
    """Invoke's program, whose errors name what was typed and what to type instead."""

    def parse_tasks(self) -> None:
        """Read tasks and their options."""
        with self.explained():
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        """Do what ends without running a task: --help, --list, --complete."""
        with self.explained():
            try:
                super().parse_cleanup()
            except Exit as error:
                if not error.message:
                    raise
                raise self.typed.no_collection(str(self.args.list.value)) from None

    def print_columns(self, tuples: Sequence[tuple[str, str | None]]) -> None:
        """Print names and what they are for, on a terminal of any width."""
        names = max((len(name) for name, _ in tuples), default=0)
        for name, purpose in tuples:
            lines = entry(f"  {name:{names}}   ", purpose or "", pty_size()[0] - 1)
            print(*lines, sep="\n")  # noqa: T201  # as Invoke does
        print()  # noqa: T201

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """End with exit status 2 and a next step when the command line cannot be read."""
        try:
            yield
        except ParseError as error:
            raise usage_exit(self.typed.explain(error)) from None
        except UsageError as error:
            raise usage_exit(error) from None
        except ValueError:  # of int(), which Invoke leaves to whoever called
            if (wrong := self.typed.wrong_number()) is None:
                raise
            raise usage_exit(wrong) from None

    @property
    def typed(self) -> CommandLine:
        """The command line, and what there is to type."""
        contexts = self.parser.contexts.values() if hasattr(self, "parser") else ()
        tasks = {str(context.name): context for context in contexts}
        files = {
            name: f"--{known.file}"
            for name, known in TRAITS.items()
            if known.file and name in tasks
        }
        program = self.called_as if "[" in self.binary else self.binary  # inv[oke]
        return CommandLine(program, self.argv[1:], self.initial_context, tasks, files)


def adopt_invoke() -> None:
    """Make the running `invoke` one that explains its errors."""
    from invoke.main import program

    program.__class__ = Explaining


def check_folder() -> None:
    """Refuse to work in a folder that was removed.

    Raises:
        UsageError: it was.
    """
    try:
        os.getcwd()  # noqa: PTH109
    except OSError as error:
        seen = error.strerror or str(error)
        raise UsageError("find the current folder", seen, "go to one that is there") from None
