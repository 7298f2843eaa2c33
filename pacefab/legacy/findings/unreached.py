"""The lines with cluster commands that did not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from pacefab.legacy.bash.syntax import Node, Script, parse
from pacefab.legacy.findings.reasons import COMMENT, RESTING, why_not_run
from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.masking import mask
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.occurrences import Occurrence, occurrences
from pacefab.legacy.source import SourceFile

_MOST_OF_FILE = 2000  # lines; more of them say nothing more
_LONGEST_SHOWN = 400  # characters of a line
_DEEPEST = 200  # nodes of the syntax tree; evaluation ends long before


def unreached(walk: Walk) -> Iterator[ReportLine]:
    """Yield an entry for each cluster command of a script that nothing ran."""
    tree = walk.world.tree
    for file in tree.files.values():
        if file.is_script or file.path in walk.world.started:
            yield from _of_file(walk, file)


def _of_file(walk: Walk, file: SourceFile) -> Iterator[ReportLine]:
    found = list(islice(_not_run(walk, file), _MOST_OF_FILE + 1))
    if not found:
        return
    if len(found) > _MOST_OF_FILE:
        where, why = found.pop().line, f"more than {_MOST_OF_FILE} cluster commands did not run"
        yield ReportLine(Fate.UNTRANSLATED, Place(file.path, where), "from here on", why, "read it")
    script = Script(file.path, file.text.encode())
    # The parser's script may have more semicolons: not more lines.
    parsed, root = parse(script)
    lines, starts = parsed.source.decode().split("\n"), _line_starts(parsed.source)
    for one in found:
        line = lines[one.line - 1]
        at = starts[one.line - 1] + len(line[: one.column].encode())
        if _is_deep(root, at):  # each step up to a parent goes through the whole depth
            place, text = Place(file.path, one.line), mask(line.strip())[:_LONGEST_SHOWN]
            advice = "translate it by hand"
            yield ReportLine(Fate.UNTRANSLATED, place, text, "nested too deeply", advice)
            continue
        node = root.descendant_for_byte_range(at, at + len(one.program) or 1)
        yield _entry(walk, parsed, node, one, line)


def _is_deep(root: Node, at: int) -> bool:
    """Return whether more nodes are around a byte than are looked at."""
    cursor = root.walk()
    return all(cursor.goto_first_child_for_byte(at) is not None for _ in range(_DEEPEST))


def _not_run(walk: Walk, file: SourceFile) -> Iterator[Occurrence]:
    """Yield the cluster commands of a script that did not run."""
    for one in occurrences(file.text):
        if not _ran(walk.world.executed.get((file.path, one.line), []), one):
            yield one


def _ran(commands: list[list[str]], one: Occurrence) -> bool:
    """Return whether a command is one of those that ran at its line."""
    return any(_is_same(one, program, words) for program, *words in commands)


def _is_same(one: Occurrence, program: str, words: list[str]) -> bool:
    """Return whether a command that ran is this one; commands of pcs differ by noun and verb."""
    if program != "pcs":
        return one.program in {program, ""} or one.program[0] == "$"
    if one.program not in {"pcs", ""} and one.program[0] != "$":
        return False
    noun, verb = [*one.words, "", ""][:2]
    words = words[words.index("-f") + 2 :] if "-f" in words else words
    words = [word for word in words if not word.startswith("-")]
    if re.fullmatch(r"[a-z-]+", verb) and not noun.startswith("$"):
        return words[:2] == [noun, verb]
    return not re.match(r"[a-z]", noun) or words[:1] == [noun]


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _entry(walk: Walk, script: Script, node: Node | None, one: Occurrence, line: str) -> ReportLine:
    fate, reason, advice = why_not_run(walk, script, node, one)
    if line.lstrip().startswith("#"):  # also in a text that is handed to a shell
        fate, reason, advice = COMMENT
    text = mask(line.strip())[:_LONGEST_SHOWN]
    undecided = reason.startswith(RESTING)
    return ReportLine(fate, Place(script.file, one.line), text, reason, advice, undecided)
