# ruff: noqa: E501, ISC004  (commands stand as they would be typed)
"""pcs commands of 0.9 and of today, replayed: what an inventory then has, and what is reported."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pacefab.errors import UsageError
from pacefab.legacy.migrate import migrate, migrate_tree
from pacefab.legacy.model import Fate, Migration
from pacefab.legacy.source import SourceFile, Tree
from pacefab.tasks.migrate import check_folder, migrate_folder
from pacefab.tasks.scripts import Scripts

CAPTURED = Path(__file__).resolve().parents[1] / "captured"
SETUP = "pcs cluster setup --name lab c1 c2 c3\n"
DUMMY = "pcs resource create d ocf:heartbeat:Dummy\n"
TWO = DUMMY + "pcs resource create e ocf:heartbeat:Dummy --clone\n"
MASTER = "pcs resource create m ocf:pacemaker:Stateful --master\n"


def migrated(script: str, **files: str) -> Migration:
    texts = {
        "a.sh": SETUP + script,
        **{name.replace("_", "."): text for name, text in files.items()},
    }
    tree = Tree({path: SourceFile(path, text) for path, text in texts.items()})
    return migrate_tree(tree, "folder", "cluster")


def data(script: str, **files: str) -> dict[str, Any]:
    read: dict[str, Any] = YAML(typ="safe", pure=True).load(migrated(script, **files).inventory)
    return read


def said(script: str, fate: Fate, **files: str) -> list[str]:
    return [f"{one.text}: {one.reason}" for one in migrated(script, **files).entries
            if one.fate is fate]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pcs resource create d Dummy", {"agent": "ocf:heartbeat:Dummy"}),
        ("pcs resource create d ocf::heartbeat:Dummy", {"agent": "ocf:heartbeat:Dummy"}),
        ("pcs resource create d ping", {"agent": "ocf:pacemaker:ping"}),
        ("pcs resource create d systemd:x --clone", {"agent": "systemd:x", "clone": {}}),
        ("pcs resource create d systemd:x clone interleave=true",
         {"agent": "systemd:x", "clone": {"interleave": True}}),
        ("pcs resource create d systemd:x op start timeout=180 --clone interleave=true",
         {"agent": "systemd:x", "operations": [{"name": "start", "timeout": 180}],
          "clone": {"interleave": True}}),
        ("pcs resource create d ocf:heartbeat:galera a=b meta master-max=3 ordered=true "
         "op promote timeout=300s on-fail=block --master",
         {"agent": "ocf:heartbeat:galera", "parameters": {"a": "b"},
          "operations": [{"name": "promote", "timeout": "300s", "on_fail": "block"}],
          "promotable": {"promoted-max": 3, "ordered": True}}),
        ("pcs resource create d redis x=1 --master meta notify=true",
         {"agent": "ocf:heartbeat:redis", "parameters": {"x": 1}, "promotable": {"notify": True}}),
        ("pcs resource create d ocf:a:b --master node_port=1 master-node-max=2",
         {"agent": "ocf:a:b", "parameters": {"node_port": 1},
          "promotable": {"promoted-node-max": 2}}),
        ("pcs resource create d ocf:a:b promotable promoted-max=1",
         {"agent": "ocf:a:b", "promotable": {"promoted-max": 1}}),
        ("pcs resource create d Dummy op start timeout=1s stop timeout=2s op monitor interval=3s "
         "role=Slave OCF_CHECK_LEVEL=10",
         {"agent": "ocf:heartbeat:Dummy", "operations": [
             {"name": "start", "timeout": "1s"}, {"name": "stop", "timeout": "2s"},
             {"name": "monitor", "interval": "3s", "role": "Unpromoted", "check_level": 10}]}),
        ("pcs resource create d Dummy --disabled", {"agent": "ocf:heartbeat:Dummy",
                                                    "disabled": True}),
        ("pcs resource create d Dummy --disabled\npcs resource enable d",
         {"agent": "ocf:heartbeat:Dummy"}),
        ("pcs resource create d Dummy meta target-role=Stopped",
         {"agent": "ocf:heartbeat:Dummy", "disabled": True}),
        ("pcs resource create d Dummy --group g", {"agent": "ocf:heartbeat:Dummy", "group": "g"}),
        ("pcs resource create d Dummy\npcs resource clone d interleave=true",
         {"agent": "ocf:heartbeat:Dummy", "clone": {"interleave": True}}),
        ("pcs resource create d Dummy --clone\npcs resource unclone d",
         {"agent": "ocf:heartbeat:Dummy"}),
        ("pcs resource create d Dummy\npcs resource update d fake=1 op monitor interval=5s",
         {"agent": "ocf:heartbeat:Dummy", "parameters": {"fake": 1},
          "operations": [{"name": "monitor", "interval": "5s"}]}),
        ("pcs resource create d Dummy a=1 b=2\npcs resource update d a=",
         {"agent": "ocf:heartbeat:Dummy", "parameters": {"b": 2}}),
        ("pcs resource create d Dummy --clone\npcs resource meta d-clone interleave=true",
         {"agent": "ocf:heartbeat:Dummy", "clone": {"interleave": True}}),
        ("pcs resource create d Dummy\npcs resource op add d monitor interval=9s\n"
         "pcs resource op remove d monitor interval=9s", {"agent": "ocf:heartbeat:Dummy"}),
        ("pcs resource create d Dummy\npcs resource unmanage d",
         {"agent": "ocf:heartbeat:Dummy", "meta": {"is-managed": False}}),
        ("pcs resource create d Dummy password=x", {"agent": "ocf:heartbeat:Dummy",
                                                    "parameters": {"password": {"secret": "d_password"}}}),
        ("pcs cluster cib f\npcs -f f resource create d Dummy\npcs cluster cib-push f",
         {"agent": "ocf:heartbeat:Dummy"}),
    ],
)  # fmt: skip
def test_a_resource(command: str, expected: dict[str, Any]) -> None:
    assert data(command + "\n")["resources"]["d"] == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("order start d then e-clone kind=Optional",
         {"order": [{"first": "d", "then": "e-clone", "kind": "Optional"}]}),
        ("order d then e-clone symmetrical=false",
         {"order": [{"first": "d", "then": "e-clone", "symmetrical": False}]}),
        ("order promote m-master then start d require-all=false",
         {"order": [{"first": "m-clone", "then": "d", "first_action": "promote",
                     "require_all": False}]}),
        ("order set d e-clone m-master",
         {"order": [{"first": "d", "then": "e-clone"}, {"first": "e-clone", "then": "m-clone"}]}),
        ("colocation add d with master m-master",
         {"colocation": [{"resource": "d", "with": "m-clone", "with_role": "Promoted"}]}),
        ("colocation add d e-clone -INFINITY",
         {"colocation": [{"resource": "d", "with": "e-clone", "score": "-INFINITY"}]}),
        ("colocation add d with m-master 100 with-rsc-role=Master",
         {"colocation": [{"resource": "d", "with": "m-clone", "score": 100,
                          "with_role": "Promoted"}]}),
        ("location d prefers c1=100 c2",
         {"location": [{"resource": "d", "node": "c1", "score": 100},
                       {"resource": "d", "node": "c2"}]}),
        ("location d avoids c3", {"location": [{"resource": "d", "node": "c3",
                                                "score": "-INFINITY"}]}),
        ("location add myid d c1 50", {"location": [{"resource": "d", "node": "c1", "score": 50}]}),
        ("location e-clone rule resource-discovery=exclusive score=0 osprole eq compute",
         {"location": [{"resource": "e-clone", "score": 0, "resource_discovery": "exclusive",
                        "attribute": "osprole", "operation": "eq", "value": "compute"}]}),
        ("location e rule score=5 defined pingd --force",
         {"location": [{"resource": "e-clone", "score": 5, "attribute": "pingd",
                        "operation": "defined"}]}),
    ],
)  # fmt: skip
def test_a_constraint(command: str, expected: dict[str, Any]) -> None:
    assert data(f"{TWO}{MASTER}pcs constraint {command}\n")["constraints"] == expected


@pytest.mark.parametrize(
    ("command", "section", "expected"),
    [
        ("pcs property set no-quorum-policy=stop batch-limit=5", "properties",
         {"no-quorum-policy": "stop", "batch-limit": 5}),
        ("pcs property set enable-acl=yes\npcs property unset enable-acl\n"
         "pcs property set batch-limit=1", "properties", {"batch-limit": 1}),
        ("pcs property set default-resource-stickiness=100", "defaults",
         {"resource-stickiness": 100}),
        ("pcs resource defaults resource-stickiness=INFINITY", "defaults",
         {"resource-stickiness": "INFINITY"}),
        ("pcs resource defaults update migration-threshold=3", "defaults",
         {"migration-threshold": 3}),
        ("pcs property set stonith-enabled=false", "fencing",
         {"disabled": True, "reason": "the old scripts say so (a.sh:2)"}),
        ("pcs stonith create f fence_xvm pcmk_host_list='c1 c2 c3' port=1", "fencing",
         {"devices": {"f": {"agent": "fence_xvm", "nodes": ["c1", "c2", "c3"],
                            "parameters": {"port": 1}}}}),
        ("pcs stonith create f fence_xvm pcmk_host_map='c1:a;c2:b' passwd=x", "fencing",
         {"devices": {"f": {"agent": "fence_xvm", "parameters": {
             "pcmk_host_map": "c1:a;c2:b", "passwd": {"secret": "f_passwd"}}}}}),
        ("pcs property set --node c2 rack=r2", "nodes",
         ["c1", {"name": "c2", "attributes": {"rack": "r2"}}, "c3"]),
        ("pcs node attribute c2 rack=r2", "nodes",
         ["c1", {"name": "c2", "attributes": {"rack": "r2"}}, "c3"]),
        ("pcs cluster node add c4", "nodes", ["c1", "c2", "c3", "c4"]),
    ],
)  # fmt: skip
def test_settings(command: str, section: str, expected: Any) -> None:
    found = data(command + "\n")[section]
    if section == "nodes":
        found = [one["name"] if list(one) == ["name"] else one for one in found]
    assert found == expected


@pytest.mark.parametrize(
    ("script", "fate", "expected"),
    [
        ("pcs resoure create x Dummy\n", Fate.DOUBTFUL, "there is no pcs resoure: resource?"),
        ("pcs resource crate x Dummy\n", Fate.DOUBTFUL,
         "there is no pcs resource crate: create?"),
        ("pcs constraint oder a then b\n", Fate.DOUBTFUL, "no pcs constraint oder: order?"),
        ("pcs cluster atuh c1\n", Fate.DOUBTFUL, "there is no pcs cluster atuh: auth?"),
        ("pcs constraint order start a than b\n", Fate.DOUBTFUL, "an order needs the word then"),
        (DUMMY + "pcs constraint order d then x\n", Fate.DOUBTFUL,
         "there is no resource x at this point"),
        (TWO + "pcs constraint order d then e-clone\npcs constraint order d then e-clone\n",
         Fate.DOUBTFUL, "a duplicate of the constraint at a.sh:4"),
        (DUMMY + "pcs resource create d ocf:heartbeat:Dummy fake=1\n", Fate.DOUBTFUL,
         "d is there already (a.sh:2), with other settings"),
        (DUMMY + DUMMY, Fate.LEFT_OUT, "d is there already (a.sh:2)"),
        (DUMMY + "pcs resource delete d\n", Fate.LEFT_OUT, "superseded: deleted at a.sh:3"),
        ("pcs resource delete d --force\n" + DUMMY, Fate.LEFT_OUT, "there is nothing to delete"),
        (TWO + "pcs constraint order d then e-clone\npcs resource delete e\n"
         "pcs resource create e ocf:heartbeat:Dummy --clone\n", Fate.DOUBTFUL,
         "deleting e at a.sh:5 also deletes this constraint, and nothing creates it again"),
        ("pcs resource create d ocf:heartbeat:Dummy meta interleave=true --clone\n",
         Fate.DOUBTFUL, "it is an option of clones: on the primitive it does nothing"),
        ("pcs resource create d IPaddr2 ip=$(hostname -I)\npcs constraint location d prefers c1\n",
         Fate.UNTRANSLATED, "it names d, which could not be translated (a.sh:2)"),
        ("pcs property set foo=bar\n", Fate.UNTRANSLATED,
         "current Pacemaker has no such option"),
        ("pcs resource op defaults timeout=9s\n", Fate.UNTRANSLATED,
         "defaults of operations have no place"),
        ("pcs stonith create f fence_ipmilan\n", Fate.DOUBTFUL, "fencing without hosts"),
        (DUMMY + "pcs resource meta d interleave=true\n", Fate.DOUBTFUL,
         "pcs resource meta d interleave=true: it is an option of clones"),
        ("pcs resource create d Dummy op start timeout=300s\n"
         "pcs resource op add d start interval=0 timeout=120s\n", Fate.DOUBTFUL,
         "d has an operation start of this interval already"),
        (DUMMY + "pcs resource op add d monitor interval=9s\n", Fate.DOUBTFUL,
         "newer pcs refuses it: create has made an operation monitor already"),
        (TWO + "pcs constraint location d rule pingd defined or pingd gt 0\n", Fate.DOUBTFUL,
         "a rule has defined before its attribute: defined pingd"),
        (TWO + "pcs constraint colocation add d with e-clone score=200\n"
         "pcs constraint remove colocation-d-e-clone-200\n", Fate.DOUBTFUL,
         "there is no constraint colocation-d-e-clone-200"),  # pcs calls it …-INFINITY
        (TWO + MASTER + "pcs constraint order d then e-clone\n"
         "pcs constraint order promote m-master then e-clone\n"
         "pcs constraint order remove d e-clone\n", Fate.DOUBTFUL,
         "every order that names one of them, also m-clone then e-clone (a.sh:6)"),
        (TWO + "pcs constraint order d then e-clone kind=Optional\n"
         "pcs constraint order set d e-clone\n", Fate.DOUBTFUL,
         "another constraint on the same resources is at a.sh:4"),
        (DUMMY + "for n in c1 c2; do ssh $n pcs resource disable d; done\n"
         "pcs resource enable d\n", Fate.LEFT_OUT, "superseded: d is enabled at a.sh:4"),
        (DUMMY + "pcs resource move d c2\n", Fate.DOUBTFUL, "keeps d on c2 permanently"),
        ("pcs alert create path=/x\n", Fate.UNTRANSLATED, "has nothing for pcs alert"),
        ("pcs resource create web systemd:httpd\nsystemctl enable httpd\n", Fate.DOUBTFUL,
         "Pacemaker manages it as web: enabled at boot"),
        ("pcs resource create vip-db IPaddr2 ip=192.0.2.1\n"
         "pcs resource create vip-mq IPaddr2 ip=192.0.2.1\n", Fate.DOUBTFUL,
         "vip-db has the same address (a.sh:2)"),
        ("exit 0\npcs status\n", Fate.LEFT_OUT, "never reached"),
        ("f() {\n  pcs status\n}\n", Fate.LEFT_OUT, "the function f is never called"),
        ("echo 'pcs status' | at now\n", Fate.UNTRANSLATED, "a text passed to at"),
        ("echo 'pcs status'\n", Fate.LEFT_OUT, "only a text that is printed"),
        ("# pcs resource cleanup\n", Fate.LEFT_OUT, "commented out"),
        ("ansible all -m shell -a 'pcs resource cleanup'\n", Fate.UNTRANSLATED,
         "it is passed to ansible"),
        ("bash elsewhere.sh\n", Fate.UNTRANSLATED, "elsewhere.sh, which is not in the folder"),
        ("cibadmin --modify -X '<a/>'\n", Fate.UNTRANSLATED, "changes the cluster without pcs"),
    ],
)  # fmt: skip
def test_what_is_reported(script: str, fate: Fate, expected: str) -> None:
    assert any(expected in one for one in said(script, fate)), said(script, fate)


@pytest.mark.parametrize(
    "added",
    ["op remove d monitor\npcs resource op add d monitor interval=9s",
     "op add d monitor interval=9s --force", "op add d monitor interval=9s role=Master",
     "op add d promote timeout=9s"],
)  # fmt: skip
def test_an_operation_that_pcs_takes_is_no_doubt(added: str) -> None:
    assert not said(f"{DUMMY}pcs resource {added}\n", Fate.DOUBTFUL)


@pytest.mark.parametrize(
    "removal",
    ["remove colocation-d-e-clone-200", "remove mine", "remove order-d-e-clone-Optional",
     "colocation remove e-clone d", "order remove d"],
)  # fmt: skip
def test_a_constraint_is_removed_as_pcs_does(removal: str) -> None:
    made = [
        "colocation add d with e-clone 200",
        "colocation add e-clone with m-master id=mine",
        "order d then e-clone kind=Optional",
    ]
    gone = made[2 if "order" in removal else 1 if "mine" in removal else 0]
    lines = "".join(f"pcs constraint {one}\n" for one in [*made, removal])
    left = [one for one in said(TWO + MASTER + lines, Fate.LEFT_OUT) if "superseded" in one]
    assert [one.split(": superseded")[0] for one in left] == [f"pcs constraint {gone}"]


def test_a_copy_to_a_host_that_nobody_knows_is_listed() -> None:
    files = migrated("for h in $(cat /etc/hosts); do scp lib.sh $h:/root; done\n").effects.files
    assert [(one.path, one.host) for one in files] == [("/root/lib.sh", "<what is in /etc/hosts>")]


def test_a_guard_is_answered_by_the_cluster_so_far() -> None:
    guarded = "if ! pcs resource show d; then\n" + DUMMY + "fi\n"
    assert list(data(guarded + guarded)["resources"]) == ["d"]
    assert any("never reached" in one or "there already" in one
               for one in said(guarded + guarded, Fate.LEFT_OUT))  # fmt: skip


@pytest.mark.parametrize(
    "guard",
    [
        "pcs resource show web1 > /dev/null 2>&1 || ",
        "pcs resource | grep -q web1 || ",
        "pcs status > /dev/null; ! pcs resource | grep -w web1 && ",
        "pcs stonith show web1 || ",
    ],
)
def test_guards_of_other_forms_let_a_create_through(guard: str) -> None:
    done = migrated(f"{guard}pcs resource create web1 ocf:heartbeat:Dummy\n")
    assert "  web1:\n    agent: ocf:heartbeat:Dummy" in done.inventory


def test_two_commands_of_one_line_are_two_in_the_account() -> None:
    line = "pcs resource | grep -q memcached || pcs resource create memcached systemd:memcached clone\n"
    found = [entry.text for entry in migrated(line + line).entries if entry.place.line == 3]
    assert found == ["pcs resource", line.strip()]


def test_the_ini_file_says_another_address() -> None:
    ini = "[haproxy]\nvip-db=192.0.2.9\nvip-mq=192.0.2.8\n"
    found = said("pcs resource create vip-db IPaddr2 ip=192.0.2.1\n", Fate.DOUBTFUL, vars_ini=ini)
    assert any("the ini file says 192.0.2.9 (vars.ini:2)" in one for one in found)
    assert any("[haproxy] names a VIP that no script creates" in one for one in found)


def test_a_reader_that_is_not_in_the_folder_is_assumed_to_read_as_usual() -> None:
    ini = "[default]\nname=x\n[other]\nkeys=found\n"
    script = "pcs property set batch-limit=5\nx=$(bash readini.sh vars.ini default key)\n" + DUMMY
    done = migrated(script + "pcs node attribute c1 a=$x\n", vars_ini=ini)
    assert "attributes: {a: found}" in done.inventory
    assert any("reads as usual" in one for one in done.effects.assumptions)


def test_a_secret_with_blanks_is_masked_as_a_whole() -> None:
    script = "pcs stonith create f fence_x pcmk_host_list=c1 passwd='one two' login=a\n"
    done = migrated(script + "pcs cluster auth c1 -u hacluster -p 'three four'\n")
    for text in (done.inventory, *(f"{one.text} {one.reason}" for one in done.entries)):
        assert not {"one", "two", "three", "four"} & set(re.split(r"\W+", text)), text


def test_addresses_come_from_the_ini_file() -> None:
    ini = "[a]\nn1=c1\nn1_ip=192.0.2.1\n[c2]\nint_ip=192.0.2.2\n"
    assert data("", vars_ini=ini)["nodes"] == [
        {"name": "c1", "address": "192.0.2.1"}, {"name": "c2", "address": "192.0.2.2"},
        {"name": "c3"},
    ]  # fmt: skip


@pytest.mark.parametrize("image", ["debian12", "debian13"])
def test_what_pcs_itself_made_of_a_script_is_what_the_replay_makes(
    image: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script ran on real nodes, and the CIB was taken from them (tests/captured)."""
    shutil.copy(CAPTURED / "stack.sh", tmp_path)
    assert check_folder(Scripts(tmp_path), CAPTURED / image / "cib-stack.xml") == 2
    assert capsys.readouterr().out.splitlines() == [  # what the harness sets before
        "property dc-deadtime: the scripts say nothing, the cluster 3s",
        "property load-threshold: the scripts say nothing, the cluster 0%",
    ]


