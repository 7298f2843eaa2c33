"""The lines with pcs commands that did not run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from pacefab.legacy.bash.syntax import Node, Script, parse
from pacefab.legacy.findings.reasons import COMMENT, why_not_run
from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.masking import mask
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.source import SourceFile

_PCS = re.compile(
    r"(?<![\w./-])(?:(?:/usr/s?bin/)?pcs|\"?\$\{?\w{0,20}(?:pcs|PCS)\w{0,20}\}?\"?)(?:\s+-f\s+\S+|\s+-\S+)*\s+(?P<noun>[^\s-]\S*)"
    r"(?:\s+-\S+)*(?:\s+(?P<verb>[^\s-]\S*))?"
)
_NOUNS = [
    "resource",
    "stonith",
    "constraint",
    "property",
    "cluster",
    "node",
    "status",
    "config",
    "host",
    "quorum",
    "pcsd",
    "acl",
    "alert",
    "tag",
    "ticket",
    "booth",
    "qdevice",
]
_MOST_OF_FILE = 2000  # lines; more of them say nothing more
_LONGEST_NOUN = 20
_LONGEST_LINE = 2000  # characters that are searched
_LONGEST_SHOWN = 400  # characters of a line


def unreached(walk: Walk) -> Iterator[ReportLine]:
    """Yield an entry for each pcs line that nothing ran."""
    tree = walk.world.tree
    for file in tree.files.values():
        if file.is_script or file.path in walk.world.started:
            yield from _of_file(walk, file)


def _of_file(walk: Walk, file: SourceFile) -> Iterator[ReportLine]:
    lines = list(islice(_not_run(walk, file), _MOST_OF_FILE + 1))
    if not lines:
        return
    if len(lines) > _MOST_OF_FILE:
        where, why = lines.pop()[0], f"more than {_MOST_OF_FILE} lines with pcs did not run"
        yield ReportLine(Fate.UNTRANSLATED, Place(file.path, where), "from here on", why, "read it")
    script = Script(file.path, file.text.encode())
    _, root = parse(script)
    starts = _line_starts(script.source)
    for number, line, found in lines:
        at = starts[number - 1] + len(line[: found.start()].encode())
        yield _entry(walk, script, root, number, line, at)


def _not_run(walk: Walk, file: SourceFile) -> Iterator[tuple[int, str, re.Match[str]]]:
    """Yield number and text of the lines whose pcs commands did not run, and each of these."""
    for number, line in enumerate(file.text.split("\n"), 1):
        for found in _mentions(line):
            if not _ran(walk.world.executed.get((file.path, number), []), found):
                yield number, line, found


def _mentions(line: str) -> list[re.Match[str]]:
    """Return where a line has pcs commands: one of its nouns follows, perhaps misspelt."""
    mentioned = _PCS.finditer(line[:_LONGEST_LINE]) if "pcs" in line.lower() else ()
    return [found for found in mentioned if _is_noun(_bare(found["noun"]))]


@lru_cache(maxsize=10_000)
def _is_noun(word: str) -> bool:
    if len(word) > _LONGEST_NOUN:
        return False
    return word.startswith("$") or bool(difflib.get_close_matches(word, _NOUNS, 1, 0.75))


def _bare(word: str) -> str:
    return word.strip("\"'`;)\\")


def _ran(commands: list[list[str]], found: re.Match[str]) -> bool:
    """Return whether a command of a line is one of those that ran there, by noun and verb."""
    noun, verb = _bare(found["noun"]), _bare(found["verb"] or "")
    plain = bool(re.fullmatch(r"[a-z-]+", verb)) and not noun.startswith("$")
    for command in commands:
        words = command[command.index("-f") + 2 :] if "-f" in command else command
        words = [word for word in words if not word.startswith("-")]
        if not plain and (noun.startswith("$") or words[:1] == [noun]):
            return True
        if words[:2] == [noun, verb]:
            return True
    return False


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _entry(walk: Walk, script: Script, root: Node, number: int, line: str, at: int) -> ReportLine:
    node = root.descendant_for_byte_range(at, at + 3)
    fate, reason, advice = why_not_run(walk, script, node)
    if line.lstrip().startswith("#"):  # also in a text that is handed to a shell
        fate, reason, advice = COMMENT
    text = mask(line.strip())[:_LONGEST_SHOWN]
    return ReportLine(fate, Place(script.file, number), text, reason, advice)
