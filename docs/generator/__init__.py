"""Pages of the reference that are made of the code itself, so that they cannot be out of date.

Each module renders one of them as Markdown; `docs/reference/*.md` include the files that
`write_pages` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generator import dialects, inventory, metrics, platforms, tasks

PAGES: Mapping[str, Callable[[], str]] = {
    "tasks": tasks.render,
    "task-table": tasks.render_table,
    "task-manual": tasks.render_manual,
    "inventory": inventory.render,
    "metrics": metrics.render,
    "platforms": platforms.render,
    "dialects": dialects.render,
}


def write_pages(folder: Path) -> None:
    """Write every generated page that differs from what is in the folder."""
    folder.mkdir(exist_ok=True)
    for name, render in PAGES.items():
        file, text = folder / f"{name}.md", render()
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