def test_the_difference_to_a_live_cluster_is_shown_object_by_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (CAPTURED / "stack.sh").read_text()
    for old, new in [("ip=192.0.2.$n", "ip=192.0.2.9"), ("--group grp\npcs constraint", "\npcs constraint"),
                     ("resource-stickiness=100", "resource-stickiness=200"), ("rack=b", "rack=c"),
                     ("location web2 prefers c1", "location web2 prefers c2"),
                     ("clone interleave=true\npcs resource create web ", "\npcs resource create web "),
                     ("pcs resource create ngx", "pcs resource create nginx")]:  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "stack.sh").write_text(text)
    assert check_folder(Scripts(tmp_path), CAPTURED / "debian12" / "cib-stack.xml") > 2
    said = capsys.readouterr().out
    for expected in (
        "resource default resource-stickiness: the scripts say 200, the cluster 100",
        "attribute of c2 rack: the scripts say c, the cluster b",
        "resource vip-db parameter ip: 192.0.2.101 -> 192.0.2.9",
        "resource nginx: the cluster does not have it",
        "resource ngx: no script creates it",
        "resource memcached: the cluster does not have it",
        "resource memcached-clone: no script creates it",
        "location of=web2 score=INFINITY node=c1: no script creates it",
        "location of=web2 score=INFINITY node=c2: the cluster does not have it",
    ):
        assert expected in said, said


