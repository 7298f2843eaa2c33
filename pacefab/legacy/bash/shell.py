"""What a shell knows while it is evaluated, and the signals that leave its statements."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from pacefab.legacy.bash.budget import bounded
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.model import Place

FOREIGN = ("UID", "EUID", "PPID", "RANDOM", "SECONDS", "LANG", "TERM", "OLDPWD", "SSH_CONNECTION")


class Signal(Exception):  # noqa: N818  # no error: what the script itself asks for
    """Statements are left; `output` is what they printed before."""

    output = ""


class ExitSignal(Signal):
    """The script ends; its only argument is the status."""


class ReturnSignal(Signal):
    """The function ends; its only argument is the status."""


class LoopSignal(Signal):
    """`break` or `continue`: its arguments are which, and how many loops are left to leave."""


@dataclass
class Shell:
    """One shell: its variables, functions and arguments, and the host it runs on."""

    host: str = ""  # empty: where the scripts are started
    variables: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, dict[str, str]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)  # arrays whose indices are texts
    functions: dict[str, tuple[Node, Script]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    rests: dict[str, dict[str, None]] = field(default_factory=dict)  # on names that nothing sets
    arguments: list[str] = field(default_factory=list)
    name: str = "bash"
    status: int | None = 0
    stdin: list[str] | None = None  # lines left to read; None: a terminal's
    stdin_place: Place | None = None  # where the text of stdin stands in the tree
    foreign: str = ""  # a sourced file that is missing: where unset variables may come from
    at_exit: tuple[str, Place] | None = None  # what `trap … EXIT` runs, and where it stands
    by_hand: bool = False  # started by an operator, whose arguments are not known
    locals: list[dict[str, str | None]] = field(default_factory=list)
    called_from: list[Place] = field(default_factory=list)  # the running functions' callers
    running: list[str] = field(default_factory=list)  # and their names

    def fork(self) -> Shell:
        """Return a subshell: it has all that this one has, and changes nothing here."""
        twin = copy.copy(self)
        twin.variables = dict(self.variables)
        twin.arrays = {name: dict(items) for name, items in self.arrays.items()}
        twin.functions, twin.rests = dict(self.functions), dict(self.rests)
        twin.named, twin.exported = set(self.named), set(self.exported)
        twin.arguments, twin.locals = list(self.arguments), []
        twin.at_exit = None
        return twin

    def set(self, name: str, value: str) -> None:
        """Assign a variable, or NAME[INDEX]."""
        bounded(value)
        base, bracket, index = name.partition("[")
        if bracket:
            self.arrays.setdefault(base, {})[index.removesuffix("]")] = value
        elif name in self.arrays:
            self.arrays[name]["0"] = value
        else:
            self.variables[name] = value

    def declare_local(self, name: str) -> None:
        """Make a variable local to the running function."""
        if self.locals and name not in self.locals[-1]:
            self.locals[-1][name] = self.variables.get(name)

    def leave_function(self) -> None:
        """Restore the variables that the function had as its own."""
        for name, value in self.locals.pop().items():
            if value is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value
