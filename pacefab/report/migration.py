"""The account of a migration: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pacefab.legacy.model import Effects, Fate, Migration, Place, ReportLine

_TITLES = {
    Fate.TRANSLATED: "Translated",
    Fate.LEFT_OUT: "Left out",
    Fate.UNTRANSLATED: "Could not be translated",
    Fate.DOUBTFUL: "Looks like a bug in the original",
}
_TO_LOOK_AT = {Fate.UNTRANSLATED, Fate.DOUBTFUL}
_MOST_FILES = 15  # in the summary: it is to fit on a screen
_WIDTH = 150  # of a table where the output is no terminal


def render_json(migration: Migration) -> str:
    """Return the account as JSON, with a number of its form.

    Keys: format (1), summary (counts), translated, left_out, untranslated and doubtful (lists of
    file, line, text, reason, advice), assumptions (text, file, line), effects (packages: by node;
    files: path, node, how, file, line; units: name, action, node, file, line).
    """
    data: dict[str, Any] = {"format": 1, "summary": dict(migration.summary)}
    for fate in Fate:
        data[fate.value] = [_entry(one) for one in migration.entries if one.fate is fate]
    data["assumptions"] = [
        {"text": text, "file": place.file, "line": place.line}
        for text, place in sorted(migration.effects.assumptions.items())
    ]
    data["effects"] = _effects(migration.effects)
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _entry(one: ReportLine) -> dict[str, Any]:
    return {
        "file": one.place.file,
        "line": one.place.line,
        "text": one.text,
        "reason": one.reason,
        "advice": one.advice,
    }


def _effects(effects: Effects) -> dict[str, Any]:
    return {
        "packages": _packages(effects),
        "files": [
            {"path": one.path, "node": one.host, "how": one.how, "file": one.place.file,
             "line": one.place.line}
            for one in effects.files
        ],
        "units": [
            {"name": one.name, "action": one.action, "node": one.host, "file": one.place.file,
             "line": one.place.line}
            for one in effects.units
        ],
    }  # fmt: skip


def _packages(effects: Effects) -> dict[str, list[str]]:
    """Return the packages that scripts install, by node."""
    found: dict[str, list[str]] = {}
    for one in effects.packages:
        names = found.setdefault(one.host or "where the scripts are started", [])
        if one.name not in names:
            names.append(one.name)
    return {host: sorted(names) for host, names in sorted(found.items())}


def print_report(migration: Migration, stream: TextIO) -> None:
    """Print a summary, a table for each part, what is taken for granted, and one last line."""
    width = None if stream.isatty() else _WIDTH
    # Without emoji: ocf:heartbeat:Dummy has one for Rich.
    console = Console(file=stream, highlight=False, emoji=False, width=width)
    for line in _summary(migration):
        console.print(line, markup=False)
    for fate in Fate:
        entries = [one for one in migration.entries if one.fate is fate]
        if entries:
            console.print(_table(f"{_TITLES[fate]}: {len(entries)}", entries))
    for line in _besides(migration.effects):
        console.print(line, markup=False)
    console.print(f"lines and findings: {_counted(migration.summary)}", markup=False)


def _counted(counts: Mapping[str, int]) -> str:
    shown = (f"{counts[fate.value]} {fate.value.replace('_', ' ')}" for fate in Fate)
    return ", ".join(shown)


def _summary(migration: Migration) -> Iterator[str]:
    """Yield the account on one screen: how much, and in which files somebody has to look."""
    made = migration.configuration
    yield f"Summary: {_counted(migration.summary)}"
    yield (
        f"The scripts make {len(made.resources)} resources (clones and groups count once) and "
        f"{len(made.constraints)} constraints; the inventory has what is translated."
    )
    files = Counter(one.place.file for one in migration.entries if one.fate in _TO_LOOK_AT)
    if files:
        yield "To look at, what could not be translated and what looks like a bug:"
    for file, count in files.most_common(_MOST_FILES):
        yield f"  {count:3} {file or '(all files)'}"
    if len(files) > _MOST_FILES:
        yield f"  … and {len(files) - _MOST_FILES} more files"
    yield ""


def _table(title: str, entries: Iterable[ReportLine]) -> Table:
    """Return a part of the account; what is told of several places has one row."""
    table = Table(title=title, title_justify="left", expand=True, show_lines=False)
    for column, ratio in (("where", 3), ("what", 6), ("why, what to do", 6)):
        table.add_column(column, ratio=ratio, overflow="fold")
    same: dict[tuple[str, str, str], list[Place]] = {}
    for one in entries:
        same.setdefault((one.text, one.reason, one.advice), []).append(one.place)
    for (text, reason, advice), places in same.items():
        why = f"{reason}; {advice}" if advice else reason
        table.add_row(*map(Text, ("\n".join(map(str, places)), text, why)))
    return table


def _besides(effects: Effects) -> Iterator[str]:
    """Yield what scripts do besides pcs, and what was taken for granted."""
    if effects.packages:
        yield "Packages that the scripts install (services of the inventory install their own):"
        yield from (f"  {host}: {', '.join(one)}" for host, one in _packages(effects).items())
    if effects.files:
        paths = sorted({one.path for one in effects.files})
        yield f"Files that the scripts write, {len(paths)}; the JSON report has them all:"
        yield f"  {', '.join(paths[:12])}{', …' if len(paths) > 12 else ''}"  # noqa: PLR2004
    if effects.assumptions:
        yield "Taken for granted:"
        yield from (f"  {place}: {text}" for text, place in sorted(effects.assumptions.items()))
