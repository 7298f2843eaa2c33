"""What only the operator knows about a start: scripts, arguments, the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from pacefab.errors import UsageError
from pacefab.legacy.migrate import migrate
from pacefab.legacy.model import Fate
from pacefab.legacy.questions import Start, StartedScript
from pacefab.tasks.migrate import migrate_folder
from pacefab.tasks.scripts import Scripts

INSTALL = """\
#!/bin/bash
name=$1 net=$4
shift
pcs cluster setup "$name" $1 $2
pcs resource create vip IPaddr2 ip="$net.9"
if [ "$STAGE" = live ]; then
    pcs resource create live ocf:heartbeat:Dummy
fi
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scripts"
    made.mkdir()
    (made / "install.sh").write_text(INSTALL)
    (made / "other.sh").write_text("#!/bin/bash\npcs resource create other ocf:heartbeat:Dummy\n")
    return made


def test_arguments_and_environment_make_the_unknown_known(folder: Path) -> None:
    before = migrate(folder)
    lines = [one.place.line for one in before.entries if one.fate is Fate.UNTRANSLATED]
    assert {4, 5, 7} <= set(lines)
    start = Start(
        (StartedScript("install.sh", ("lake", "n1", "n2", "192.0.2")),), {"STAGE": "live"}
    )
    done = migrate(folder, start=start)
    assert "cluster: lake" in done.inventory
    assert "ip: 192.0.2.9" in done.inventory
    assert "  live:" in done.inventory
    assert "  other:" not in done.inventory
    (left,) = [one for one in done.entries if one.place.file == "other.sh"]
    assert left.reason == "not started: no --entry names it, nor is it called from there"


def test_entries_are_started_in_their_order(folder: Path) -> None:
    entries = [("other.sh",), ("./install.sh", "lake", "n1", "n2", "192.0.2")]
    migrate_folder(Scripts(folder, entries=entries), folder / "made.yaml")
    text = (folder / "made.yaml").read_text()
    assert text.index("  other:") < text.index("vip")


def test_an_entry_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="not in the folder"):
        migrate(folder, start=Start((StartedScript("absent.sh"),)))
