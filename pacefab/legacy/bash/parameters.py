"""Parameters of a shell: $x, ${x[i]}, ${x:-y}, ${x##*/} and their kind."""

from __future__ import annotations

import re
from collections.abc import Callable

from pacefab.legacy.bash.globs import unescaped
from pacefab.legacy.bash.operations import changed, sliced
from pacefab.legacy.bash.patterns import UnsafeError
from pacefab.legacy.bash.shell import FOREIGN, Shell
from pacefab.legacy.bash.world import World
from pacefab.legacy.model import AssumedStatus, Place
from pacefab.legacy.questions import Question, Unsaid
from pacefab.legacy.unknown import BREAK, is_known

_DEFAULT = re.compile(r":?[-=+?]")
_HEAD = re.compile(r"\w+(\[[^\]]*\])?|[@*#?]")


class ShellParameters:
    """Looks parameters up in one shell."""

    def __init__(self, shell: Shell, world: World, file: str = "") -> None:
        self._shell = shell
        self._file = file  # of the script whose words are expanded
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
        name = self._shell.resolve(name)
        if index is not None:
            return self._element(name, index)
        if "[" in name:  # what a reference names
            base, _, inner = name.partition("[")
            return self._element(base, inner.removesuffix("]"))
        if name in self._shell.arrays:
            return self._shell.arrays[name].get("0", "")
        if name in self._shell.variables:
            self._world.consulted.update(self._shell.rests.get(name, {}))
            return self._shell.variables[name]
        return self._argument(int(name[:4])) if name.isdigit() else self._special(name)

    def is_set(self, name: str, index: str | None = None) -> bool:
        """Return whether a script set it (what the environment has is not known)."""
        name = self._shell.resolve(name)
        if name.isdigit():
            return int(name) <= len(self._shell.arguments)
        if index is not None and (name in self._shell.arrays or index != "0"):
            return index in self._shell.arrays.get(name, {})
        return name in self._shell.variables or bool(self._shell.arrays.get(name))

    def _element(self, name: str, index: str) -> str:
        items = self._shell.arrays.get(name)
        if items is None:
            return self.value(name) if index == "0" else ""
        if not is_known(index):
            return self._world.mark(f"{name}[{index}]")
        if re.fullmatch(r"-\d{1,4}", index):  # from the end
            index = str(
                max((int(key) for key in items if key.isdigit()), default=-1) + 1 + int(index)
            )
        return items.get(index, "")

    def _special(self, name: str) -> str:
        """Return what the shell itself gives; of what nothing sets, an empty text."""
        status, host = self._shell.status, self._shell.host
        unclear = status is None or isinstance(status, AssumedStatus)
        if name == "#" and self._shell.by_hand:
            return self._given(0, "$#")
        if name == "HOSTNAME" and not host:
            return self._world.ask_host()
        known = {
            "HOME": "/root",
            "OPTIND": "1",
            "BASH_SOURCE": self._file,
            "FUNCNAME": self._shell.running[-1] if self._shell.running else "",
            "USER": "root",
            "LOGNAME": "root",
            "PWD": "/root" if host else self._world.mark("the folder where it is started"),
            "IFS": " \t\n",
            "#": str(len(self._shell.arguments)),
            "?": self._world.mark("$?") if unclear else str(status),
            "HOSTNAME": host,
        }
        if name in known:
            return known[name]
        if name in FOREIGN or name in {"$", "!", "-", "_"}:
            return self._world.mark(f"${name}")
        question = Question(Unsaid.VARIABLE, "", name)
        if self._shell.foreign:
            mark = self._world.mark(f"${name}, perhaps set by {self._shell.foreign}")
            self._world.inquiry.ask(question, self._world.here, mark)
            return mark
        self._world.inquiry.ask(question, self._world.here)
        self._world.unset[name] = None
        self._world.consulted[f"${name}"] = None
        return ""

    def _arguments(self) -> list[str]:
        """Return "$@"; what an operator gives is not known."""
        if self._shell.by_hand:
            rest = self._given(0, "the arguments, which the operator gives")
            return [*self._shell.arguments, rest]
        return self._shell.arguments

    def _given(self, number: int, what: str) -> str:
        """Return the mark of an argument that the operator gives (0: of all together)."""
        mark = self._world.mark(what)
        question = Question(Unsaid.ARGUMENT, self._shell.name, str(number))
        self._world.inquiry.ask(question, self._world.here, mark)
        return mark

    def _argument(self, number: int) -> str:
        if number == 0:
            return self._shell.name
        if number <= len(self._shell.arguments):
            return self._shell.arguments[number - 1]
        if self._shell.by_hand:
            number += self._shell.shifted
            return self._given(number, f"argument {number}, which the operator gives")
        return ""

    def braced(self, head: str, operand: str, index_of: Callable[[str], str]) -> list[str]:
        """Return what ${HEAD OPERAND} stands for; `index_of` evaluates arithmetic."""
        sign = head[0] if head[0] in "#!" and len(head) > 1 else ""
        name, bracket, index = head.removeprefix(sign).partition("[")
        index = index.removesuffix("]")
        if bracket and index in {"@", "*"}:
            return self._all(sign, name, operand, index, index_of)
        if name in {"@", "*"}:
            return self._of_arguments(sign, name, operand, index_of)
        if sign == "!":
            return self._pointed(name, index if bracket else None, operand, index_of)
        value = self._present(name, index if bracket else None, index_of)
        if sign == "#":
            return [str(len(value)) if is_known(value) else self._world.mark(f"${{{head}}}")]
        there = self.is_set(name, self._index(name, index, index_of) if bracket else None)
        return [self._operated(name, value, operand, index_of, there=there)]

    def _pointed(
        self, name: str, index: str | None, operand: str, index_of: Callable[[str], str]
    ) -> list[str]:
        """Return what ${!NAME} stands for: the parameter that is named by the text of NAME."""
        if operand in {"*", "@"}:  # ${!PREFIX*}: names
            names = {*self._shell.variables, *self._shell.arrays}
            return self._many(operand, sorted(one for one in names if one.startswith(name)))
        if name in self._shell.references:
            return [self._shell.references[name]]
        value = self._present(name, index, index_of)
        if not is_known(value):
            return [value]
        if not _HEAD.fullmatch(value):
            return [self._world.mark(f"${{!{name}}}")]
        return self.braced(value, operand, index_of)

    def _present(self, name: str, index: str | None, index_of: Callable[[str], str]) -> str:
        """Return the text of a variable, or of one element."""
        if index is None:
            return self.value(name)
        return self.value(name, self._index(name, index, index_of))

    def _index(self, name: str, index: str, index_of: Callable[[str], str]) -> str:
        """Return the text of an index: of a named array as it stands, else what it comes to."""
        if self._shell.resolve(name) not in self._shell.named:
            return index_of(index).strip("\"'")
        index = index.strip("\"'")
        return re.sub(r"\$\{?(\w+)\}?", lambda found: self.value(found[1]), index)

    def _of_arguments(
        self, sign: str, name: str, operand: str, index_of: Callable[[str], str]
    ) -> list[str]:
        """Return "${@…}", and what ${#@} and ${!#} stand for."""
        values = self._arguments()
        if sign == "#":
            return [self.value("#")]
        if sign:
            return [self._world.mark(f"${{!{name}}}")]
        if self._shell.by_hand and not self._shell.arguments:
            return self._many(name, values)
        if operand.startswith(":") and operand[1:2] not in set("-=+?"):
            values, operand = [self._shell.name, *values], f":{operand[1:]}"
        return self._many(name, self._each("@", values, operand, index_of))

    def _all(
        self, sign: str, name: str, operand: str, which: str, index_of: Callable[[str], str]
    ) -> list[str]:
        name = self._shell.resolve(name)
        items = self._shell.arrays.get(name)
        if items is None and name in self._shell.variables:
            items = {"0": self._shell.variables[name]}
        if items is None and self._shell.foreign:
            return [self.value(name)]
        ordered = dict(sorted((items or {}).items(), key=_index_order))
        if sign == "#":
            return [str(len(ordered))]
        if name in self._shell.named and len(ordered) > 1:
            self._world.assume(
                f"elements of ${{{name}[{which}]}} come in the order in which they are written "
                "(bash has an order of its own)",
                Place("", 0),
            )
        values = list(ordered) if sign == "!" else list(ordered.values())
        return self._many(which, self._each(name, values, operand, index_of))

    def _each(
        self, name: str, values: list[str], operand: str, index_of: Callable[[str], str]
    ) -> list[str]:
        """Return values with an operator applied to each; a slice, or a default, of all of them."""
        if not operand:
            return values
        found = _DEFAULT.match(operand)
        if found:
            other = unescaped(operand[found.end() :])
            there = bool(values) and (found[0][0] != ":" or values != [""])
            if found[0][-1] == "+":
                return [other] if there else []
            return values if there or found[0][-1] == "?" else [other]
        if operand[0] == ":":
            try:
                return sliced(values, operand, lambda text: int(index_of(text) or 0))
            except ValueError:
                return [self._world.mark(f"${{{name}{operand}}}")]
        return [self._operated(name, value, operand, index_of, there=True) for value in values]

    def _operated(
        self, name: str, value: str, operand: str, index_of: Callable[[str], str], *, there: bool
    ) -> str:
        if not operand:
            return value
        found = _DEFAULT.match(operand)
        if found:
            self._world.unset.pop(name, None)
            other = unescaped(operand[found.end() :])
            return self._default(name, value, found[0], other, there=there)
        if not is_known(value, operand):
            return self._world.unknowns.mark(f"${{{name}{operand}}}", value)
        try:
            if operand[0] == ":":
                return "".join(sliced(list(value), operand, lambda text: int(index_of(text) or 0)))
            return changed(value, operand)
        except (UnsafeError, ValueError):
            return self._world.mark(f"${{{name}{operand}}}")

    def _default(self, name: str, value: str, operator: str, other: str, *, there: bool) -> str:
        there = bool(value) if operator[0] == ":" else there
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


def _index_order(item: tuple[str, str]) -> tuple[int, str]:
    index = item[0]
    return (int(index[:12]) if index.isascii() and index.isdigit() else 0, index)
