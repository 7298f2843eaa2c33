"""The tasks of the program, as `--list` and `--help` know them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docs.generator.markdown import code, escape, table
from pacefab.tasks import GROUPS, namespace

_EXAMPLE = "Example:"


@dataclass(frozen=True)
class Option:
    """One option of a task."""

    name: str  # as it is typed, with its value's place: --timeout SECONDS
    help: str


@dataclass(frozen=True)
class TaskPage:
    """What there is to say about a task."""

    name: str
    summary: str
    paragraphs: tuple[str, ...]
    example: str
    options: tuple[Option, ...]


def read_tasks() -> list[TaskPage]:
    """Return all tasks in alphabetical order."""
    return [_page(name, namespace[name]) for name in sorted(namespace.task_names)]


def render() -> str:
    """Return a section per task."""
    return "\n".join(line for page in read_tasks() for line in _section(page))


def render_table() -> str:
    """Return a table for each group of tasks, by when they are used; each links to its section."""
    pages = {page.name: page for page in read_tasks()}
    lines = []
    for title, group in GROUPS.items():
        found = [pages[task.name.replace("_", "-")] for task in group]
        rows = ((f"[`{page.name}`](#{page.name})", escape(page.summary)) for page in found)
        lines += [f"**{title}**\n", table(("Task", "Purpose"), rows)]
    return "\n".join(lines)


def render_manual() -> str:
    """Return the tasks for the manual page: no tables, which terminals show badly."""
    return "\n".join(line for page in read_tasks() for line in _manual_section(page))


def _page(name: str, task: Any) -> TaskPage:
    arguments = copy.copy(task)
    arguments.help = dict(task.help)  # Invoke takes out of it what it has read
    summary, *rest = inspect.cleandoc(task.__doc__ or "").split("\n\n")
    paragraphs = [" ".join(part.split()) for part in rest]
    examples = [part.removeprefix(_EXAMPLE) for part in paragraphs if part.startswith(_EXAMPLE)]
    return TaskPage(
        name,
        " ".join(summary.split()),
        tuple(part for part in paragraphs if not part.startswith(_EXAMPLE)),
        "\n".join(examples).strip(),
        tuple(sorted(map(_option, arguments.get_arguments()), key=lambda option: option.name)),
    )


def _option(argument: Any) -> Option:
    names = [f"--{name}" if len(name) > 1 else f"-{name}" for name in argument.names]
    value = "" if argument.takes_value is False else f" {_placeholder(argument.name)}"
    return Option(", ".join(f"{name}{value}" for name in names), argument.help or "")


def _placeholder(name: str) -> str:
    return name.replace("-", "_").rpartition("_")[2].upper()


def _section(page: TaskPage) -> Iterator[str]:
    yield from (f"## {page.name}", "", escape(page.summary), "")
    for paragraph in page.paragraphs:
        yield from (escape(paragraph), "")
    yield from ("```sh", page.example, "```", "")
    yield table(("Option", "Meaning"), ((code(o.name), escape(o.help)) for o in page.options))


def _manual_section(page: TaskPage) -> Iterator[str]:
    yield from (f"### {page.name}", "", escape(page.summary), "")
    for paragraph in page.paragraphs:
        yield from (escape(paragraph), "")
    for option in page.options:
        yield from (code(option.name), f": {escape(option.help)}", "")
    yield from ("Example:", "", "```sh", page.example, "```", "")
