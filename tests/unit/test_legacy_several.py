"""Several clusters in one folder, distinguished by the hosts and folders that scripts name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.errors import UsageError
from pacefab.inventory.configuration import desired_configuration
from pacefab.legacy.migrate import migrate
from pacefab.legacy.model import Fate
from pacefab.pacemaker.plan import plan_configuration
from pacefab.tasks.migrate import migrate_folder

BY_HOST = """\
for c in "ada a1 a2" "bea b1 b2"; do
    set -- $c
    ssh $2 "pcs cluster setup $1 $2 $3"
done
ssh a2 pcs resource create ink ocf:heartbeat:Dummy
ssh root@b1.example.org pcs resource create wax ocf:heartbeat:Dummy
ssh b2 pcs constraint location wax prefers b1=9
"""


def write(folder: Path, **scripts: str) -> Path:
    for name, text in scripts.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(exist_ok=True)
        file.with_suffix(".sh").write_text("#!/bin/bash\n" + text)
    return folder


@pytest.mark.parametrize("force", ["", "--force "])
def test_hosts_say_which_cluster_a_command_changes(tmp_path: Path, force: str) -> None:
    script = BY_HOST.replace("setup ", f"setup {force}")
    done = migrate(write(tmp_path, all=script))
    assert list(done.inventories) == ["ada", "bea"]
    assert "  ink:" in done.inventories["ada"]
    assert "  wax:" in done.inventories["bea"]
    assert "wax" not in done.inventories["ada"]
    assert "ink" not in done.inventories["bea"]
    assert not any("superseded" in one.reason or "refuses" in one.reason for one in done.entries)


def test_folders_say_which_cluster_a_script_changes(tmp_path: Path) -> None:
    make = "pcs cluster setup {0} {0}1 {0}2\n"
    write(tmp_path, ada__2make=make.format("ada"), bea__2make=make.format("bea"),
          ada__1late="pcs resource create ink ocf:heartbeat:Dummy\n",
          bea__3late="pcs resource create wax ocf:heartbeat:Dummy\n",
          both="pcs property set stonith-enabled=false\n")  # fmt: skip
    done = migrate(tmp_path)
    assert "  ink:" in done.inventories["ada"]
    assert "  wax:" in done.inventories["bea"]
    (doubt,) = [one for one in done.entries if "which of the clusters" in one.reason]
    assert (doubt.fate, doubt.place.file) == (Fate.DOUBTFUL, "both.sh")


def test_each_cluster_has_a_file_that_can_be_planned(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    folder = write(tmp_path / "scripts", all=BY_HOST)
    migrate_folder(folder, None, tmp_path / "made.yaml")
    files = sorted((tmp_path / "made").iterdir())
    assert [file.name for file in files] == ["ada.yaml", "bea.yaml"]
    assert not (tmp_path / "made.yaml").exists()
    for file, resource in zip(files, ("ink", "wax"), strict=True):
        desired = desired_configuration(read_inventory(file), lambda name: name)
        plan = plan_configuration(None, desired)
        assert any(change.id == resource for change in plan.changes)
    with pytest.raises(UsageError):
        migrate_folder(folder, None, tmp_path / "made.yaml")


def test_a_setup_of_the_same_nodes_is_no_second_cluster(tmp_path: Path) -> None:
    text = "pcs cluster setup old n1 n2\npcs cluster setup --force new n1 n2 n3\n"
    done = migrate(write(tmp_path, a=text))
    assert list(done.inventories) == ["new"]


def test_names_that_no_inventory_takes_are_changed_and_none_is_lost(tmp_path: Path) -> None:
    names = {"../a": "x", "..-a-3": "y", "...a": "z"}
    (tmp_path / "scripts").mkdir()
    text = "".join(f"pcs cluster setup {name} {host}1 {host}2\n" for name, host in names.items())
    migrate_folder(write(tmp_path / "scripts", all=text), None, tmp_path / "made.yaml")
    files = sorted((tmp_path / "made").iterdir())
    assert [file.name for file in files] == ["a-2.yaml", "a-3.yaml", "a.yaml"]
    assert [read_inventory(file).nodes[0].name for file in files] == ["z1", "y1", "x1"]
