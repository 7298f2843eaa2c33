"""Files in the dialect of oslo.config: read with line numbers, edited in place.

The rules are those of oslo_config.iniparser: a value goes on in lines that begin with a blank, an
empty line or a comment ends it, a name is case-sensitive, a section's is not. A name may stand
several times (MultiStrOpt) and so may a section, for other options the last one counts. Editors of
ini files, such as ConfigUpdater, rule repeated names out; so this one is ours.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pacefab.clients.recommended import Option

_COMMENT_WIDTH = 86  # columns; leaves room for what indents it


@dataclass(frozen=True)
class IniOption:
    """One assignment; lines count from 1, `end` is that of its value's last line."""

    section: str  # lower case
    name: str
    value: str
    line: int
    end: int


def read(text: str) -> list[IniOption]:
    """Return the assignments in the order of the file.

    Raises:
        ValueError: a line that oslo.config would not understand; the text tells which.
    """
    found: list[IniOption] = []
    section, going_on = "", False
    for number, raw in enumerate(_lines(text), 1):
        line = raw.rstrip()
        if line.startswith((" ", "\t")):
            if not going_on:
                raise ValueError(f"line {number}: {line.strip()!r} continues nothing")
            found[-1] = _continued(found[-1], line.strip(), number)
            continue
        going_on = bool(line) and line[0] not in "[#;"
        if line.startswith("["):
            section = _section(line, number)
        elif going_on:
            found.append(_assignment(section, line, number))
    return found


def headers(text: str) -> dict[str, int]:
    """Return the sections by name, in lower case, each with the line of its last header."""
    lines = enumerate(_lines(text), 1)
    return {line.rstrip()[1:-1].lower(): number for number, line in lines if line[:1] == "["}


def write(text: str, section: str, options: Iterable[Option]) -> str:
    """Return the text with the options in a section; what is as desired stays as it is written.

    A value that differs is replaced wherever it stands. An option that is missing comes after the
    section's others, under its reason as a comment. Same errors as `read`.
    """
    for option in options:
        text = _write_option(text, section, option)
    return text


def split_list(value: str) -> list[str]:
    """Return the parts of a list, as oslo.config's ListOpt takes them."""
    return [part.strip() for part in re.split(r"[,\n]", value) if part.strip()]


def render_option(option: Option) -> list[str]:
    """Return an option's lines: the reason, then the assignment."""
    return [*comment(option.reason), f"{option.name} = {option.value}"]


def comment(text: str) -> list[str]:
    """Return a sentence as lines that begin with #."""
    lines = textwrap.wrap(text, _COMMENT_WIDTH, break_on_hyphens=False)
    return [f"# {line}" for line in lines]


def _lines(text: str) -> list[str]:
    """Return the lines as a file has them; str.splitlines cuts at other characters too."""
    return text.removesuffix("\n").split("\n") if text else []


def _section(line: str, number: int) -> str:
    if not line.endswith("]") or line == "[]":
        raise ValueError(f"line {number}: {line!r} names no section")
    return line[1:-1].lower()


def _assignment(section: str, line: str, number: int) -> IniOption:
    parts = re.fullmatch(r"([^=:]+)[=:](.*)", line)
    if parts is None or not parts[1].strip():
        raise ValueError(f"line {number}: {line!r} is no NAME = VALUE")
    if not section:
        raise ValueError(f"line {number}: {line!r} stands before the first section")
    value = parts[2].strip()
    if value and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return IniOption(section, parts[1].strip(), value, number, number)


def _continued(setting: IniOption, line: str, number: int) -> IniOption:
    value = f"{setting.value}\n{line}"
    return IniOption(setting.section, setting.name, value, setting.line, number)


def _write_option(text: str, section: str, option: Option) -> str:
    settings = [setting for setting in read(text) if setting.section == section]
    places = [setting for setting in settings if setting.name in {option.name, option.alias}]
    lines = _lines(text)
    for place in reversed(places):
        if not _same(place.value, str(option.value)):
            lines[place.line - 1 : place.end] = [f"{place.name} = {option.value}"]
    if not places:
        _insert(lines, section, headers(text).get(section), settings, render_option(option))
    return "\n".join([*lines, ""]) if lines != _lines(text) else text


def _insert(
    lines: list[str],
    section: str,
    header: int | None,
    settings: Sequence[IniOption],
    new: Sequence[str],
) -> None:
    """Put new lines at the end of the section's settings; without a header it is made."""
    if header is None:
        lines += [*([""] if lines and lines[-1] else []), f"[{section}]"]
        header = len(lines)
    at = max([header, *(setting.end for setting in settings)])
    lines[at:at] = new


def _same(present: str, desired: str) -> bool:
    """Whether two values are one to oslo.config: blanks in lists, case and form of numbers."""
    return _parts(present) == _parts(desired)


def _parts(value: str) -> list[str | float]:
    return [_number(part) for part in split_list(value)]


def _number(part: str) -> str | float:
    try:
        return float(part)
    except ValueError:
        return part.lower() if part.lower() in {"true", "false"} else part