@pytest.mark.parametrize("text", ["", "<a/>", "no XML", "<cib/>"])
def test_what_is_no_cib_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.sh").write_text(SETUP)
    (tmp_path / "cib.xml").write_text(text)
    with pytest.raises(UsageError, match="it is not a CIB"):
        check_folder(Scripts(tmp_path), tmp_path / "cib.xml")


def test_an_inventory_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    scripts, target = tmp_path / "scripts", tmp_path / "inventory" / "lab.yaml"
    scripts.mkdir()
    (scripts / "a.sh").write_text(SETUP + "pcs property set stonith-enabled=false\n")
    migrate_folder(Scripts(scripts), target, str(tmp_path / "report.json"))
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["translated"] == 2
    target.write_text("mine\n")
    with pytest.raises(UsageError, match="it is there already"):
        migrate_folder(Scripts(scripts), target)
    migrate_folder(Scripts(scripts), target, force=True)
    assert target.read_text().startswith("# yaml-language-server")


def test_an_ini_file_from_elsewhere_takes_the_place_of_the_folders(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "a.sh").write_text(SETUP + "pcs node attribute c1 a=$(bash readini.sh v.ini s k)\n")
    (scripts / "v.ini").write_text("[s]\nk=old\n")
    (tmp_path / "production").mkdir()
    (tmp_path / "production" / "v.ini").write_text("[s]\nk=new\n")
    done = migrate(scripts, tmp_path / "production" / "v.ini")
    assert "attributes: {a: new}" in done.inventory
    with pytest.raises(UsageError, match="No such file"):
        migrate(scripts, tmp_path / "absent.ini")


