"""Programs that only turn text into text: cut, head, tr, seq and so on, as scripts use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pacefab.legacy.bash.patterns import UnsafeError
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.text.grep import grep
from pacefab.legacy.text.lines import joined, lines

_MOST_NUMBERS = 20_000
_CUT = Syntax(
    "d f c b",
    "s",
    long={"delimiter": "d", "fields": "f", "characters": "c", "bytes": "b", "only-delimited": "s"},
    mixed=True,
)
_END = Syntax("n", "q", long={"lines": "n", "quiet": "q", "silent": "q"}, mixed=True)
_TR = Syntax("", "d s", long={"delete": "d", "squeeze-repeats": "s"})
_SORT = Syntax("", "u n r V", long={"unique": "u", "numeric-sort": "n", "reverse": "r"}, mixed=True)
_WC = Syntax("", "l w c", long={"lines": "l", "words": "w", "bytes": "c"}, mixed=True)
_SEQ = Syntax("s f", "w", long={"separator": "s", "format": "f", "equal-width": "w"})
_PATHS = Syntax(  # readlink, realpath
    "",
    "f e m s q n z",
    long={
        "canonicalize": "f", "canonicalize-existing": "e", "canonicalize-missing": "m",
        "strip": "s", "no-symlinks": "s", "quiet": "q", "silent": "q", "no-newline": "n",
        "zero": "z",
    },
    mixed=True,
)  # fmt: skip
_PASTE = Syntax("d", "s", long={"delimiters": "d", "serial": "s"}, mixed=True)
Filter = Callable[[Sequence[str], str], CommandResult | None]


def run_filter(name: str, arguments: Sequence[str], text: str) -> CommandResult | None:
    """Return what a filter answers; None when it is none, or is used in a way that is not known."""
    try:
        return FILTERS[name](arguments, text) if name in FILTERS else None
    except (UnsafeError, ValueError, IndexError):
        return None


def _cut(arguments: Sequence[str], text: str) -> CommandResult | None:
    options = split_options(arguments, _CUT)
    if options.operands:
        return None
    characters = options.values("c", "b")
    if characters:
        return CommandResult(
            0, joined(["".join(_picked(characters[0], line)) for line in lines(text)])
        )
    fields, delimiter = options.values("f")[-1], options.value("d", "\t")
    return CommandResult(0, joined([_cut_fields(fields, delimiter, line) for line in lines(text)]))


def _cut_fields(desired: str, delimiter: str, line: str) -> str:
    fields = line.split(delimiter)
    return line if len(fields) == 1 else delimiter.join(_picked(desired, fields))


def _picked(desired: str, parts: Sequence[str]) -> list[str]:
    """Return the parts (from 1) that a list such as 1,3-5,7- names."""
    numbers: set[int] = set()
    for range_ in desired.split(","):
        first, dash, last = range_.partition("-")
        end = min(int(last), len(parts)) if last else (len(parts) if dash else int(first))
        numbers.update(range(int(first or 1), min(end, len(parts)) + 1))
    return [part for number, part in enumerate(parts, 1) if number in numbers]


def _end(arguments: Sequence[str], text: str, *, last: bool) -> CommandResult | None:
    if arguments and re.fullmatch(r"-\d+", arguments[0]):
        arguments = ["-n", arguments[0][1:], *arguments[1:]]
    options = split_options(arguments, _END)
    if options.operands:
        return None
    every, count = lines(text), options.value("n", "10")
    if not last:
        return CommandResult(0, joined(every[: int(count)]))
    first = int(count) - 1 if count[0] == "+" else max(0, len(every) - abs(int(count)))
    return CommandResult(0, joined(every[first:]))


def _tr(arguments: Sequence[str], text: str) -> CommandResult | None:
    options = split_options(arguments, _TR)
    operands = options.operands
    first = _characters(operands[0])
    if "d" in options:
        return CommandResult(0, "".join(character for character in text if character not in first))
    if len(operands) == 1 and "s" in options:
        return CommandResult(0, re.sub(f"([{re.escape(first)}])\\1+", r"\1", text))
    second = _characters(operands[1])
    table = {ord(character): second[min(at, len(second) - 1)] for at, character in enumerate(first)}
    text = text.translate(table)
    if "s" in options:
        text = re.sub(f"([{re.escape(second)}])\\1+", r"\1", text)
    return CommandResult(0, text)


def _characters(text: str) -> str:
    text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")
    for name, members in (("upper", "A-Z"), ("lower", "a-z"), ("digit", "0-9"), ("space", " \t\n")):
        text = text.replace(f"[:{name}:]", members)
    return re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), text)


def _sort(arguments: Sequence[str], text: str) -> CommandResult | None:
    options = split_options(arguments, _SORT)
    if options.operands or "V" in options:
        return None
    key = _number_first if "n" in options else str
    every = sorted(lines(text), key=key, reverse="r" in options)
    return CommandResult(0, joined(list(dict.fromkeys(every)) if "u" in options else every))


def _number_first(line: str) -> tuple[int, str]:
    digits = re.match(r"\s*(-?\d{1,18})", line)
    return (int(digits[1]) if digits else 0, line)


def _uniq(arguments: Sequence[str], text: str) -> CommandResult | None:
    if arguments:
        return None
    every = lines(text)
    return CommandResult(
        0, joined([line for at, line in enumerate(every) if at == 0 or line != every[at - 1]])
    )


def _wc(arguments: Sequence[str], text: str) -> CommandResult | None:
    options = split_options(arguments, _WC)
    if options.operands or len(options.given) != 1 or options.given[0].name not in {"l", "w"}:
        return None  # whether the last line has an end is not known: -c counts it
    counts = {"l": text.count("\n"), "w": len(text.split())}
    return CommandResult(0, f"{counts[options.given[0].name]}\n")


def _seq(arguments: Sequence[str], _text: str) -> CommandResult | None:
    options = split_options(arguments, _SEQ)
    if "f" in options:
        return None
    numbers = [int(word) for word in options.operands]
    first, step, last = {1: [1, 1, *numbers], 2: [*numbers[:1], 1, *numbers[1:]]}.get(
        len(numbers), numbers
    )
    desired = range(first, last + (1 if step > 0 else -1), step)
    if len(desired) > _MOST_NUMBERS:
        return None
    width = max(map(len, map(str, [*options.operands, last])), default=0) if "w" in options else 0
    text = options.value("s", "\n").join(str(number).zfill(width) for number in desired)
    return CommandResult(0, text + "\n" if text else "")


def _basename(arguments: Sequence[str], _text: str) -> CommandResult | None:
    path, *suffix = arguments[1:] if arguments[0] == "--" else arguments
    if path.startswith("-"):
        return None
    name = path.rstrip("/").rpartition("/")[2]
    return CommandResult(0, name.removesuffix(suffix[0] if suffix else "") + "\n")


def _dirname(arguments: Sequence[str], _text: str) -> CommandResult | None:
    return CommandResult(0, (arguments[0].rstrip("/").rpartition("/")[0] or ".") + "\n")


def _same_path(arguments: Sequence[str], _text: str) -> CommandResult | None:
    """Return the path that readlink -f and realpath are asked for: links are not followed here."""
    operands = split_options(arguments, _PATHS).operands
    return CommandResult(0, joined(operands)) if operands else None


def _passed_on(arguments: Sequence[str], text: str) -> CommandResult | None:
    return CommandResult(0, text) if not [word for word in arguments if word != "-"] else None


def _reversed(arguments: Sequence[str], text: str) -> CommandResult | None:
    if arguments:
        return None
    return CommandResult(0, joined([line[::-1] for line in lines(text)]))


def _paste(arguments: Sequence[str], text: str) -> CommandResult | None:
    options = split_options(arguments, _PASTE)
    if "s" not in options or options.operands not in ([], ["-"]):
        return None
    return CommandResult(0, options.value("d", "\t").join(lines(text)) + "\n")


FILTERS: dict[str, Filter] = {
    "cut": _cut,
    "head": lambda arguments, text: _end(arguments, text, last=False),
    "tail": lambda arguments, text: _end(arguments, text, last=True),
    "grep": grep,
    "egrep": lambda arguments, text: grep(arguments, text, extended=True),
    "fgrep": lambda arguments, text: grep(["-F", *arguments], text),
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
