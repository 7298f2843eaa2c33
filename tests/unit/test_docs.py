"""The documentation: built without warnings, true to the code, and its console blocks readable."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.console.page import STATES, Block, Command, differences, parse, rerun, shape
from docs.generator import PAGES, dialects, inventory, metrics, platforms, tasks
from pacefab.cli.inventory import render_schema
from pacefab.harness.image import KINDS
from pacefab.report import prometheus
from pacefab.tasks import namespace

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
MARKDOWN = sorted(
    [*ROOT.glob("*.md"), *(p for p in ROOT.glob("docs/**/*.md") if p.parent.name != "_generated")]
)
SHAPED = (
    "clients",
    "drill",
    "fencing/forms",
    "health",
    "migration",
    "plan",
    "upgrade/forms",
    "verification",
)  # modules of report
_FENCED = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROGRAM = re.compile(r"^(?:\$ )?(?:fab|pacefab) (.*)", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
OF_THE_PROGRAM = {"-H", "-S", "-i", "-t", "-f"}  # they take a value
EVERYWHERE = {"--help", "--list", "--version"}


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """Return the options of every task, as they are typed."""
    pages = tasks.read_tasks()
    return {
        page.name: {word.split(" ")[0] for option in page.options for word in _spellings(option)}
        for page in pages
    }


def _spellings(option: tasks.Option) -> list[str]:
    return option.name.split(", ")


def commands(text: str) -> Iterator[list[str]]:
    """Yield the arguments of every call of the program in a page's console and shell blocks."""
    for block in _FENCED.findall(text):
        for line in _PROGRAM.findall(block):
            typed = re.split(r"[|;>]|\s#", line)[0]
            yield shlex.split(typed)


def mistakes(words: list[str], known: dict[str, set[str]]) -> list[str]:
    """Return the words of a command line that are no task, option or value."""
    task, wrong, waiting = "", [], iter(words)
    for word in waiting:
        if word in OF_THE_PROGRAM:
            next(waiting)
        elif word.startswith("-") and word not in EVERYWHERE and word not in known.get(task, ()):
            wrong.append(f"{task} {word}")
        elif word in known:
            task = word
        elif not task and not word.startswith("-") and "." not in word and word != "TASK":
            wrong.append(word)
    return wrong


@pytest.mark.parametrize("builder", ["html", "man"])
def test_pages_are_built_without_a_warning(builder: str, tmp_path: Path) -> None:
    command = ["-m", "sphinx", "-W", "--keep-going", "-q", "-b", builder, "-t", builder]
    done = subprocess.run(
        [sys.executable, *command, "-d", tmp_path / "trees", ROOT / "docs", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = {"html": "reference/tasks.html", "man": "pacefab.1"}[builder]
    assert "update-memcached" in (tmp_path / "out" / made).read_text().replace(r"\-", "-")


def test_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 200


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = _LINK.findall(page.read_text())
    assert [t for t in targets if not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_have_tasks_and_options_that_exist(
    page: Path, options: dict[str, set[str]]
) -> None:
    wrong = [
        mistake for words in commands(page.read_text()) for mistake in mistakes(words, options)
    ]
    assert wrong == []


def test_every_task_is_described_with_its_options_and_an_example() -> None:
    pages = tasks.read_tasks()
    assert {page.name for page in pages} == set(namespace.task_names)
    for page in pages:
        assert page.summary
        assert page.example.split()[0] in {"fab", "pacefab"}, page.name
        assert [option.name for option in page.options if not option.help] == []
    text = tasks.render()
    assert all(f"## {page.name}\n" in text for page in pages)
    assert tasks.render() == text  # reading them once leaves them as they are


def test_every_key_of_the_inventory_is_described() -> None:
    text, schema = inventory.render(), json.loads(render_schema())
    parts = [schema, *schema["$defs"].values()]
    keys = {key for part in parts for key in part.get("properties", {})}
    assert [key for key in sorted(keys) if f"| `{key}` |" not in text] == []
    anchors = set(re.findall(r"\]\(#([\w-]+)\)", text))
    titles = {line[3:].replace(" ", "-") for line in text.splitlines() if line.startswith("## ")}
    assert anchors <= titles


def test_every_metric_is_described() -> None:
    source = Path(prometheus.__file__).read_text()
    names = set(re.findall(r'"((?:cluster|node|resource|memcached)_\w+)"', source))
    assert names
    assert [name for name in sorted(names) if f"pacefab_{name}`" not in metrics.render()] == []


def test_every_node_image_is_described() -> None:
    assert all(f"`{kind}`" in platforms.render() for kind in KINDS if kind != "auto")


def test_every_dialect_becomes_something() -> None:
    for commands_of_pcs in dialects.FORMS.values():
        assert dialects.inventory_of(commands_of_pcs)
    assert "promoted-max: 3" in PAGES["dialects"]()


@pytest.mark.parametrize("module", SHAPED)
def test_every_key_of_the_json_shapes_is_described(module: str) -> None:
    tree = ast.parse((ROOT / "pacefab" / "report" / f"{module}.py").read_text())
    written = {
        key.value
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)  # tables of colours and signs are outside
        for node in ast.walk(function)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    assert written
    page = (ROOT / "docs" / "reference" / "json.md").read_text()
    assert [key for key in sorted(written) if f"`{key}`" not in page] == []


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_console_blocks_are_read_and_have_output(page: Path) -> None:
    text = page.read_text()
    parsed = parse(text)
    assert parsed.render() == text
    for block in (part for part in parsed.parts if isinstance(part, Block)):
        assert parsed.state in STATES
        assert block.commands


PAGE = """\
<!-- cluster: bare -->
<!-- show: 1 1 -->
```console
$ printf '1\\n2\\n3\\n'
```
<!-- exit: 3 -->
```console
$ true
$ exit 3
```
"""


def run(command: str) -> tuple[int, list[str]]:
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_a_block_is_made_again_and_cut() -> None:
    first, second = (part for part in parse(PAGE).parts if isinstance(part, Block))
    assert rerun(first, run).shortened().render() == ["$ printf '1\\n2\\n3\\n'", "1", "…", "3"]
    assert rerun(second, run).render() == ["$ true", "$ exit 3"]


def test_another_exit_status_is_an_error() -> None:
    with pytest.raises(ValueError, match="exit 3, not 0"):
        rerun(Block((Command("exit 3"),)), run)


def test_a_page_with_blocks_names_its_cluster() -> None:
    with pytest.raises(ValueError, match="names no cluster"):
        parse("```console\n$ true\n```\n")


def test_lines_of_progress_are_left_out() -> None:
    block = Block((Command("printf '… c1  installing\\n…\\n+ c1\\n'"),))
    assert rerun(block, run).commands[0].output == ["…", "+ c1"]


def test_figures_and_order_are_no_part_of_the_shape() -> None:
    then = ["+ c1  step  changed  3.3 s", "= c2  step  unchanged  10.1 s"]
    now = ["= c3  step  unchanged   0.4 s", "+ c1 step changed 12 s"]
    assert shape(then) == shape(now)
    assert shape(["2026-11-23 18:07:32 UTC  root@vm"]) == shape(["2027-01-02 03:04:05 UTC you@me"])
    assert shape(["! c1 step failed"]) != shape(["+ c1 step changed"])


def test_differences_are_lines_with_signs() -> None:
    then, now = (Block((Command("x", output),)) for output in (["a 1", "b"], ["a 2", "c"]))
    assert differences(then, now) == ["- b", "+ c"]
    cut = Block((Command("x", ["a 1", "…", "z"]),))
    assert differences(cut, Block((Command("x", ["a 1", "new", "z"]),))) == []