REMOTE = "pcs resource create r1 ocf:pacemaker:remote "


@pytest.mark.parametrize(
    ("options", "node"),
    [
        ("", {"connection": {"reconnect_interval": 0}}),
        ("server=192.0.2.9", {"address": "192.0.2.9", "connection": {"reconnect_interval": 0}}),
        ("server=r1.lab port=3200 reconnect_interval=60s op monitor interval=20 meta priority=5",
         {"connection": {"server": "r1.lab", "port": 3200, "reconnect_interval": "60s",
                         "meta": {"priority": 5},
                         "operations": [{"name": "monitor", "interval": 20}]}}),
    ],
)  # fmt: skip
def test_a_connection_becomes_a_node_whose_role_is_remote(
    options: str, node: dict[str, Any]
) -> None:
    script = f"{REMOTE}{options}\n{DUMMY}pcs property set --node r1 site=edge\n"
    script += "pcs constraint location d prefers r1=50\npcs constraint location r1 prefers c2\n"
    found = data(script)
    assert found["nodes"][-1] == {
        "name": "r1", "role": "remote", "attributes": {"site": "edge"}, **node
    }  # fmt: skip
    assert list(found["resources"]) == ["d"]
    assert [one["resource"] for one in found["constraints"]["location"]] == ["d", "r1"]
    assert not said(script, Fate.UNTRANSLATED)[1:]  # the first: there is no fencing


