"""Programs that only turn text into text: cut, head, tr, seq and so on, as scripts use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pacefab.legacy.bash.patterns import UnsafeError, matchable, regex
from pacefab.legacy.model import CommandResult

_MOST_NUMBERS = 20_000
Filter = Callable[[Sequence[str], str], CommandResult | None]


def run_filter(name: str, arguments: Sequence[str], text: str) -> CommandResult | None:
    """Return what a filter answers; None when it is none, or is used in a way that is not known."""
    try:
        return FILTERS[name](arguments, text) if name in FILTERS else None
    except (UnsafeError, ValueError, IndexError):
        return None


def options(arguments: Sequence[str], taking: str, plain: str) -> tuple[dict[str, str], list[str]]:
    """Split arguments as getopt does: options by letter, operands.

    Raises:
        ValueError: there is one that is neither in `taking` (a value follows) nor in `plain`.
    """
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        for at, letter in enumerate(word[1:], 1):
            if letter in taking:
                found[letter] = word[at + 1 :] or rest.pop(0)
                break
            if letter not in plain:
                raise ValueError(word)
            found[letter] = ""
    return found, rest


def lines(text: str) -> list[str]:
    """Return the lines of a text, without an empty one after the last newline."""
    return text.removesuffix("\n").split("\n") if text else []


def joined(parts: Sequence[str]) -> str:
    """Return lines as a text."""
    return "".join(f"{part}\n" for part in parts)


def _cut(arguments: Sequence[str], text: str) -> CommandResult | None:
    found, operands = options(arguments, "dfcb", "s")
    if operands:
        return None
    delimiter = found.get("d", "\t")
    characters = found.get("c", found.get("b"))
    if characters is not None:
        return CommandResult(
            0, joined(["".join(_picked(characters, line)) for line in lines(text)])
        )
    return CommandResult(
        0, joined([_cut_fields(found["f"], delimiter, line) for line in lines(text)])
    )


def _cut_fields(desired: str, delimiter: str, line: str) -> str:
    fields = line.split(delimiter)
    return line if len(fields) == 1 else delimiter.join(_picked(desired, fields))


def _picked(desired: str, parts: Sequence[str]) -> list[str]:
    """Return the parts (from 1) that a list such as 1,3-5,7- names."""
    numbers: set[int] = set()
    for one in desired.split(","):
        first, dash, last = one.partition("-")
        end = min(int(last), len(parts)) if last else (len(parts) if dash else int(first))
        numbers.update(range(int(first or 1), min(end, len(parts)) + 1))
    return [part for number, part in enumerate(parts, 1) if number in numbers]


def _end(arguments: Sequence[str], text: str, *, last: bool) -> CommandResult | None:
    if arguments and re.fullmatch(r"-\d+", arguments[0]):
        arguments = ["-n", arguments[0][1:], *arguments[1:]]
    found, operands = options(arguments, "n", "q")
    if operands:
        return None
    every = lines(text)
    count = found.get("n", "10")
    if last:
        return CommandResult(
            0, joined(every[int(count) - 1 :] if count[0] == "+" else every[-int(count) :])
        )
    return CommandResult(0, joined(every[: int(count)]))


def _grep(arguments: Sequence[str], text: str, *, extended: bool = False) -> CommandResult | None:
    found, operands = options(arguments, "emABC", "ivEFqwovnc")
    pattern = found["e"] if "e" in found else operands.pop(0)
    if operands or "m" in found:
        return None
    if "F" in found:
        pattern = re.escape(pattern)
    pattern = rf"\b{pattern}\b" if "w" in found else pattern
    desired = regex(
        pattern, extended=extended or bool({"E", "F"} & set(found)), ignore_case="i" in found
    )
    kept = [
        (number, line)
        for number, line in enumerate(lines(text), 1)
        if bool(desired.search(matchable(line))) != ("v" in found)
    ]
    status = 0 if kept else 1
    if "q" in found:
        return CommandResult(status)
    if "c" in found:
        return CommandResult(status, f"{len(kept)}\n")
    if {"A", "B", "C"} & set(found):
        return CommandResult(
            status, _with_context(lines(text), [number for number, _ in kept], found)
        )
    shown = [hit[0] for _, line in kept for hit in desired.finditer(line)] if "o" in found else None
    prefix = "n" in found
    texts = shown or [f"{number}:{line}" if prefix else line for number, line in kept]
    return CommandResult(status, joined(texts))


def _with_context(every: list[str], hits: list[int], found: dict[str, str]) -> str:
    """Return lines (counted from 1) with those around them; -- between groups, as grep does it."""
    before = int(found.get("B", found.get("C", "0")))
    after = int(found.get("A", found.get("C", "0")))
    desired = {near for hit in hits for near in range(hit - before, hit + after + 1)}
    numbers = sorted(number for number in desired if 1 <= number <= len(every))
    parts: list[str] = []
    for at, number in enumerate(numbers):
        if at and numbers[at - 1] != number - 1:
            parts.append("--")
        parts.append(every[number - 1])
    return joined(parts)


def _tr(arguments: Sequence[str], text: str) -> CommandResult | None:
    found, operands = options(arguments, "", "ds")
    first = _characters(operands[0])
    if "d" in found:
        return CommandResult(0, "".join(one for one in text if one not in first))
    if len(operands) == 1 and "s" in found:
        return CommandResult(0, re.sub(f"([{re.escape(first)}])\\1+", r"\1", text))
    second = _characters(operands[1])
    table = {ord(one): second[min(at, len(second) - 1)] for at, one in enumerate(first)}
    text = text.translate(table)
    if "s" in found:
        text = re.sub(f"([{re.escape(second)}])\\1+", r"\1", text)
    return CommandResult(0, text)


def _characters(text: str) -> str:
    text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
    for name, members in (("upper", "A-Z"), ("lower", "a-z"), ("digit", "0-9"), ("space", " \t\n")):
        text = text.replace(f"[:{name}:]", members)
    return re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), text)


def _sort(arguments: Sequence[str], text: str) -> CommandResult | None:
    found, operands = options(arguments, "", "unrV")
    if operands or "V" in found:
        return None
    every = sorted(lines(text), key=_number_first if "n" in found else str, reverse="r" in found)
    return CommandResult(0, joined(list(dict.fromkeys(every)) if "u" in found else every))


def _number_first(line: str) -> tuple[int, str]:
    digits = re.match(r"\s*(-?\d{1,18})", line)
    return (int(digits[1]) if digits else 0, line)


def _uniq(arguments: Sequence[str], text: str) -> CommandResult | None:
    if arguments:
        return None
    every = lines(text)
    return CommandResult(
        0, joined([one for at, one in enumerate(every) if at == 0 or one != every[at - 1]])
    )


def _wc(arguments: Sequence[str], text: str) -> CommandResult | None:
    counts = {"-l": text.count("\n"), "-w": len(text.split()), "-c": len(text.encode())}
    return CommandResult(0, f"{counts[arguments[0]]}\n") if len(arguments) == 1 else None


def _seq(arguments: Sequence[str], _text: str) -> CommandResult | None:
    found, operands = options([one for one in arguments if one != "-w"], "sf", "")
    if "f" in found:
        return None
    numbers = [int(one) for one in operands]
    first, step, last = {1: [1, 1, *numbers], 2: [*numbers[:1], 1, *numbers[1:]]}.get(
        len(numbers), numbers
    )
    desired = range(first, last + (1 if step > 0 else -1), step)
    if len(desired) > _MOST_NUMBERS:
        return None
    width = max(map(len, map(str, [*operands, last])), default=0) if "-w" in arguments else 0
    separator = found.get("s", "\n")
    text = separator.join(str(one).zfill(width) for one in desired)
    return CommandResult(0, text + "\n" if text else "")


def _basename(arguments: Sequence[str], _text: str) -> CommandResult | None:
    name = arguments[0].rstrip("/").rpartition("/")[2]
    return CommandResult(0, name.removesuffix(arguments[1] if len(arguments) > 1 else "") + "\n")


def _dirname(arguments: Sequence[str], _text: str) -> CommandResult | None:
    return CommandResult(0, (arguments[0].rstrip("/").rpartition("/")[0] or ".") + "\n")


def _same_path(arguments: Sequence[str], _text: str) -> CommandResult | None:
    """Return the path that readlink -f and realpath are asked for: links are not followed here."""
    _, operands = options([one for one in arguments if not one.startswith("--")], "", "femsqnz")
    return CommandResult(0, joined(operands)) if operands else None


def _passed_on(arguments: Sequence[str], text: str) -> CommandResult | None:
    return CommandResult(0, text) if not [one for one in arguments if one != "-"] else None


def _reversed(arguments: Sequence[str], text: str) -> CommandResult | None:
    if arguments:
        return None
    return CommandResult(0, joined([line[::-1] for line in lines(text)]))


def _paste(arguments: Sequence[str], text: str) -> CommandResult | None:
    found, operands = options(arguments, "d", "s")
    if "s" not in found or operands not in ([], ["-"]):
        return None
    return CommandResult(0, found.get("d", "\t").join(lines(text)) + "\n")


FILTERS: dict[str, Filter] = {
    "cut": _cut,
    "head": lambda arguments, text: _end(arguments, text, last=False),
    "tail": lambda arguments, text: _end(arguments, text, last=True),
    "grep": _grep,
    "egrep": lambda arguments, text: _grep(arguments, text, extended=True),
    "fgrep": lambda arguments, text: _grep(["-F", *arguments], text),
    "tr": _tr,
    "sort": _sort,
    "uniq": _uniq,
    "wc": _wc,
    "seq": _seq,
    "basename": _basename,
    "dirname": _dirname,
    "readlink": _same_path,
    "realpath": _same_path,
    "cat": _passed_on,
    "more": _passed_on,
    "less": _passed_on,
    "rev": _reversed,
    "paste": _paste,
}
