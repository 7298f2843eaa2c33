"""The house keeps its sizes, its names and its language."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "pacefab").rglob("*.py"))
PROGRAMS = [ROOT / "tasks.py", *(ROOT / "scripts").glob("benchmark*"), ROOT / "scripts" / "capture"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
TEMPLATES = sorted((ROOT / "pacefab").rglob("*.j2"))
# Words that an operator's manual does not use, and what it says instead.
PRIVATE = {
    r"t(?:ell|ells|old|elling)": "say, report, show",
    r"mend(?:s|ed|ing)?": "fix",
    r"ailing": "unhealthy",
    r"wanted": "desired",
    r"of before": "previous",
    r"those of before": "the previous ones",
    r"somebody else(?:'s)?": "another user",
    r"nobody could": "unknown",
}
_PRIVATE = re.compile(rf"\b(?:{'|'.join(PRIVATE)})\b", re.IGNORECASE)


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Yield each function with its lines, docstring not counted."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = ast.get_docstring(node, clean=False)
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield node.name, lines - (len(said.splitlines()) if said else 0)


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Yield every string of a module, docstrings and pieces of f-strings too, with its line."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def names(file: Path) -> Iterator[tuple[int, str]]:
    """Yield every name that a module gives to something, with its line; not those of others."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr


def test_functions_fit_a_screen() -> None:
    sizes = [(lines, f"{file}: {name}") for file in MODULES for name, lines in functions(file)]
    assert not [where for lines, where in sizes if lines > 50]
    assert median(lines for lines, _ in sizes) <= 8
    assert quantiles([lines for lines, _ in sizes], n=10)[-1] <= 25


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_is_at_most_300_lines(file: Path) -> None:
    lines = [line.strip() for line in file.read_text().splitlines()]
    assert len([line for line in lines if line and not line.startswith("#")]) <= 300


def test_a_folder_has_at_most_20_modules() -> None:
    assert max(Counter(file.parent for file in MODULES).values()) <= 20


def test_a_class_has_a_name_of_its_own() -> None:
    names = Counter(
        node.name
        for file in MODULES
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef)
    )
    assert not [name for name, count in names.items() if count > 1]


@pytest.mark.parametrize(
    "file", [*MODULES, *PROGRAMS], ids=lambda file: str(file.relative_to(ROOT))
)
def test_messages_and_docstrings_are_in_plain_english(file: Path) -> None:
    found = [(line, _PRIVATE.findall(text)) for line, text in texts(file) if _PRIVATE.search(text)]
    assert not found


@pytest.mark.parametrize(
    "file", [*MODULES, *PROGRAMS], ids=lambda file: str(file.relative_to(ROOT))
)
def test_names_are_in_plain_english(file: Path) -> None:
    """A name's words: parts between underscores, and of those between capitals."""
    spoken = ((line, re.sub(r"_|(?<=[a-z])(?=[A-Z])", " ", name)) for line, name in names(file))
    assert not [(line, said) for line, said in spoken if _PRIVATE.search(said)]


@pytest.mark.parametrize("file", [*PAGES, *TEMPLATES], ids=lambda file: str(file.relative_to(ROOT)))
def test_pages_are_in_plain_english(file: Path) -> None:
    found = [
        (number, _PRIVATE.findall(line))
        for number, line in enumerate(file.read_text().splitlines(), 1)
    ]
    assert not [line for line in found if line[1]]