@pytest.mark.parametrize(
    "options", ["trace_ra=1", "--disabled", "--group g", "clone", "server=192.0.2.300/24"]
)
def test_a_connection_that_no_node_says_stays_a_resource(options: str) -> None:
    found = data(f"{REMOTE}{options}\n")
    assert len(found["nodes"]) == 3
    assert list(found["resources"]) == ["r1"]


NODE = "pcs cluster node "


@pytest.mark.parametrize(
    ("words", "node"),
    [
        ("r1", {}),
        ("r1 192.0.2.9", {"address": "192.0.2.9"}),
        ("192.0.2.9 r1", {"address": "192.0.2.9"}),  # pcs 0.9
        ("r1 r1.lab op monitor interval=20 meta priority=5",
         {"connection": {"server": "r1.lab", "reconnect_interval": 0, "meta": {"priority": 5},
                         "operations": [{"name": "monitor", "interval": 20}]}}),
        ("r1 reconnect_interval=60s port=3200",
         {"connection": {"reconnect_interval": "60s", "port": 3200}}),
    ],
)  # fmt: skip
def test_a_remote_node_that_pcs_adds_is_one_of_the_inventory(
    words: str, node: dict[str, Any]
) -> None:
    script = f"{NODE}add-remote {words}\n{DUMMY}pcs node attribute r1 site=edge\n"
    found = data(script)
    usual = {"connection": {"reconnect_interval": 0}}
    assert found["nodes"][-1] == {
        "name": "r1", "role": "remote", "attributes": {"site": "edge"}, **usual, **node
    }  # fmt: skip
    assert not said(script, Fate.UNTRANSLATED)[1:]  # the first: there is no fencing


