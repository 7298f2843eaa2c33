"""The account of a migration: a table for people, JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pacefab.legacy.model import Effects, Fate, Migration, Place, ReportLine
from pacefab.report.stream import Stream, clean, json_text
from pacefab.report.text import Printer

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


def print_report(migration: Migration, stream: TextIO) -> None:
    """Print a summary, a table for each part, what is taken for granted, and one last line."""
    printer = Printer(stream)
    console = _console(printer.stream)
    printer.text(_summary(migration))
    for fate in Fate:
        entries = [entry for entry in migration.entries if entry.fate is fate]
        if entries:
            console.print(_table(f"{_TITLES[fate]}: {len(entries)}", entries))
    printer.text(_besides(migration.effects))
    printer.text([f"lines and findings: {_counted(migration.summary)}"])


def _console(stream: Stream) -> Console:
    """Return what draws tables; its own idea of a terminal is not ours."""
    # Without emoji: ocf:heartbeat:Dummy has one for Rich.
    return Console(
        file=cast("TextIO", stream),
        highlight=False,
        emoji=False,
        width=stream.width or _WIDTH,
        force_terminal=stream.colours,
        no_color=not stream.colours,
        legacy_windows=False,
    )


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
    files = Counter(line.place.file for line in migration.entries if line.fate in _TO_LOOK_AT)
    if files:
        yield "To check (not translated, or likely a bug), by file:"
    for file, count in files.most_common(_MOST_FILES):
        yield f"  {count:3} {file or '(all files)'}"
    if len(files) > _MOST_FILES:
        yield f"  … and {len(files) - _MOST_FILES} more files"
    yield ""


def _table(title: str, entries: Iterable[ReportLine]) -> Table:
    """Return a part of the account; what is reported of several places has one row."""
    table = Table(title=title, title_justify="left", expand=True, show_lines=False)
    for column, ratio in (("where", 3), ("what", 6), ("why, what to do", 6)):
        table.add_column(column, ratio=ratio, overflow="fold")
    same: dict[tuple[str, str, str], list[Place]] = {}
    for line in entries:
        same.setdefault((line.text, line.reason, line.advice), []).append(line.place)
    for (text, reason, advice), places in same.items():
        why = f"{reason}; {advice}" if advice else reason
        table.add_row(*map(Text, map(clean, ("\n".join(map(str, places)), text, why))))
    return table


def _besides(effects: Effects) -> Iterator[str]:
    """Yield what scripts do apart from pcs, and what was assumed."""
    if effects.packages:
        yield "Packages that the scripts install (services of the inventory install their own):"
        yield from (f"  {host}: {', '.join(names)}" for host, names in _packages(effects).items())
    if effects.files:
        paths = sorted({file.path for file in effects.files})
        yield f"Files that the scripts write, {len(paths)}; the JSON report has them all:"
        yield f"  {', '.join(paths[:12])}{', …' if len(paths) > 12 else ''}"  # noqa: PLR2004
    if effects.assumptions:
        yield "Assumed:"
        yield from (f"  {place}: {text}" for text, place in sorted(effects.assumptions.items()))
