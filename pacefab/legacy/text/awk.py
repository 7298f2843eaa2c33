"""What an awk program prints, for programs of the part of awk in `awk_syntax`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pacefab.legacy.bash.patterns import UnsafeError, matchable, regex
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import Syntax, UnknownOptionError, split_options
from pacefab.legacy.text.awk_syntax import AwkError, AwkNode, AwkRule, parse_awk
from pacefab.legacy.text.awk_values import (
    FUNCTIONS,
    combined,
    looks_like_number,
    number_of,
    shown,
    split_fields,
)
from pacefab.legacy.text.lines import lines

_AWK = Syntax("F v", "", long={"field-separator": "F", "assign": "v"})
_MOST_STEPS = 50_000
_MOST_OUTPUT = 200_000
_MOST_FIELDS = 2000


class _StopError(Exception):
    """`next` or `exit`, as its argument says."""


def split_awk(arguments: Sequence[str]) -> tuple[str, dict[str, str], list[str]]:
    """Return the program, the variables set (-v, -F as FS) and the files.

    Raises:
        AwkError: there is no program, or an option that is not known.
    """
    try:
        options = split_options(arguments, _AWK)
    except UnknownOptionError as error:
        raise AwkError(*error.args) from None
    variables: dict[str, str] = {}
    for option in options.given:
        if option.name == "F":
            variables["FS"] = option.value.replace("\\t", "\t")
        else:
            name, _, value = option.value.partition("=")
            variables[name] = value
    if not options.operands:
        raise AwkError("no program")
    return options.operands[0], variables, options.operands[1:]


def run_awk(program: str, variables: dict[str, str], text: str) -> CommandResult | None:
    """Return what a program prints for a text; None when it needs more of awk than is known."""
    try:
        return CommandResult(0, _AwkRun(parse_awk(program), variables).over(lines(text)))
    except (AwkError, UnsafeError, ValueError, ZeroDivisionError, OverflowError, RecursionError):
        return None


class _AwkRun:
    def __init__(self, rules: Sequence[AwkRule], variables: dict[str, str]) -> None:
        self._rules = rules
        self._inside = [False] * len(rules)
        self._names = {"FS": " ", "OFS": " ", "ORS": "\n", "NR": "0", "NF": "0", **variables}
        self._fields: list[str] = [""]
        self._done: list[str] = []
        self._steps = 0

    def over(self, text: Sequence[str]) -> str:
        try:
            self._special("begin")
            if any(rule.kind != "begin" for rule in self._rules):
                self._lines(text)
            self._special("end")
        except _StopError as stop:
            if stop.args[0] == "next":
                raise AwkError("next outside of a line") from None
        return "".join(self._done)

    def _lines(self, text: Sequence[str]) -> None:
        try:
            for number, line in enumerate(text, 1):
                self._line(number, line)
        except _StopError:  # exit: END still runs
            return

    def _line(self, number: int, line: str) -> None:
        self._names["NR"] = str(number)
        self._split(matchable(line))
        try:
            for at, rule in enumerate(self._rules):
                if rule.kind == "line" and self._applies(at, rule):
                    self._run(rule.action or ("print", []))
        except _StopError as stop:
            if stop.args[0] == "exit":
                raise

    def _applies(self, at: int, rule: AwkRule) -> bool:
        if rule.last is None:
            return rule.pattern is None or self._true(rule.pattern)
        if not self._inside[at]:
            self._inside[at] = rule.pattern is not None and self._true(rule.pattern)
            if not self._inside[at]:
                return False
        self._inside[at] = not self._true(rule.last)
        return True

    def _special(self, kind: str) -> None:
        for rule in self._rules:
            if rule.kind == kind and rule.action:
                self._run(rule.action)

    def _split(self, line: str) -> None:
        fields = split_fields(line, self._names["FS"])
        if len(fields) > _MOST_FIELDS:
            raise AwkError("too many fields")
        self._fields = [line, *fields]
        self._names["NF"] = str(len(fields))

    def _run(self, node: AwkNode) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS or len(self._done) > _MOST_OUTPUT:
            raise AwkError("it takes too long")
        getattr(self, f"_run_{node[0]}")(node)

    def _run_block(self, node: AwkNode) -> None:
        for one in node[1]:
            self._run(one)

    def _run_do(self, node: AwkNode) -> None:
        self._value(node[1])

    def _run_print(self, node: AwkNode) -> None:
        values = [self._value(one) for one in node[1]] or [self._fields[0]]
        self._done.append(self._names["OFS"].join(values) + self._names["ORS"])

    def _run_printf(self, node: AwkNode) -> None:
        form, *values = [self._value(one) for one in node[1]]
        if re.search(r"%[^sd%]", form):
            raise AwkError("printf")
        parts: list[str | int] = [
            int(number_of(value)) if kind == "d" else value
            for kind, value in zip(re.findall(r"%([sd])", form), values, strict=True)
        ]
        self._done.append(form % tuple(parts))

    def _run_if(self, node: AwkNode) -> None:
        self._run(node[2] if self._true(node[1]) else node[3])

    def _run_for(self, node: AwkNode) -> None:
        _, first, condition, step, body = node
        if first:
            self._value(first)
        while condition is None or self._true(condition):
            self._run(body)
            if step:
                self._value(step)

    def _run_next(self, _node: AwkNode) -> None:
        raise _StopError("next")

    def _run_exit(self, _node: AwkNode) -> None:
        raise _StopError("exit")

    def _true(self, node: AwkNode) -> bool:
        if node[0] == "regex":
            return bool(regex(node[1], extended=True).search(self._fields[0]))
        value = self._value(node)
        return number_of(value) != 0 if looks_like_number(value) else bool(value)

    def _value(self, node: AwkNode) -> str:
        value: str = getattr(self, f"_value_{node[0]}")(node)
        return value

    def _value_constant(self, node: AwkNode) -> str:
        return str(node[1])

    def _value_regex(self, node: AwkNode) -> str:
        return str(int(self._true(node)))

    def _value_name(self, node: AwkNode) -> str:
        return self._names.get(node[1], "")

    def _value_element(self, node: AwkNode) -> str:
        return self._names.get(f"{node[1]}[{self._value(node[2])}]", "")

    def _value_field(self, node: AwkNode) -> str:
        number = int(number_of(self._value(node[1])))
        return self._fields[number] if 0 <= number < len(self._fields) else ""

    def _value_set(self, node: AwkNode) -> str:
        value = self._value(node[2])
        self._put(node[1], value)
        return value

    def _put(self, target: AwkNode, value: str) -> None:
        if target[0] == "name":
            self._names[target[1]] = value
        elif target[0] == "element":
            self._names[f"{target[1]}[{self._value(target[2])}]"] = value
        else:
            self._put_field(int(number_of(self._value(target[1]))), value)

    def _put_field(self, number: int, value: str) -> None:
        if number == 0:
            self._split(value)
            return
        if number >= len(self._fields):
            raise AwkError("a new field")
        self._fields[number] = value
        self._fields[0] = self._names["OFS"].join(self._fields[1:])

    def _value_change(self, node: AwkNode) -> str:
        before = self._value(node[1])
        after = shown(number_of(before) + node[2])
        self._put(node[1], after)
        return after if node[3] == "before" else shown(number_of(before))

    def _value_choice(self, node: AwkNode) -> str:
        return self._value(node[2] if self._true(node[1]) else node[3])

    def _value_unary(self, node: AwkNode) -> str:
        if node[1] == "!":
            return str(int(not self._true(node[2])))
        value = number_of(self._value(node[2]))
        return shown(-value if node[1] == "-" else value)

    def _value_binary(self, node: AwkNode) -> str:
        _, operator, left, right = node
        if operator == "&&":
            return str(int(self._true(left) and self._true(right)))
        if operator == "||":
            return str(int(self._true(left) or self._true(right)))
        if operator in {"~", "!~"}:
            pattern = right[1] if right[0] == "regex" else self._value(right)
            found = regex(pattern, extended=True).search(matchable(self._value(left)))
            return str(int(bool(found) == (operator == "~")))
        return combined(operator, self._value(left), self._value(right))

    def _value_call(self, node: AwkNode) -> str:
        _, name, arguments = node
        if name in {"gsub", "sub"}:
            return self._substituted(name, arguments)
        if name == "split":
            return self._split_into(arguments)
        values = [self._value(one) for one in arguments] or [self._fields[0]]
        return FUNCTIONS[name](values)

    def _substituted(self, name: str, arguments: list[AwkNode]) -> str:
        target: AwkNode = arguments[2] if len(arguments) > 2 else ("field", ("constant", "0"))  # noqa: PLR2004
        first = arguments[0]
        pattern = first[1] if first[0] == "regex" else self._value(first)
        by = self._value(arguments[1]).replace("\\", "\\\\")
        text, count = regex(pattern, extended=True).subn(
            by.replace("&", "\\g<0>"), self._value(target), count=0 if name == "gsub" else 1
        )
        self._put(target, text)
        return str(count)

    def _split_into(self, arguments: list[AwkNode]) -> str:
        separator = self._names["FS"]
        if len(arguments) > 2:  # noqa: PLR2004  # text, array, separator
            separator = self._value(arguments[2])
        fields = split_fields(self._value(arguments[0]), separator)
        for number, field in enumerate(fields, 1):
            self._names[f"{arguments[1][1]}[{number}]"] = field
        return str(len(fields))
