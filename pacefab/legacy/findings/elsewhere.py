"""Cluster commands in files that are no bash scripts: playbooks, programs, documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from pacefab.legacy.interpreter.walkthrough import Walk
from pacefab.legacy.masking import mask
from pacefab.legacy.model import Fate, Place, ReportLine
from pacefab.legacy.occurrences import Occurrence, occurrences
from pacefab.legacy.source import SourceFile, Tree

_MOST_OF_FILE = 200  # lines; more of them say nothing more
_LONGEST_SHOWN = 400  # characters of a line
_SHOWN_LINES = 12  # of a document
# What configuration management calls a part of a cluster by: Puppet, Ansible, Chef, Salt.
_FILLED_IN = re.compile(r"@\w+@|\{\{.*?\}\}|<%=?.*?%>|\$\{?\w+\}?|%\w+%|__\w+__")
_DECLARED = re.compile(
    r"^\s*(?:configure\s+)?primitive\s+\S+\s+(?:ocf|systemd|lsb|service|stonith):|"
    r"(?<![\w-])(cs_(?:primitive|group|clone|master|order|colocation|location|property|"
    r"rsc_defaults|commit|shadow)|pcs_(?:resource|property|constraint|stonith|cluster|host|auth)\w*|"
    r"pcmk_(?:resource|property|stonith|constraint)\w*|"
    r"pacemaker_(?:primitive|group|clone|ms|order|colocation|location|property|resource|"
    r"constraint)\w*|(?:pacemaker|pcs)(?:::|\.)\w+|ha_cluster_(?:resource|constraint|cluster)\w*)"
)


def elsewhere(walk: Walk) -> Iterator[ReportLine]:
    """Yield entries for the cluster commands in files that were not evaluated."""
    for file in walk.world.tree.files.values():
        if not file.is_script and file.path not in walk.world.started:
            read = file.path in walk.world.files.consulted
            document = file.is_document and not read
            yield from _of_document(file) if document else _of_file(walk, file, read=read)


def any_elsewhere(tree: Tree) -> bool:
    """Return whether a file that is neither a script nor documentation has a cluster command."""
    return any(
        next(_lines(file), None) is not None
        for file in tree.files.values()
        if not file.is_script and not file.is_document
    )


def _lines(file: SourceFile) -> Iterator[tuple[int, Occurrence | None]]:
    """Yield the lines of a file that have a cluster command or a declared part of a cluster."""
    done = 0
    declared = (number for number, line in enumerate(file.text.split("\n"), 1)
                if _DECLARED.search(line[:_LONGEST_SHOWN]))  # fmt: skip
    found = [(one.line, one) for one in occurrences(file.text)]
    known = {line for line, _ in found}
    others = [(number, None) for number in declared if number not in known]
    for number, one in sorted([*found, *others], key=lambda pair: pair[0]):
        if number != done:
            yield number, one
        done = number


def _of_file(walk: Walk, file: SourceFile, *, read: bool) -> Iterator[ReportLine]:
    there = list(islice(_lines(file), _MOST_OF_FILE + 1))
    lines = file.text.split("\n")
    for number, one in there[:_MOST_OF_FILE]:
        if _evaluated(walk, file, number):
            continue
        place, text = Place(file.path, number), mask(lines[number - 1].strip())[:_LONGEST_SHOWN]
        if read and one and _ran_somewhere(walk, one):
            why = "a script reads it and runs it: the command has an entry there"
            yield ReportLine(Fate.LEFT_OUT, place, text, why)
            continue
        yield ReportLine(
            Fate.UNTRANSLATED,
            place,
            text,
            "in a file that is no bash script: not evaluated"
            if one
            else "a part of a cluster that another tool declares: not evaluated",
            "add what it does to the inventory by hand",
        )
    if len(there) > _MOST_OF_FILE:
        place = Place(file.path, there[-1][0])
        why = f"more than {_MOST_OF_FILE} lines with cluster commands: the others are not listed"
        yield ReportLine(Fate.UNTRANSLATED, place, "from here on", why, "read it")


def _evaluated(walk: Walk, file: SourceFile, number: int) -> bool:
    """Return whether a line has a command that ran: within the file, or piped from there."""
    if (file.path, number) in walk.world.executed:
        return True
    words = file.text.split("\n")[number - 1].split()
    if "primitive" not in words:
        return False
    name = "".join(words[words.index("primitive") + 1 :][:1])
    desired = re.compile(".+".join(map(re.escape, _FILLED_IN.split(name))))
    return any(
        ran[2:3] == ["primitive"] and desired.fullmatch("".join(ran[3:4]))
        for some in walk.world.executed.values()
        for ran in some
    )


def _ran_somewhere(walk: Walk, one: Occurrence) -> bool:
    """Return whether a command ran that begins as one in a file that a script reads."""
    begun = [one.program or "pcs", *one.words[:3]]
    return any(begun == ran[: len(begun)] for some in walk.world.executed.values() for ran in some)


def _of_document(file: SourceFile) -> Iterator[ReportLine]:
    numbers = [number for number, _ in islice(_lines(file), _MOST_OF_FILE)]
    if not numbers:
        return
    shown = ", ".join(map(str, numbers[:_SHOWN_LINES]))
    more = ", …" if len(numbers) > _SHOWN_LINES else ""
    yield ReportLine(
        Fate.LEFT_OUT,
        Place(file.path, numbers[0]),
        f"{len(numbers)} lines with cluster commands: {shown}{more}",
        "documentation: nothing runs it",
        "compare it with the inventory: steps that are done by hand are in no script",
    )
