"""Parameters of a shell: $x, ${x[i]}, ${x:-y}, ${x##*/} and their kind."""

from __future__ import annotations

import re
from collections.abc import Callable

from pacefab.legacy.bash.patterns import UnsafeError, glob
from pacefab.legacy.bash.shell import FOREIGN, Shell
from pacefab.legacy.bash.world import World
from pacefab.legacy.model import Place
from pacefab.legacy.unknown import BREAK, is_known

_MOST_CUT = 2000  # characters of a value that patterns are tried on


class ShellParameters:
    """Looks parameters up in one shell."""

    def __init__(self, shell: Shell, world: World) -> None:
        self._shell = shell
        self._world = world

    def plain(self, name: str) -> list[str]:
        """Return what $NAME stands for; elements of $@ apart."""
        if name in {"@", "*"}:
            return self._many(name, self._arguments())
        return [self.value(name)]

    def _many(self, sign: str, values: list[str]) -> list[str]:
        """Return the values apart; of "$*" and "${x[*]}" one text, joined as $IFS says."""
        if sign == "@":
            return [piece for value in values for piece in (value, BREAK)][:-1]
        return [self._shell.variables.get("IFS", " ")[:1].join(values)] if values else []

    def value(self, name: str, index: str | None = None) -> str:
        """Return a variable's text; of what is not set, an empty one, as in bash."""
        if index is not None:
            return self._element(name, index)
        if name in self._shell.arrays:
            return self._shell.arrays[name].get("0", "")
        if name in self._shell.variables:
            self._world.consulted.update(self._shell.rests.get(name, {}))
            return self._shell.variables[name]
        return self._argument(int(name[:4])) if name.isdigit() else self._special(name)

    def is_set(self, name: str) -> bool:
        """Return whether a script set it (what the environment has is not known)."""
        if name.isdigit():
            return int(name) <= len(self._shell.arguments)
        return name in self._shell.variables or name in self._shell.arrays

    def _element(self, name: str, index: str) -> str:
        items = self._shell.arrays.get(name)
        if items is None:
            return self.value(name) if index == "0" else ""
        if not is_known(index):
            return self._world.mark(f"{name}[{self._world.unknowns.show(index)}]")
        if re.fullmatch(r"-\d{1,4}", index):  # from the end
            index = str(
                max((int(key) for key in items if key.isdigit()), default=-1) + 1 + int(index)
            )
        return items.get(index, "")

    def _special(self, name: str) -> str:
        """Return what the shell itself gives; of what nothing sets, an empty text."""
        status, host = self._shell.status, self._shell.host
        by_hand = self._shell.by_hand and not self._shell.arguments
        known = {
            "HOME": "/root",
            "USER": "root",
            "LOGNAME": "root",
            "PWD": "/root",
            "IFS": " \t\n",
            "#": self._world.mark("$#") if by_hand else str(len(self._shell.arguments)),
            "?": self._world.mark("$?") if status is None else str(status),
            "HOSTNAME": host or self._world.mark("the name of the host where it is started"),
        }
        if name in known:
            return known[name]
        if name in FOREIGN or name in {"$", "!", "-", "_"}:
            return self._world.mark(f"${name}")
        if self._shell.foreign:
            return self._world.mark(f"${name}, perhaps set by {self._shell.foreign}")
        self._world.unset[name] = None
        self._world.consulted[f"${name}"] = None
        return ""

    def _arguments(self) -> list[str]:
        """Return "$@"; what an operator gives is not known."""
        if self._shell.by_hand and not self._shell.arguments:
            return [self._world.mark("the arguments, which the operator gives")]
        return self._shell.arguments

    def _argument(self, number: int) -> str:
        if number == 0:
            return self._shell.name
        if number <= len(self._shell.arguments):
            return self._shell.arguments[number - 1]
        if self._shell.by_hand:
            return self._world.mark(f"argument {number}, which the operator gives")
        return ""

    def braced(self, head: str, operand: str, index_of: Callable[[str], str]) -> list[str]:
        """Return what ${HEAD OPERAND} stands for; `index_of` evaluates an index."""
        sign = head[0] if head[0] in "#!" and len(head) > 1 else ""
        name, bracket, index = head.removeprefix(sign).partition("[")
        index = index.removesuffix("]")
        if bracket and index in {"@", "*"}:
            return self._all(sign, name, operand, index)
        if name in {"@", "*"} and not sign:
            return self._many(name, self._some_arguments(operand))
        value = self._present(name, index if bracket else None, index_of)
        if sign == "#":
            return [str(len(value)) if is_known(value) else self._world.mark(f"${{{head}}}")]
        if sign == "!":
            return [self.value(value) if is_known(value) else value]
        return [self._operated(name, value, operand)]

    def _present(self, name: str, index: str | None, index_of: Callable[[str], str]) -> str:
        """Return the text of a variable, or of one element."""
        if index is None:
            return self.value(name)
        index = self._named_index(index) if name in self._shell.named else index_of(index)
        return self.value(name, index.strip("\"'"))

    def _some_arguments(self, operand: str) -> list[str]:
        """Return the arguments that "${@:OFFSET}" names; offsets count from $0."""
        if not operand.startswith(":"):
            return self._arguments()
        return _sliced([self._shell.name, *self._arguments()], operand)

    def _named_index(self, index: str) -> str:
        """Return the text that an index of a named array stands for."""
        return re.sub(r"\$\{?(\w+)\}?", lambda found: self.value(found[1]), index.strip("\"'"))

    def _all(self, sign: str, name: str, operand: str, which: str) -> list[str]:
        items = self._shell.arrays.get(name)
        if items is None and name in self._shell.variables:
            items = {"0": self._shell.variables[name]}
        items = items or {}
        ordered = dict(sorted(items.items(), key=_index_order))
        if sign == "#":
            return [str(len(ordered))]
        if name in self._shell.named and len(ordered) > 1:
            self._world.assume(
                f"elements of ${{{name}[{which}]}} come in the order in which they are written "
                "(bash has an order of its own)",
                Place("", 0),
            )
        values = list(ordered) if sign == "!" else _sliced(list(ordered.values()), operand)
        return self._many(which, values)

    def _operated(self, name: str, value: str, operand: str) -> str:
        if not operand:
            return value
        found = re.match(r":?[-=+?]", operand)
        if found:
            self._world.unset.pop(name, None)
            return self._default(name, value, found[0], operand[found.end() :])
        if not is_known(value, operand):
            return self._world.mark(f"${{{name}{self._world.unknowns.show(operand)}}}")
        try:
            return self._changed(value, operand)
        except (UnsafeError, ValueError):
            return self._world.mark(f"${{{name}{operand}}}")

    def _default(self, name: str, value: str, operator: str, other: str) -> str:
        there = bool(value) if operator[0] == ":" else self.is_set(name)
        kind = operator[-1]
        if name.isdigit() and kind == "-" and self._shell.by_hand and not self.is_set(name):
            self._world.consulted[f"${name}"] = None
            self._world.assume(
                f"{self._shell.name} is started without arguments: ${name} is {other}",
                Place(self._shell.name, 1),
            )
            return other
        if kind == "+":
            return other if there else ""
        if there or kind == "?":
            return value
        if kind == "=":
            self._shell.set(name, other)
        return other

    def _changed(self, value: str, operand: str) -> str:
        if operand[0] in "#%":
            longest = operand[:2] in {"##", "%%"}
            pattern = operand[2 if longest else 1 :]
            return _cut(value, pattern, longest=longest, front=operand[0] == "#")
        if operand[0] == "/":
            return _replaced(value, operand)
        if operand[0] == ":":
            return "".join(_sliced(list(value), operand))
        if operand[0] in "^,":
            change = str.upper if operand[0] == "^" else str.lower
            every = operand[:2] in {"^^", ",,"}
            return change(value) if every else change(value[:1]) + value[1:]
        raise ValueError(operand)


