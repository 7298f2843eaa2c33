"""The interpreter as commands and control flow see it: what they may ask of the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.files import Text
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.bash.words import Words
from pacefab.legacy.bash.world import World
from pacefab.legacy.model import CommandResult


class Interpreter(Protocol):
    """Evaluates one script in one shell."""

    @property
    def shell(self) -> Shell:
        """The shell that the script runs in."""

    @property
    def world(self) -> World:
        """The world around all shells."""

    @property
    def script(self) -> Script:
        """The script whose nodes are evaluated."""

    @property
    def words(self) -> Words:
        """Expands words of the script."""

    def file(self, path: str) -> Text | None:
        """Return a file by a path as the script sees it; None when it is not known."""

    def statements(self, nodes: Sequence[Node]) -> CommandResult:
        """Evaluate statements one after the other."""

    def execute(self, node: Node) -> CommandResult:
        """Evaluate one statement."""

    def truth(self, nodes: Sequence[Node]) -> bool | None:
        """Return whether arithmetic between (( and )) is not zero."""

    def run(self, command: Command) -> CommandResult:
        """Run a command in this shell: a function of the shell, or a program."""

    def program(self, command: Command) -> CommandResult:
        """Run a program, which is no function of the shell."""

    def start(self, script: Script, shell: Shell) -> CommandResult:
        """Run a script in a shell, to its end or exit."""

    def source(self, script: Script) -> CommandResult:
        """Run a script in this shell."""

    def fork(self) -> Self:
        """Return the interpreter of a subshell."""
