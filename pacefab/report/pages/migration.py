"""A migration -> one HTML page: what to do, and each script beside what became of its lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pacefab.legacy.model import Fate, Migration, NextStep, Place, ReportLine
from pacefab.report.pages.page import render_page

_TEMPLATE = "pages/migration.html.j2"
_MOST_LINES = 2000  # of a file that is shown as a whole; of a longer one what is around
_AROUND = 5  # lines before and after what the account is about
_LONGEST = 1000  # characters of a line
_SIGNS = {
    NextStep.TRANSLATE: ("✗", "bad"),
    NextStep.DECIDE: ("?", "note"),
    NextStep.CHECK: ("!", "note"),
    NextStep.NOTHING: ("✓", "good"),
}
_TITLES = {
    NextStep.TRANSLATE: "Translate by hand",
    NextStep.DECIDE: "Decide",
    NextStep.CHECK: "Check",
    NextStep.NOTHING: "Nothing to do",
}


@dataclass(frozen=True)
class LineFate:
    """What became of a line: a sign and its look, the words for it, why, and what to do next."""

    sign: str
    look: str
    label: str
    text: str
    reason: str
    advice: str
    place: str
    link: str  # the line's on this page; empty: it is about no line


@dataclass(frozen=True)
class ScriptRow:
    """A line of a script, and what became of it; a number 0 stands for lines left out."""

    number: int
    anchor: str
    text: str
    findings: tuple[LineFate, ...]


@dataclass(frozen=True)
class ScriptTable:
    """A script: its path, its anchor, its lines, and what there is to do."""

    path: str
    anchor: str
    counts: str
    open: bool
    rows: tuple[ScriptRow, ...]


def render(migration: Migration, folder: str) -> str:
    """Return the page; secrets are masked in what a migration has."""
    anchors = {path: f"f{number}" for number, path in enumerate(sorted(migration.sources), 1)}
    findings: dict[NextStep, list[LineFate]] = {step: [] for step in NextStep}
    for line in migration.entries:
        findings[line.step].append(_finding(line, anchors, migration.sources))
    steps = [(step.name.lower(), _TITLES[step], found) for step, found in findings.items() if found]
    values = {
        "folder": folder,
        "steps": steps,
        "clusters": list(migration.inventories),
        "assumptions": [(str(p), t) for t, p in sorted(migration.effects.assumptions.items())],
        "scripts": list(_scripts(migration, anchors)),
    }
    return render_page(_TEMPLATE, values)


def _finding(
    line: ReportLine, anchors: Mapping[str, str], sources: Mapping[str, Sequence[str]]
) -> LineFate:
    sign, look = _SIGNS[line.step]
    label = line.fate.value.replace("_", " ") if line.step is NextStep.NOTHING else line.step.value
    if line.fate is Fate.LEFT_OUT:
        sign, look = "-", "none"
    place = line.place
    there = 0 < place.line <= len(sources.get(place.file, ()))
    link = _anchor(anchors[place.file], place) if there else ""
    return LineFate(sign, look, label, line.text, line.reason, line.advice, str(place), link)


def _anchor(file: str, place: Place) -> str:
    return f"{file}-{place.line}"


def _scripts(migration: Migration, anchors: Mapping[str, str]) -> Iterator[ScriptTable]:
    by_file: dict[str, dict[int, list[ReportLine]]] = {}
    for line in migration.entries:
        by_file.setdefault(line.place.file, {}).setdefault(line.place.line, []).append(line)
    for path, anchor in anchors.items():
        found = by_file[path]
        steps = Counter(line.step for lines in found.values() for line in lines)
        counts = ", ".join(f"{steps[step]} {step.value}" for step in NextStep if steps[step])
        rows = tuple(_rows(migration.sources, anchors, path, found))
        yield ScriptTable(path, anchor, counts, set(steps) != {NextStep.NOTHING}, rows)


def _rows(
    sources: Mapping[str, Sequence[str]],
    anchors: Mapping[str, str],
    path: str,
    found: Mapping[int, Sequence[ReportLine]],
) -> Iterator[ScriptRow]:
    lines = sources[path]
    shown = set(range(1, len(lines) + 1))
    if len(lines) > _MOST_LINES:
        shown = {near for at in found for near in range(at - _AROUND, at + _AROUND + 1)}
    gap = False
    for number, text in enumerate(lines, 1):
        if number not in shown:
            gap = True
            continue
        if gap:
            yield ScriptRow(0, "", "…", ())
            gap = False
        findings = tuple(_finding(line, anchors, sources) for line in found.get(number, ()))
        cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        yield ScriptRow(number, f"{anchors[path]}-{number}", cut, findings)
