"""Trees in other hands than ours, each as its operator would have written it, against real bash.

tests/data/legacy/NAME/expected/commands.txt has the pcs commands that a real bash ran, in their
order and with their host (recorded by tests/data/legacy/record.sh); where only a live cluster knows
a value or whether a command runs, the line was changed by hand: <what … prints>, `# perhaps`.
"""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.inventory.configuration import desired_configuration
from pacefab.legacy.interpreter.walkthrough import Walk, walk_through
from pacefab.legacy.migrate import migrate
from pacefab.legacy.model import Fate
from pacefab.legacy.pcs.replay import ReplayedCommand
from pacefab.legacy.source import read_tree
from pacefab.report.migration import print_report

TREES = Path(__file__).resolve().parents[1] / "data" / "legacy"
NAMES = ["controllers", "functions", "idioms", "jumphost", "wrappers"]
PCS = re.compile(
    r"(?<![\w./-])(pcs|\$\{?PCS\}?|\$CRM)\s+(-f\s+\S+\s+)?"
    r"(resource|stonith|constraint|property|cluster|status|node|alert|acl|quorum|tag|resoure)\b"
)


def shown(walk: Walk, one: ReplayedCommand) -> str:
    words = [walk.world.unknowns.show(word) for word in one.call.arguments]
    return f"{one.call.host}: {shlex.join(words)}" + (" # perhaps" if one.call.condition else "")


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_are_those_that_bash_runs(name: str) -> None:
    walk = walk_through(read_tree(TREES / name / "scripts"))
    expected = (TREES / name / "expected" / "commands.txt").read_text(encoding="utf-8")
    assert [shown(walk, one) for one in walk.replay.done] == expected.splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_every_pcs_line_is_in_the_account(name: str) -> None:
    scripts = TREES / name / "scripts"
    reported = {(entry.place.file, entry.place.line) for entry in migrate(scripts).entries}
    for file in scripts.rglob("*.sh"):
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
            if PCS.search(line):
                assert (file.relative_to(scripts).as_posix(), number) in reported, (
                    f"{number}: {line}"
                )


@pytest.mark.parametrize("name", NAMES)
def test_the_inventory_makes_what_the_commands_made(name: str, tmp_path: Path) -> None:
    done = migrate(TREES / name / "scripts", plain=True)
    file = tmp_path / "inventory.yaml"
    file.write_text(done.inventory, encoding="utf-8")
    desired = desired_configuration(read_inventory(file), lambda secret: secret)
    reported = {entry.text.split()[3] for entry in done.entries
            if entry.fate is Fate.UNTRANSLATED and "stonith create" in entry.text}  # fmt: skip
    made = {one.id: one for one in done.configuration.resources if one.id not in reported}
    assert {one.id: type(one) for one in desired.resources} == {
        name: type(one) for name, one in made.items()
    }


def test_a_group_has_its_members_in_the_order_that_before_and_after_give() -> None:
    text = migrate(TREES / "functions" / "scripts").inventory
    grouped = re.findall(r"^  ([\w-]+):\n(?:    .*\n)*?    group: web$", text, flags=re.MULTILINE)
    assert grouped == ["web-vip", "httpd", "web-fs"]


def test_an_updated_operation_keeps_nothing_of_the_one_before() -> None:
    text = migrate(TREES / "functions" / "scripts").inventory
    assert "- {name: monitor, interval: 9s}" in text


def test_what_an_unknown_program_is_handed_is_reported() -> None:
    entries = migrate(TREES / "idioms" / "scripts").entries
    fates = {entry.place.line: (entry.fate, entry.reason) for entry in entries
             if entry.place.file == "2.sh"}  # fmt: skip
    assert fates[1] == (
        Fate.UNTRANSLATED, "it is passed to mywrap: it is unknown whether that runs it"
    )  # fmt: skip
    assert fates[2] == (Fate.LEFT_OUT, "only a text that is printed")
    assert fates[3] == (Fate.LEFT_OUT, "the function never2 is never called")
    assert fates[4][0] is Fate.UNTRANSLATED
    assert fates[6][0] is Fate.LEFT_OUT
    assert fates[8][0] is Fate.UNTRANSLATED


def test_the_report_begins_with_a_screen_that_says_where_to_look() -> None:
    stream = io.StringIO()
    print_report(migrate(TREES / "controllers" / "scripts"), stream)
    lines = stream.getvalue().split("\n")
    assert lines[0].startswith("Summary: 1")
    assert lines.index("") < 24
    assert any(re.fullmatch(r" +\d+ node_compute\.sh", line) for line in lines[: lines.index("")])