def _sliced(values: list[str], operand: str) -> list[str]:
    """Return the part that :OFFSET:LENGTH names; all without an operand."""
    if not operand:
        return values
    found = re.fullmatch(r":\s*(-?\d{1,6})(?::\s*(-?\d{1,6}))?", operand)
    if not found:
        raise ValueError(operand)
    start = int(found[1]) if int(found[1]) >= 0 else max(len(values) + int(found[1]), 0)
    if found[2] is None:
        return values[start:]
    length = int(found[2])
    return values[start : start + length] if length >= 0 else values[start:length]


def _index_order(item: tuple[str, str]) -> tuple[int, str]:
    index = item[0]
    return (int(index[:12]) if index.isascii() and index.isdigit() else 0, index)


def _cut(value: str, pattern: str, *, longest: bool, front: bool) -> str:
    """Remove what a pattern matches at one end."""
    compiled = glob(pattern)
    if len(value) > _MOST_CUT:
        raise ValueError(value[:20])
    lengths = range(len(value), -1, -1) if longest else range(len(value) + 1)
    for length in lengths:
        piece = value[:length] if front else value[len(value) - length :]
        if compiled.match(piece):
            return value[length:] if front else value[: len(value) - length]
    return value


def _replaced(value: str, operand: str) -> str:
    """Return a value with /PATTERN/TEXT or //PATTERN/TEXT applied, of patterns without stars."""
    every = operand.startswith("//")
    pattern, text = [*re.split(r"(?<!\\)/", operand[2 if every else 1 :], maxsplit=1), ""][:2]
    if re.search(r"[*?[]", pattern) or not pattern:
        raise ValueError(operand)
    if pattern[0] in "#%" and len(pattern) > 1:
        raise ValueError(operand)
    return value.replace(pattern.replace("\\", ""), text, -1 if every else 1)
