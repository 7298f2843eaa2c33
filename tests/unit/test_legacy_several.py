"""Several clusters in one folder, distinguished by the hosts and folders that scripts name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.errors import UsageError
from pacefab.inventory.configuration import desired_configuration
from pacefab.legacy.migrate import migrate
from pacefab.legacy.model import Fate
from pacefab.legacy.questions import Start, StartedScript
from pacefab.pacemaker.plan import plan_configuration
from pacefab.tasks.migrate import check_folder, migrate_folder
from pacefab.tasks.scripts import Scripts

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
    migrate_folder(Scripts(folder), tmp_path / "made.yaml")
    files = sorted((tmp_path / "made").iterdir())
    assert [file.name for file in files] == ["ada.yaml", "bea.yaml"]
    assert not (tmp_path / "made.yaml").exists()
    for file, resource in zip(files, ("ink", "wax"), strict=True):
        desired = desired_configuration(read_inventory(file), lambda name: name)
        plan = plan_configuration(None, desired)
        assert any(change.id == resource for change in plan.changes)
    with pytest.raises(UsageError):
        migrate_folder(Scripts(folder), tmp_path / "made.yaml")


def test_a_setup_of_the_same_nodes_is_no_second_cluster(tmp_path: Path) -> None:
    text = "pcs cluster setup old n1 n2\npcs cluster setup --force new n1 n2 n3\n"
    done = migrate(write(tmp_path, a=text))
    assert list(done.inventories) == ["new"]


def test_names_that_no_inventory_takes_are_changed_and_none_is_lost(tmp_path: Path) -> None:
    names = {"../a": "x", "..-a-3": "y", "...a": "z"}
    (tmp_path / "scripts").mkdir()
    text = "".join(f"pcs cluster setup {name} {host}1 {host}2\n" for name, host in names.items())
    migrate_folder(Scripts(write(tmp_path / "scripts", all=text)), tmp_path / "made.yaml")
    files = sorted((tmp_path / "made").iterdir())
    assert [file.name for file in files] == ["a-2.yaml", "a-3.yaml", "a.yaml"]
    assert [read_inventory(file).nodes[0].name for file in files] == ["z1", "y1", "x1"]


def plannable(folder: Path, scripts: Path) -> dict[str, dict[str, list[str]]]:
    """Migrate; return nodes and ids of each inventory, read and planned on an empty cluster."""
    migrate_folder(Scripts(scripts), folder / "made.yaml")
    found: dict[str, dict[str, list[str]]] = {}
    for file in sorted((folder / "made").iterdir()):
        made = read_inventory(file)
        plan = plan_configuration(None, desired_configuration(made, lambda name: name))
        found[file.stem] = {
            "nodes": [node.name for node in made.nodes],
            "changes": [change.id for change in plan.changes if change.id.startswith("r-")],
        }
    return found


_CRM = "crm configure primitive r-{0} ocf:heartbeat:Dummy"
VARIANTS = {
    # The names of pcs 0.9 and of today.
    "setup": {
        "a__1": "pcs cluster setup --name ada a1 a2\npcs resource create r-ada Dummy\n",
        "b__1": "pcs cluster setup bea b1 addr=192.0.2.1 b2\npcs resource create r-bea Dummy\n",
    },
    # Only who authenticates with whom, and ssh.
    "auth": {
        "all": "pcs cluster auth a1 a2 -u hacluster -p x\npcs host auth b1 b2\n"
        "ssh a1 pcs resource create r-ada Dummy\nssh b2 pcs resource create r-bea Dummy\n",
    },
    # crm on the hosts that ssh names, also by their whole names.
    "crm by ssh": {
        "all": "for c in 'ada a' 'bea b'; do set -- $c\nssh ${2}1 crm cluster init -y -n $1\n"
        f"ssh ${{2}}2.example.org crm cluster join -y -c ${{2}}1\n"
        f"ssh root@${{2}}1 {_CRM.format('$1')}\ndone\n",
    },
    # crm by hand, in a folder for each cluster; join names the first node.
    "crm by folder": {
        "a__1": f"crm cluster init -y --name=ada\n{_CRM.format('ada')}\n",
        "a__2": "ssh a2 crm cluster join -y -c root@a1\n",
        "b__1": f"ha-cluster-init -y -n bea -N 'b1 b2'\n{_CRM.format('bea')}\n",
    },
    # A library that both use is counted for each.
    "library": {
        "lib__steps": 'make() { pcs cluster setup "$1" $2 $3; pcs resource create r-$1 Dummy; }\n',
        "a__run": "source ../lib/steps.sh\nmake ada a1 a2\n",
        "b__run": "source ../lib/steps.sh\nmake bea b1 b2\n",
    },
}  # fmt: skip


@pytest.mark.parametrize("scripts", VARIANTS.values(), ids=VARIANTS)
def test_two_clusters_are_never_one_however_they_are_made(
    tmp_path: Path, scripts: dict[str, str]
) -> None:
    (tmp_path / "scripts").mkdir()
    found = plannable(tmp_path, write(tmp_path / "scripts", **scripts))
    by_resource = {one["changes"][0]: one for one in found.values()}
    assert sorted(by_resource) == ["r-ada", "r-bea"]
    assert all(len(one["changes"]) == 1 for one in found.values())
    nodes = {name: {node.partition(".")[0] for node in one["nodes"]}
             for name, one in by_resource.items()}  # fmt: skip
    assert nodes == {"r-ada": {"a1", "a2"}, "r-bea": {"b1", "b2"}}


@pytest.mark.parametrize(
    "join", ["crm cluster join -c n1", "crm cluster join -y -c root@n1", "ha-cluster-join -c n1 -y",
             "crm cluster join --cluster-node=n1", "crm cluster join -c 192.0.2.1"],
)  # fmt: skip
def test_who_is_asked_to_let_a_node_in_is_a_node(tmp_path: Path, join: str) -> None:
    write(tmp_path, a=f"ssh n1 true\nssh n2 {join}\nssh n2 {_CRM.format('x')}\n")
    (tmp_path / "v.ini").write_text("[n]\na=n1\na_ip=192.0.2.1\n")
    (text,) = migrate(tmp_path).inventories.values()
    assert re.findall(r"name: (\w+)", text) == ["n1", "n2"]


def test_nodes_that_are_added_make_no_cluster_of_their_own(tmp_path: Path) -> None:
    text = ("pcs host auth n1 n2 n3 r1\npcs cluster setup lake n1 n2\npcs host auth n3 n4\n"
            "pcs cluster node add n3\nssh n3 pcs cluster node add n4\n"
            "ssh n4 pcs resource create r-x Dummy\n")  # fmt: skip
    done = migrate(write(tmp_path, all=text))
    assert list(done.inventories) == ["lake"]
    assert all(f"name: n{number}" in done.inventory for number in (1, 2, 3, 4))


def test_a_script_that_ran_on_hosts_of_both_is_counted_for_both(tmp_path: Path) -> None:
    setup = "".join(f"pcs cluster setup {c} {c[0]}1 {c[0]}2\n" for c in ("ada", "bea"))
    folder = write(tmp_path, setup=setup, common="pcs resource create r-x Dummy\n")
    hosts = {"common.sh": ("a2", "b1")}
    done = migrate(folder, start=Start(hosts=hosts))
    assert all("  r-x:" in text for text in done.inventories.values())
    assert not any("which of the clusters" in one.reason for one in done.entries)
    with pytest.raises(UsageError, match="not in the folder"):
        migrate(folder, start=Start(hosts={"commons.sh": ("a2",)}))


def test_one_script_that_is_started_for_each_makes_both(tmp_path: Path) -> None:
    folder = write(tmp_path, make="pcs cluster setup $1 $2 $3\npcs resource create r-$1 Dummy\n")
    entries = [StartedScript("make.sh", (c, f"{c[0]}1", f"{c[0]}2")) for c in ("ada", "bea")]
    done = migrate(folder, start=Start(tuple(entries)))
    assert list(done.inventories) == ["ada", "bea"]
    assert ["r-ada" in text for text in done.inventories.values()] == [True, False]
    assert ["r-bea" in text for text in done.inventories.values()] == [False, True]


def test_where_a_shared_script_ran_is_asked(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    setup = "".join(f"pcs cluster setup {c} {c[0]}1 {c[0]}2\n" for c in ("ada", "bea"))
    folder = write(tmp_path / "scripts", setup=setup, common="pcs resource create r-x Dummy\n")
    answers, target = tmp_path / "answers.yaml", tmp_path / "made.yaml"
    migrate_folder(Scripts(folder, answers=answers), target)
    text = answers.read_text()
    assert text.count("  on:\n") == 1
    answers.write_text(text.replace("  on:\n", "  on: [a1, b2]\n"))
    migrate_folder(Scripts(folder, answers=answers), target, force=True)
    made = sorted((tmp_path / "made").iterdir())
    assert ["r-x" in file.read_text() for file in made] == [True, True]


CIB = """<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0"
admin_epoch="0"><configuration><crm_config/><nodes>{}</nodes><resources><primitive id="r-{}"
class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints/></configuration>
<status/></cib>"""


def cib(file: Path, resource: str, *nodes: str) -> Path:
    shown = "".join(f'<node id="{at}" uname="{name}"/>' for at, name in enumerate(nodes, 1))
    file.write_text(CIB.format(shown, resource))
    return file


def test_each_cluster_is_compared_with_its_own_cib(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scripts").mkdir()
    scripts = Scripts(write(tmp_path / "scripts", **VARIANTS["library"]))
    for name, letter in (("ada", "a"), ("bea", "b")):
        live = cib(tmp_path / "cib.xml", name, f"{letter}1", f"{letter}2")
        assert check_folder(scripts, live) == 0
        assert f"compared with the cluster {name}" in capsys.readouterr().out
    assert check_folder(scripts, cib(tmp_path / "cib.xml", "ada", "b1", "b2")) == 2
    with pytest.raises(UsageError, match=r"\(c1\) are of no cluster of the scripts"):
        check_folder(scripts, cib(tmp_path / "cib.xml", "ada", "c1"))


def test_a_comparison_knows_what_the_operator_says(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    text = ("pcs cluster setup $NAME $1 $2\npcs resource create r-$(hostname) Dummy\n"
            "pcs node attribute $1 rack=$RACK\n")  # fmt: skip
    folder = write(tmp_path / "scripts", a=text)
    live = cib(tmp_path / "cib.xml", "n1", "n1", "n2")
    said = Scripts(folder, entries=[("a.sh", "n1", "n2")], settings={"NAME": "lake", "RACK": ""},
                   hosts={"a.sh": ("n1",)})  # fmt: skip
    assert check_folder(said, live) == 0
    assert check_folder(Scripts(folder), live) > 0