@pytest.mark.parametrize("gone", ["remove-remote r1", "delete-remote 192.0.2.9"])
def test_a_remote_node_that_pcs_removes_is_none(gone: str) -> None:
    found = data(f"{NODE}add-remote r1 192.0.2.9\n{DUMMY}{NODE}{gone}\n")
    assert len(found["nodes"]) == 3
    assert list(found["resources"]) == ["d"]


@pytest.mark.parametrize("add", ["cluster node add-guest", "cluster remote-node add"])
def test_a_guest_node_is_a_meta_attribute_and_a_node(add: str) -> None:
    script = f"{DUMMY}pcs {add} g1 d remote-port=3200\npcs node attribute g1 site=edge\n"
    found = data(script)
    assert found["nodes"][-1] == {"name": "g1", "role": "guest", "attributes": {"site": "edge"}}
    assert found["resources"]["d"]["meta"] == {"remote-node": "g1", "remote-port": 3200}
    assert not said(script, Fate.UNTRANSLATED)[1:]
    gone = data(f"{script}{NODE}remove-guest g1\n")
    assert len(gone["nodes"]) == 3
    assert "meta" not in gone["resources"]["d"]


@pytest.mark.parametrize("verb", ["remove-remote", "delete-guest"])
def test_a_node_that_no_script_adds_is_not_removed(verb: str) -> None:
    lines = said(f"{DUMMY}{NODE}{verb} r9\n", Fate.DOUBTFUL)
    assert any("node r9 at this point" in str(line) for line in lines)
