"""The account of every pcs line of a tree: what ran, and why what did not run is left out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from pacefab.legacy.bash.syntax import Node, Script, parse
from pacefab.legacy.draft.parts import Draft
from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.masking import mask
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.pcs.replay import Replay, ReplayedCommand
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
_PRINTING = {
    "echo",
    "printf",
    "logger",
    "log",
    "log_info",
    "log_error",
    "fn_log",
    "read",
    "warn",
    "info",
    "error",
    "die",
    "usage",
    "print",
    "msg",
}
_WHY_NOT = {
    "ERROR": (Fate.UNTRANSLATED, "bash cannot parse the lines around it",
              "mend the script (an unclosed quote or block?) and migrate again"),
    "comment": (Fate.LEFT_OUT, "commented out", ""),
    "printed": (Fate.LEFT_OUT, "only a text that is printed", ""),
}  # fmt: skip
_WEIGHT = [Fate.TRANSLATED, Fate.UNTRANSLATED, Fate.DOUBTFUL, Fate.LEFT_OUT]
_MOST_OF_FILE = 2000  # lines; more of them say nothing more
_LONGEST_NOUN = 20
_LONGEST_LINE = 2000  # characters that are searched
_LONGEST_SHOWN = 400  # characters of a line


def replayed_entries(replay: Replay, made: Draft) -> list[ReportLine]:
    """Return an entry for each command that ran, by what is left of it at the end.

    What the inventory has no place for is told in the command's own entry when nothing else of the
    command is written, else in one of its own.
    """
    alive = set(replay.cluster.commands())
    failed = {by: entry for by, entry in made.problems if by not in made.written}
    entries = [_at_the_end(one, replay, alive) for one in replay.done]
    for number, problem in failed.items():
        told = {"fate": problem.fate, "reason": problem.reason, "advice": problem.advice}
        entries[number] = replace(entries[number], **told)  # type: ignore[arg-type]
    return [*entries, *(entry for by, entry in made.problems if by in made.written)]


def _at_the_end(one: ReplayedCommand, replay: Replay, alive: set[int]) -> ReportLine:
    if one.file and one.file not in replay.pushed and one.entry.fate is Fate.TRANSLATED:
        why = f"it changes a copy of the CIB, {one.file}, that is never pushed"
        return replace(one.entry, fate=Fate.LEFT_OUT, reason=why)
    if one.entry.fate is Fate.TRANSLATED and one.number not in alive:
        why = replay.gone.get(one.number, "a later command takes its place")
        return replace(one.entry, fate=Fate.LEFT_OUT, reason=f"superseded: {why}")
    return one.entry


def collapsed(entries: list[ReportLine]) -> list[ReportLine]:
    """Return one entry for a command that ran on several nodes: the most that it became."""
    best: dict[tuple[Place, str], ReportLine] = {}
    for entry in entries:
        before = best.setdefault((entry.place, entry.text), entry)
        if _WEIGHT.index(entry.fate) < _WEIGHT.index(before.fate):
            best[entry.place, entry.text] = entry
    return list(best.values())


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
    """Tell whether a command of a line is one of those that ran there, by noun and verb."""
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
    fate, reason, advice = _why(walk, script, node)
    if line.lstrip().startswith("#"):  # also in a text that is handed to a shell
        fate, reason, advice = _WHY_NOT["comment"]
    text = mask(line.strip())[:_LONGEST_SHOWN]
    return ReportLine(fate, Place(script.file, number), text, reason, advice)


def _why(walk: Walk, script: Script, node: Node | None) -> tuple[Fate, str, str]:
    """Return why a line did not run, by what stands around it, the innermost first."""
    around: Node | None = node
    while around is not None:
        told = _by_what_is_around(walk, script, around)
        if told is not None:
            return told
        around = around.parent
    if script.file in walk.cut_short:
        why = walk.cut_short[script.file]
        return Fate.UNTRANSLATED, f"not reached: reading ended ({why})", "translate it by hand"
    return Fate.LEFT_OUT, "never reached: the script ends before, or its condition fails", ""


def _by_what_is_around(walk: Walk, script: Script, around: Node) -> tuple[Fate, str, str] | None:
    kind = around.type
    above = around.parent.type if around.parent is not None else ""
    if kind == "heredoc_body":
        return _here_document(script, around)
    if kind in {"string", "raw_string", "ansi_c_string"} and above != "command_name":
        return _quoted(script, around)
    if kind == "command" and _program(script, around) in _PRINTING:
        return _WHY_NOT["printed"]
    body = around.child_by_field_name("body") if kind == "function_definition" else None
    if body is not None and script.place(body) not in walk.world.entered:
        name = around.child_by_field_name("name")
        shown = script.text(name) if name is not None else "it"
        return Fate.LEFT_OUT, f"the function {shown} is never called", ""
    return _WHY_NOT.get(kind)


def _program(script: Script, command: Node) -> str:
    name = command.child_by_field_name("name")
    return script.text(name).rpartition("/")[2] if name is not None else ""


def _quoted(script: Script, node: Node) -> tuple[Fate, str, str]:
    above = node.parent
    while above is not None and above.type not in {"command", "variable_assignment"}:
        above = above.parent
    if above is None:
        return Fate.LEFT_OUT, "only a text", ""
    name = above.child_by_field_name("name")
    shown = script.text(name) if name is not None else "a program"
    if above.type == "variable_assignment":
        return Fate.LEFT_OUT, f"only a text, kept in ${shown}: what runs it is told there", ""
    into = above.next_named_sibling
    if above.parent is not None and above.parent.type == "pipeline" and into is not None:
        return _handed(script.text(into).split()[0])
    if shown.rpartition("/")[2] in _PRINTING:
        return _WHY_NOT["printed"]
    return _handed(shown)


def _handed(program: str) -> tuple[Fate, str, str]:
    return (
        Fate.UNTRANSLATED,
        f"a text handed to {program}; whether that runs it is not known, or it never got there",
        "run the command's meaning by hand: write it into the inventory",
    )


def _here_document(script: Script, node: Node) -> tuple[Fate, str, str]:
    statement = node.parent.parent if node.parent is not None else None
    body = statement.child_by_field_name("body") if statement is not None else None
    name = script.text(body).split()[0] if body is not None and script.text(body) else "a program"
    if name.rpartition("/")[2] != "cat":
        return _handed(name)
    assert statement is not None  # noqa: S101  # it has a body
    into = [one for one in statement.children if one.type == "file_redirect"]
    into += [
        one for one in (node.parent.children if node.parent else []) if one.type == "file_redirect"
    ]
    if not into:
        return _WHY_NOT["printed"]
    target = script.text(into[0]).lstrip("> ")
    return (
        Fate.UNTRANSLATED,
        f"written into {target}, which no script of the folder runs",
        "if somebody runs it by hand, write its meaning into the inventory",
    )


def unread_files(walk: Walk) -> Iterator[ReportLine]:
    """Yield an entry for each file that was not read, and for each read in a special way."""
    tree = walk.world.tree
    for path, why in tree.unread.items():
        binary = why == "binary"
        fate = Fate.LEFT_OUT if binary else Fate.UNTRANSLATED
        advice = "" if binary else "look into it by hand"
        yield ReportLine(fate, Place(path, 0), path, f"not read: {why}", advice)
    for path, how in tree.remarks.items():
        fate = Fate.DOUBTFUL if "Windows" in how else Fate.LEFT_OUT
        yield ReportLine(fate, Place(path, 0), path, f"its text: {how}", "")
