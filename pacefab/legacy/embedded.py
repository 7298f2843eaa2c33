"""Scripts inside other files: recipes, RUN lines, tasks of playbooks, here documents, units."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from pacefab.legacy.source import SourceFile
from pacefab.legacy.yaml_commands import commands_of_yaml, first

_INTERPOLATED = re.compile(r"\{\{.*?\}\}|#\{[^{}]*\}|%\{[^{}]*\}|<%=?.*?%>")
_PROVISIONER = re.compile(
    r"provision\b.*\bpath(?::|\s*=>)\s*[\"'](?P<path>[^\"']+)[\"']"
    r"(?:.*\bargs(?::|\s*=>)\s*(?P<arguments>\[[^\]]*\]|\"[^\"]*\"|'[^']*'))?"
)
_MOST = 500  # scripts of one file
_MOST_FILLED_IN = 20_000  # characters of variables in one line


@dataclass(frozen=True)
class Embedded:
    """A piece of bash in a file.

    Args:
        line: where it begins, from 1.
        text: the bash; what another language puts in it is a command that is not known.
        condition: what has to happen for it to run.
    """

    line: int
    text: str
    condition: str


def embedded(file: SourceFile) -> list[Embedded]:
    """Return the scripts inside a file whose embedding is plain; none of any other file."""
    name = file.path.rpartition("/")[2]
    reader = next((reader for pattern, reader in _READERS if pattern.search(name)), None)
    if reader is None:
        return []
    found = list(reader(file.text.split("\n")))[:_MOST]
    return [Embedded(one.line, _plain(one.text), one.condition) for one in found]


def _plain(text: str) -> str:
    """Return bash with what another language fills in as commands that are not known."""
    return _INTERPOLATED.sub("$(what-is-filled-in)", text)


def _makefile(lines: list[str]) -> Iterator[Embedded]:
    """Yield the recipe lines of a Makefile; $(NAME) is what the file itself sets, if it does."""
    values: dict[str, str] = {}
    target = ""
    for number, line in _joined(lines):
        setting = re.match(r"([A-Za-z_]\w*)\s*[:?]?=\s*(.*)", line)
        rule = re.match(r"([\w./%-][^:=;]*):(?!=)[^;=]*(?:;\s*(.+))?", line, re.DOTALL)
        if line.startswith("\t"):
            command = re.sub(r"^[@+-]+", "", line.strip())
            yield Embedded(number, _made(command, values), f"make {target}")
        elif setting:
            values[setting[1]] = _made(setting[2].strip(), values)
        elif rule:
            target = rule[1].strip()
            if rule[2]:
                yield Embedded(number, _made(rule[2], values), f"make {target}")


def _made(text: str, values: dict[str, str]) -> str:
    """Return what make has of a text, its variables' values in it; of what is endless, a part."""
    left = _MOST_FILLED_IN

    def value(found: re.Match[str]) -> str:
        nonlocal left
        known = values.get(found[1], f"$({found[1]})")
        left -= len(known)
        return known if left >= 0 else f"$({found[1]})"

    return re.sub(r"(?<!\$)\$[({](\w+)[)}]", value, text).replace("$$", "$")


def _dockerfile(lines: list[str]) -> Iterator[Embedded]:
    for number, line in _joined(lines):
        found = re.match(r"\s*(RUN|CMD|ENTRYPOINT)\s+(?!\[)(.*)", line, re.DOTALL | re.IGNORECASE)
        if found:
            yield Embedded(number, found[2], f"{found[1].upper()} of the image")


def _unit(lines: list[str]) -> Iterator[Embedded]:
    for number, line in _joined(lines):
        found = re.match(r"Exec\w+\s*=\s*[-@+!:]*(.*)", line, re.DOTALL)
        if found and "%" not in found[1]:
            yield Embedded(number, found[1], "the unit is started")


def _here_documents(lines: list[str]) -> Iterator[Embedded]:
    """Yield the here documents of Ruby and Terraform, and the texts of `inline`."""
    at = 0
    while at < len(lines):
        line, number = lines[at], at + 1
        opened = re.search(r"<<[-~]?\s*[\"']?([A-Z_]+)[\"']?", line)
        inline = re.search(r"\binline(?::|\s*=>|\s*=)\s*[\"'](.+)[\"']", line)
        listed = re.search(r"\binline\s*=\s*\[\s*$", line)
        named = _PROVISIONER.search(line)
        if opened:
            end = first(lines, at + 1, partial(_is_word, opened[1]))
            yield Embedded(number + 1, "\n".join(lines[at + 1 : end]), "the machine is set up")
            at = end
        elif listed:
            end = first(lines, at + 1, lambda one: one.strip().startswith("]"))
            texts = [re.sub(r"^\s*\"|\"\s*,?\s*$", "", one) for one in lines[at + 1 : end]]
            yield Embedded(number + 1, "\n".join(texts), "the machine is set up")
            at = end
        elif inline:
            yield Embedded(number, inline[1], "the machine is set up")
        elif named:
            words = re.sub(r"[\[\],]", " ", named["arguments"] or "")
            yield Embedded(number, f"bash '{named['path']}' {words}", "the machine is set up")
        at += 1


def _is_word(word: str, line: str) -> bool:
    return line.strip() == word


def _yaml(lines: list[str]) -> Iterator[Embedded]:
    """Yield what tasks, steps and cloud-init run."""
    yield from (Embedded(*found) for found in commands_of_yaml(lines))


def _joined(lines: list[str]) -> Iterator[tuple[int, str]]:
    r"""Yield lines with their numbers; one that ends in a backslash goes on in the next."""
    at = 0
    while at < len(lines):
        end = at
        while lines[end].endswith("\\") and end + 1 < len(lines):
            end += 1
        yield at + 1, "\n".join(lines[at : end + 1])
        at = end + 1


_READERS: list[tuple[re.Pattern[str], Callable[[list[str]], Iterator[Embedded]]]] = [
    (re.compile(r"^(GNU)?[Mm]akefile|\.mk$"), _makefile),
    (re.compile(r"^(Docker|Container)file"), _dockerfile),
    (re.compile(r"^Vagrantfile|\.(rb|tf)$"), _here_documents),
    (re.compile(r"\.(service|timer)$"), _unit),
    (re.compile(r"\.ya?ml(\.j2)?$|^(user-data|cloud-config)|\.cfg$"), _yaml),
]
