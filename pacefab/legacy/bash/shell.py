"""What a shell knows while it is evaluated, and the signals that leave its statements."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TypeVar

from pacefab.legacy.bash.budget import bounded
from pacefab.legacy.bash.syntax import Node, Script
from pacefab.legacy.model import Place
from pacefab.legacy.unknown import is_known

_T = TypeVar("_T")
_MOST_REFERENCES = 10
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


@dataclass(frozen=True)
class _Held:
    """What a name meant outside of a function that has it as its own."""

    value: str | None
    items: dict[str, str] | None
    named: bool
    reference: str | None
    kinds: str | None


@dataclass
class Shell:
    """One shell: its variables, functions and arguments, and the host it runs on."""

    host: str = ""  # empty: where the scripts are started
    variables: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, dict[str, str]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)  # arrays whose indices are texts
    references: dict[str, str] = field(default_factory=dict)  # declare -n: name -> what it means
    kinds: dict[str, str] = field(default_factory=dict)  # letters of declare: i, l, u, r
    options: set[str] = field(default_factory=set)  # of set and shopt, such as allexport
    option_at: int = 0  # where getopts is within a word of several letters
    functions: dict[str, tuple[Node, Script]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    rests: dict[str, dict[str, None]] = field(default_factory=dict)  # on names that nothing sets
    arguments: list[str] = field(default_factory=list)
    name: str = "bash"
    status: int | None = 0
    stdin: list[str] | None = None  # lines left to read; None: a terminal's
    stdin_place: Place | None = None  # where the text of stdin stands in the tree
    foreign: str = ""  # a sourced file that is missing: where unset variables may come from
    at_exit: tuple[str, Place] | None = None  # what `trap … EXIT` runs, and where it stands
    by_hand: bool = False  # started by an operator: more arguments than these are not known
    shifted: int = 0  # how many of the operator's arguments are gone
    locals: list[dict[str, _Held]] = field(default_factory=list)
    called_from: list[Place] = field(default_factory=list)  # the running functions' callers
    callers: list[Place] = field(default_factory=list)  # and where what they were handed stands
    running: list[str] = field(default_factory=list)  # and their names

    @property
    def folder(self) -> str:
        """The folder of the tree where cd went to; empty where that is not known."""
        path = self.variables.get("PWD", "")
        return path if is_known(path) and not path.startswith("/") else ""

    def fork(self) -> Shell:
        """Return a subshell: it has all that this one has, and changes nothing here."""
        twin = copy.copy(self)
        twin.variables = dict(self.variables)
        twin.arrays = {name: dict(items) for name, items in self.arrays.items()}
        twin.functions, twin.rests = dict(self.functions), dict(self.rests)
        twin.named, twin.exported = set(self.named), set(self.exported)
        twin.references, twin.kinds = dict(self.references), dict(self.kinds)
        twin.options, twin.aliases = set(self.options), dict(self.aliases)
        twin.arguments, twin.locals = list(self.arguments), []
        twin.at_exit = None
        return twin

    def resolve(self, name: str) -> str:
        """Return the name that a reference (declare -n) means; of any other, the name."""
        for _ in range(_MOST_REFERENCES):
            if name not in self.references or self.references[name] == name:
                break
            name = self.references[name]
        return name

    def set(self, name: str, value: str) -> None:
        """Assign a variable, or NAME[INDEX]."""
        bounded(value)
        base, bracket, index = name.partition("[")
        base = self.resolve(base)
        if not bracket and "[" in base:  # what a reference names
            base, bracket, index = base.partition("[")
        value = self._as_declared(base, value)
        if "r" in self.kinds.get(base, "") and (base in self.variables or base in self.arrays):
            return  # bash refuses it
        if bracket:
            items = self.arrays.setdefault(base, {})
            if base in self.variables:
                items.setdefault("0", self.variables.pop(base))
            items[index.removesuffix("]")] = value
        elif base in self.arrays:
            self.arrays[base]["0"] = value
        else:
            self.variables[base] = value
        if "allexport" in self.options:
            self.exported.add(base)

    def _as_declared(self, name: str, value: str) -> str:
        """Return a value in the letters that declare -l and -u ask for."""
        kinds = self.kinds.get(name, "")
        if is_known(value) and ("l" in kinds or "u" in kinds):
            return value.lower() if "l" in kinds else value.upper()
        return value

    def fill(self, name: str, items: dict[str, str]) -> None:
        """Assign a whole array."""
        name = self.resolve(name)
        self.arrays[name] = items
        self.variables.pop(name, None)

    def unset(self, name: str) -> None:
        """Remove a variable, an array or NAME[INDEX]."""
        base, bracket, index = name.partition("[")
        base = self.resolve(base)
        if bracket:
            self.arrays.get(base, {}).pop(index.removesuffix("]").strip("\"'"), None)
            return
        for shelf in (self.variables, self.arrays, self.kinds, self.rests):
            shelf.pop(base, None)
        self.named.discard(base)

    def declare_local(self, name: str) -> None:
        """Make a variable local to the running function; it is not set there at first."""
        if not self.locals or name in self.locals[-1]:
            return
        self.locals[-1][name] = _Held(
            self.variables.get(name),
            dict(self.arrays[name]) if name in self.arrays else None,
            name in self.named,
            self.references.get(name),
            self.kinds.get(name),
        )
        self.references.pop(name, None)
        self.kinds.pop(name, None)
        self.named.discard(name)

    def leave_function(self) -> None:
        """Restore the variables that the function had as its own."""
        for name, held in self.locals.pop().items():
            _restore(self.variables, name, held.value)
            _restore(self.arrays, name, held.items)
            _restore(self.references, name, held.reference)
            _restore(self.kinds, name, held.kinds)
            (self.named.add if held.named else self.named.discard)(name)


def _restore(shelf: dict[str, _T], name: str, value: _T | None) -> None:
    if value is None:
        shelf.pop(name, None)
    else:
        shelf[name] = value
