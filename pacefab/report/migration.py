"""The account of a migration: lines for people, JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TextIO

from pacefab.legacy.model import Effects, Fate, Migration, NextStep, Place, ReportLine
from pacefab.report.stream import json_text, one_line
from pacefab.report.text import Printer

_TITLES = {
    NextStep.TRANSLATE: "Translate by hand",
    NextStep.DECIDE: "Decide: only a running host, or you, can know it",
    NextStep.CHECK: "Check: it looks like a bug in the scripts, or needs care",
    NextStep.NOTHING: "Nothing to do",
}
_ANSWERS = "say it in a file: --answers FILE"
_MOST_FILES = 15  # in the summary: it is to fit on a screen


def render_json(migration: Migration) -> str:
    """Return the account as JSON, with a number of its form.

    Keys: format (1), summary (counts), translated, left_out, untranslated and doubtful (lists of
    file, line, text, reason, advice, and step, which is what to do next), assumptions (text, file,
    line), effects (packages: by node; files: path, node, how, file, line; units: name, action,
    node, file, line).
    """
    data: dict[str, Any] = {"format": 1, "summary": dict(migration.summary)}
    for fate in Fate:
        data[fate.value] = [_entry(line) for line in migration.entries if line.fate is fate]
    data["assumptions"] = [
        {"text": text, "file": place.file, "line": place.line}
        for text, place in sorted(migration.effects.assumptions.items())
    ]
    data["effects"] = _effects(migration.effects)
    return json_text(data, plain=True) + "\n"


def _entry(line: ReportLine) -> dict[str, Any]:
    return {
        "file": line.place.file,
        "line": line.place.line,
        "text": line.text,
        "reason": line.reason,
        "advice": line.advice,
        "step": line.step.value,
    }


def _effects(effects: Effects) -> dict[str, Any]:
    return {
        "packages": _packages(effects),
        "files": [
            {"path": file.path, "node": file.host, "how": file.how, "file": file.place.file,
             "line": file.place.line}
            for file in effects.files
        ],
        "units": [
            {"name": unit.name, "action": unit.action, "node": unit.host, "file": unit.place.file,
             "line": unit.place.line}
            for unit in effects.units
        ],
    }  # fmt: skip


def _packages(effects: Effects) -> dict[str, list[str]]:
    """Return the packages that scripts install, by node."""
    found: dict[str, list[str]] = {}
    for package in effects.packages:
        names = found.setdefault(package.host or "where the scripts are started", [])
        if package.name not in names:
            names.append(package.name)
    return {host: sorted(names) for host, names in sorted(found.items())}


def print_report(migration: Migration, stream: TextIO, answers: str = "") -> None:
    """Print a summary, the account by what to do next, what is assumed, and one last line.

    `answers`: the file in which the operator says what no script says; empty: there is none.
    """
    printer = Printer(stream)
    printer.text(_summary(migration))
    for step in NextStep:
        entries = [entry for entry in migration.entries if entry.step is step]
        if entries:
            printer.text([f"{_TITLES[step]}: {len(entries)}"], lambda _: "bold")
            printer.text([*_listed(entries), ""])
    printer.text(_besides(migration.effects, answers))
    printer.text([f"lines and findings: {_counted(migration.summary)}"])


def _counted(counts: Mapping[str, int]) -> str:
    shown = (f"{counts[fate.value]} {fate.value.replace('_', ' ')}" for fate in Fate)
    return ", ".join(shown)


def _summary(migration: Migration) -> Iterator[str]:
    """Yield the account on one screen: how much, and which files need a check."""
    made = migration.configuration
    yield f"Summary: {_counted(migration.summary)}"
    yield (
        f"The scripts create {len(made.resources)} resources (clones and groups count once) and "
        f"{len(made.constraints)} constraints; the inventory has those that are translated."
    )
    steps = Counter(line.step for line in migration.entries)
    yield f"To do: {', '.join(f'{steps[step]} {step.value}' for step in NextStep)}"
    files = Counter(
        line.place.file for line in migration.entries if line.step is not NextStep.NOTHING
    )
    if files:
        yield "To check (not translated, or likely a bug), by file:"
    for file, count in files.most_common(_MOST_FILES):
        yield f"  {count:3} {file or '(all files)'}"
    if len(files) > _MOST_FILES:
        yield f"  … and {len(files) - _MOST_FILES} more files"
    yield ""


def _listed(entries: Iterable[ReportLine]) -> Iterator[str]:
    """Yield lines about entries; what is reported of several places stands there once."""
    same: dict[ReportLine, list[Place]] = {}
    for line in entries:
        same.setdefault(replace(line, place=Place("", 0)), []).append(line.place)
    for line, (first, *others) in same.items():
        yield f"  {first}: {one_line(line.text)}"
        if others:
            yield f"      also {', '.join(map(str, others))}"
        yield f"      {line.fate.value.replace('_', ' ')}: {one_line(line.reason)}"
        if line.advice:
            yield f"      next: {one_line(line.advice)}"


def _besides(effects: Effects, answers: str) -> Iterator[str]:
    """Yield what scripts do apart from pcs, and what was assumed."""
    if effects.packages:
        yield "Packages that the scripts install (services of the inventory install their own):"
        yield from (f"  {host}: {', '.join(names)}" for host, names in _packages(effects).items())
    if effects.files:
        paths = sorted({file.path for file in effects.files})
        yield f"Files that the scripts write, {len(paths)}; the JSON report has them all:"
        yield f"  {', '.join(paths[:12])}{', …' if len(paths) > 12 else ''}"  # noqa: PLR2004
    if effects.assumptions:
        where = f"say it in {answers}" if answers else _ANSWERS
        yield f"Assumed (where it is otherwise, {where}):"
        yield from (f"  {place}: {text}" for text, place in sorted(effects.assumptions.items()))
