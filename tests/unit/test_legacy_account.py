# ruff: noqa: ISC004  (commands stand as they would be typed)
"""The account of a tree: nothing in it is silent, and no reason denies what may have happened."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from pacefab.errors import UsageError
from pacefab.legacy.masking import mask, mask_source, masked_line
from pacefab.legacy.migrate import migrate, migrate_tree
from pacefab.legacy.model import Fate, Migration, NextStep, Place
from pacefab.legacy.occurrences import occurrences
from pacefab.legacy.source import SourceFile, Tree
from pacefab.report.migration import print_report


def account(files: Mapping[str, str]) -> Migration:
    tree = Tree({path: SourceFile(path, text) for path, text in files.items()})
    return migrate_tree(tree, "folder", "cluster")


def at(done: Migration, file: str, line: int) -> list[tuple[Fate, str]]:
    return [(one.fate, one.reason) for one in done.entries
            if (one.place.file, one.place.line) == (file, line)]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("pcs resource create mill ocf:heartbeat:Dummy", "pcs"),
        ('"pcs" status', "pcs"),
        ("sudo -n /usr/sbin/pcs -f mill.xml constraint order a then b", "pcs"),
        ("PCS='sudo pcs'", "pcs"),
        ("tools=(sudo pcs)", "pcs"),
        ("alias p='pcs resource'", "pcs"),
        ('command pcs "$@"', "pcs"),
        ("pcs $verb", "pcs"),
        ('"${PCS[@]}" resource create mill Dummy', "$PCS"),
        ("$TOOL constraint location mill prefers a", ""),
        ("on_all resource create mill ocf:heartbeat:Dummy", ""),
        ('subprocess.run(["pcs", "resource", "create", name])', "pcs"),
        ('call(["pcs"] + words)', "pcs"),
        ("ExecStart=/usr/sbin/pcs cluster start", "pcs"),
        ("echo 'primitive p Dummy' | crm", "crm"),
        ("crm -f mill.crm", "crm"),
        ("crm configure load update mill.crm", "crm"),
        ("crm <<END", "crm"),
        ("cibadmin --query", "cibadmin"),
        ("attrd_updater -n mill -U 1", "attrd_updater"),
        ("if ! crm_resource -W -r mill; then", "crm_resource"),
        ("stonith_admin -L", "stonith_admin"),
    ],
)
def test_a_cluster_command_is_found_in_any_spelling(line: str, program: str) -> None:
    assert [one.program for one in occurrences(line)][:1] == [program]


@pytest.mark.parametrize(
    "line",
    ["yum install -y pacemaker pcs crmsh", "systemctl enable pcsd", "which pcs", "rpm -q pcs",
     "- pcs", "passwd hacluster # for pcs", "tail /var/log/pcs.log", "pcs() {", "my-pcs status"],
)  # fmt: skip
def test_what_is_no_cluster_command_is_not_taken_for_one(line: str) -> None:
    assert not list(occurrences(line))


def test_a_command_that_goes_on_in_further_lines_is_found_where_it_begins() -> None:
    found = list(occurrences("true\npcs \\\n  -f x \\\n  resource create a b\npcs status"))
    assert [(one.line, one.words[:2]) for one in found] == [
        (2, ("resource", "create")), (5, ("status",))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("lathe.py", "import os\nos.system('pcs resource create lathe Dummy')\n", 2),
        ("lathe.pl", "system('crm', 'configure', 'show');\n", 1),
        ("roles/lathe/tasks/main.yml", "- pcs_resource:\n    name: lathe\n", 1),
        ("manifests/lathe.pp", "cs_primitive { 'lathe':\n}\n", 1),
        ("lathe.tf", 'x = 1\ncommand = "sudo pcs cluster start --all"\n', 2),
        ("join.exp", "#!/usr/bin/expect\nspawn pcs cluster auth a b\n", 2),
        (".ci/lathe.groovy", "sh 'cibadmin --erase --force'\n", 1),
        ("lathe.service", "[Service]\nExecStart=/usr/sbin/crm_attribute -n a -v 1\n", 2),
        ("recipe.sh.j2", "{% if x %}\npcs resource create {{ name }} Dummy\n{% endif %}\n", 2),
    ],
)  # fmt: skip
def test_a_command_in_a_file_that_is_no_script_is_reported(file: str, text: str, line: int) -> None:
    done = account({"a.sh": "#!/bin/bash\ntrue\n", file: text})
    assert [fate for fate, _ in at(done, file, line)] == [Fate.UNTRANSLATED]


def test_documentation_has_one_entry_a_file() -> None:
    text = "# Steps\n    pcs status\n\n    pcs resource cleanup\n"
    done = account({"a.sh": "true\n", "docs/steps.md": text})
    (only,) = [one for one in done.entries if one.place.file == "docs/steps.md"]
    assert (only.fate, only.place.line) == (Fate.LEFT_OUT, 2)
    assert "2 lines with cluster commands: 2, 4" in only.text


def test_a_script_without_an_extension_is_read(tmp_path: Path) -> None:
    (tmp_path / ".hooks").mkdir()
    (tmp_path / ".hooks" / "loom").write_text("pcs resource create loom ocf:heartbeat:Dummy\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "loom").write_text("pcs resource create old ocf:heartbeat:Dummy\n")
    done = migrate(tmp_path)
    assert "  loom:" in done.inventory
    assert "old" not in done.inventory
    assert any(one.place.file == ".git/" and "version control" in one.reason
               for one in done.entries)  # fmt: skip


def test_a_folder_whose_commands_are_in_a_program_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "loom.rb").write_text("system 'pcs status'\n")
    assert [one.place.line for one in migrate(tmp_path).entries if one.place.file] == [1]
    (tmp_path / "loom.rb").write_text("puts 1\n")
    with pytest.raises(UsageError):
        migrate(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "fate", "reason"),
    [
        # Nothing could be translated: that is no teardown.
        ('pcs resource create "oven-$1" Dummy\n', 1, Fate.UNTRANSLATED, "a value is known only"),
        # What an unknown name is asked, has an unknown answer.
        ('o=$(cat /etc/oven)\npcs resource config "$o" || pcs resource create rack Dummy\n', 2,
         Fate.UNTRANSLATED, "whether it runs is known only at run time"),
        ('o=$(cat /etc/oven)\npcs stonith config "$o"\nif [ $? = 0 ]; then\n'
         "pcs resource create rack Dummy\nfi\n", 4, Fate.TRANSLATED, "assumed to hold"),
        # The environment may have what no script sets.
        ('if [ -n "$OVEN" ]; then\npcs resource create rack Dummy\nfi\n', 2,
         Fate.UNTRANSLATED, "not reached while $OVEN is not set"),
        ("o=${OVEN:-no}\n[ $o = no ] || pcs resource create rack Dummy\n", 2,
         Fate.UNTRANSLATED, "not reached while $OVEN is not set"),
        ("case ${1:-show} in\nbake) pcs resource create rack Dummy ;;\nesac\n", 2,
         Fate.UNTRANSLATED, "not reached while $1 is not set"),
        ("o=no\nif [ $o = yes ]; then\n/sbin/pcs resource create rack Dummy\nfi\n", 3,
         Fate.LEFT_OUT, "never reached"),
        ("ssh a 'if false; then pcs status; fi'\n", 1, Fate.LEFT_OUT, "never reached"),
        # A function may be called by a name that is known only at run time.
        ("bake() { pcs resource create rack Dummy; }\n", 1, Fate.LEFT_OUT, "never called"),
        ('bake() { pcs resource create rack Dummy; }\n"$1"\n', 1, Fate.UNTRANSLATED,
         "was not seen to be called"),
        # Printed text goes to a terminal, or elsewhere.
        ("echo pcs status | batch\n", 1, Fate.UNTRANSLATED, "passed to batch"),
        ("echo 'pcs resource create rack Dummy' >> /root/later.sh\n", 1, Fate.UNTRANSLATED,
         "written into /root/later.sh"),
        ("later='pcs resource create rack Dummy'\n", 1, Fate.UNTRANSLATED,
         "nothing was seen to run it"),
        ("later='pcs resource create rack Dummy'\n$later\n", 1, Fate.LEFT_OUT, "a line of its own"),
        # Another program puts the copy in place.
        ("pcs cluster cib draft\npcs -f draft resource create rack Dummy\n"
         "cibadmin --replace --xml-file draft\n", 2, Fate.UNTRANSLATED, "is put in place"),
        ("pcs cluster cib draft\npcs -f draft resource create rack Dummy\n", 2, Fate.LEFT_OUT,
         "never pushed"),
        # What has an unknown name may be what another command names.
        ('pcs resource create "$1" Dummy\npcs resource delete rack\n', 2, Fate.UNTRANSLATED,
         "is not known"),
        ("pcs resource sieve rack\n", 1, Fate.UNTRANSLATED, "is not known here"),
        ("crm_attribute -n a -G\n", 1, Fate.LEFT_OUT, "only queries"),
        ("crm_resource -r rack --set-parameter ip -v a\n", 1, Fate.UNTRANSLATED, "without pcs"),
    ],
)  # fmt: skip
def test_a_reason_says_no_more_than_is_known(text: str, line: int, fate: Fate, reason: str) -> None:
    found = at(account({"oven.sh": text}), "oven.sh", line)
    assert any(one is fate and reason in why for one, why in found), found


def test_scripts_that_need_each_other_are_started_in_that_order() -> None:
    done = account({
        "bind.sh": "pcs constraint colocation add cup with pot\n",
        "make.sh": "pcs resource create cup Dummy\npcs resource create pot Dummy\n",
    })  # fmt: skip
    assert "colocation:" in done.inventory
    assert "the scripts are started in this order: make.sh, bind.sh" in done.effects.assumptions


def test_a_second_location_takes_the_place_of_the_first() -> None:
    text = "pcs cluster setup --name bench a b\npcs resource create seat Dummy\n"
    done = account({"a.sh": text + "pcs constraint location seat prefers a=5\n"
                    "pcs constraint location seat prefers a=7\n"})  # fmt: skip
    assert "score: 7" in done.inventory
    assert at(done, "a.sh", 3) == [(Fate.LEFT_OUT, "superseded: set again at a.sh:4")]


@pytest.mark.parametrize("word", ["promotable", "clone"])
def test_a_clone_with_a_name_of_its_own_is_kept_under_todays(word: str) -> None:
    done = account({"a.sh": f"pcs resource create reel ocf:pacemaker:Stateful {word} pair "
                    "notify=true\npcs resource create film Dummy\n"
                    "pcs constraint order pair then film\n"})  # fmt: skip
    assert f"    {word}:" in done.inventory
    assert "first: reel-clone" in done.inventory
    assert any("pair becomes reel-clone" in reason for _, reason in at(done, "a.sh", 1))


def test_keywords_of_setup_are_no_nodes() -> None:
    done = account({"a.sh": "pcs cluster setup press inn addr=192.0.2.1 addr=198.51.100.1 bar "
                    "transport knet link mcastport=5409 totem token=9000\n"})  # fmt: skip
    assert "- {name: inn, address: 192.0.2.1}" in done.inventory.replace("\n  ", " ") or (
        "name: inn" in done.inventory and "address: 192.0.2.1" in done.inventory
    )
    assert "transport" not in done.inventory
    assert any(fate is Fate.DOUBTFUL and "token=9000" in why for fate, why in at(done, "a.sh", 1))


@pytest.mark.parametrize("scope", ["scope=resources copy", "copy scope=configuration", "copy"])
def test_a_copy_is_pushed_with_its_scope_on_either_side(scope: str) -> None:
    done = account({"a.sh": "pcs cluster cib copy\npcs -f copy resource create oar Dummy\n"
                    f"pcs cluster cib-push {scope}\n"})  # fmt: skip
    assert "  oar:" in done.inventory


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("pcs cluster auth a b -u hacluster -pSesame9", "pcs cluster auth a b -u hacluster -p***"),
        ("pcs host auth a -u hacluster -p Sesame9", "pcs host auth a -u hacluster -p ***"),
        ("ssh -p 2222 a pcs status", "ssh -p 2222 a pcs status"),
        ("mysql -uroot -pSesame9 shop", "mysql -uroot -p*** shop"),
        ("db=mysql://shop:Sesame9@db/shop", "db=mysql://shop:***@db/shop"),
        ("pcs cluster setup a b totem token=9000", "pcs cluster setup a b totem token=9000"),
        ("pcs stonith create f fence_x token=Sesame9", "pcs stonith create f fence_x token=***"),
        ("mkdir -pv /srv/pcs", "mkdir -pv /srv/pcs"),
    ],
)
def test_secrets_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "name", ['command pcs "$@"', 'sudo pcs "$@"', '/usr/sbin/pcs "$@"', 'timeout 9 pcs "$@"']
)
def test_a_function_with_the_name_of_pcs_runs_the_program(name: str) -> None:
    text = f"pcs() {{ echo $1; {name}; }}\npcs cluster setup --name lake n1 n2\n"
    done = account({"a.sh": text + "pcs resource create reed Dummy\n"})
    assert "  reed:" in done.inventory
    assert [fate for fate, _ in at(done, "a.sh", 3)] == [Fate.TRANSLATED]


def test_a_file_beside_the_script_is_the_one_that_is_meant() -> None:
    files: dict[str, str] = {}
    for side in ("up", "down"):
        files[f"{side}/set.conf"] = f"RIVER={side}\n"
        files[f"{side}/run.sh"] = "source ./set.conf\npcs resource create mill-$RIVER Dummy\n"
        files[f"{side}/own.sh"] = (
            'here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)\n. "$here/set.conf"\n'
            "pcs resource create dam-$RIVER Dummy\n"
        )
    done = account(files)
    assert all(f"  {name}-{side}:" in done.inventory for name in ("mill", "dam")
               for side in ("up", "down"))  # fmt: skip


def test_options_of_a_script_are_read_or_taken_for_absent_and_reported() -> None:
    add = (
        "ip=192.0.2.1\nwhile getopts i:n: o; do\n"
        "case $o in i) ip=$OPTARG ;; n) name=$OPTARG ;; esac\n"
        'done\npcs resource create "${name:-plain}" IPaddr2 ip=$ip\n'
    )
    called = account({"add.sh": add, "run.sh": "bash add.sh -i 192.0.2.7 -n reed\n"})
    assert "  reed:" in called.inventory
    assert "192.0.2.7" in called.inventory
    alone = account({"add.sh": add})
    assert "add.sh is started without options" in alone.effects.assumptions


def test_scripts_without_cluster_commands_take_no_steps_from_the_others() -> None:
    files = {f"a{n}.sh": f"while :; do x{n}=$((x + 1)); y=$x; done\n" for n in range(20)}
    done = account({**files, "z.sh": "pcs resource create late Dummy\n"})
    assert "  late:" in done.inventory
    assert not any(one.fate is Fate.UNTRANSLATED and one.place.file.startswith("a")
                   for one in done.entries)  # fmt: skip


def test_a_device_without_hosts_is_kept_where_pacemaker_asks_it() -> None:
    done = account({"a.sh": "pcs cluster setup --name lab n1 n2\n"
                    "pcs stonith create cloud fence_aws region=x\n"
                    "pcs stonith create lights fence_ipmilan ip=192.0.2.1\n"})  # fmt: skip
    assert "    cloud:" in done.inventory
    assert "lights" not in done.inventory
    assert at(done, "a.sh", 3)[0][0] is Fate.UNTRANSLATED


@pytest.mark.parametrize(
    ("rule", "kept"),
    [("rule resource-discovery=exclusive score=0 side eq", True), ("rule score=0 side eq", False)],
)
def test_two_resources_on_one_unit_need_rules_that_keep_them_apart(rule: str, kept: bool) -> None:
    text = "pcs cluster setup --name lab n1 n2\n"
    for side in ("l", "r"):
        text += f"pcs resource create p-{side} systemd:p clone\n"
        text += f"pcs constraint location p-{side}-clone {rule} {side}\n"
    done = account({"a.sh": text})
    assert ("  p-r:" in done.inventory) is kept
    reported = at(done, "a.sh", 4)
    assert any("already managed by the resource p-l" in reason for _, reason in reported)


SECRETS = [
    "pcs cluster auth a b -u hacluster -phunter2",
    "pcs host auth a b -u hacluster -p hunter2",
    "sshpass -p 'hunter2' ssh a pcs status",
    "lookup --token hunter2 gateway; pcs status",
    "deploy --admin-password=hunter2 --verbose",
    "mysql -uroot -phunter2 -e 'select 1'",
    "mysqldump --password='hunter2' --all-databases",
    "ipmitool -I lanplus -U admin -P hunter2 -H 192.0.2.1 power status",
    "fence_ipmilan -a 192.0.2.1 -l admin -p hunter2 -o status",
    "redis-cli -h vip -a hunter2 ping",
    "curl -su admin:hunter2 https://n1:2224/",
    "curl --user 'admin:hunter2' https://n1:2224/",
    "export URL=mysql+pymysql://nova:hunter2@db/nova",
    "echo hunter2 | passwd --stdin hacluster",
    "chpasswd <<< hacluster:hunter2",
    "crm configure primitive f stonith:fence_ipmilan params passwd=hunter2 ip=192.0.2.1",
    "rabbit_password = hunter2",
    "if mysql -phunter2 -e 1; then exit 1; fi",
]
PLAIN = [
    "mkdir -p /srv/www && pcs status",
    "ssh -p 2222 n1 pcs status",
    "mysql -P 3306 -h db",
    "pcs cluster setup lake n1 n2 --token 10000",
    "podman login --password-stdin registry",
    "ansible-playbook --ask-pass site.yml",
    "deploy --no-password all",
    "pcs resource create v IPaddr2 ip=192.0.2.1 --group passive",
    "tar -p -xf keys.tar",
    "curl -u admin https://n1:2224/",
    "crm resource param site set port 80",
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_is_masked_wherever_it_stands(line: str) -> None:
    assert "hunter2" not in mask(line)
    assert "***" in mask(line)
    done = account({"a.sh": f"pcs cluster setup lake n1 n2\n{line}\n"})
    shown = (done.entries, done.inventory, done.sources, done.asked, done.effects)
    assert "hunter2" not in str(shown)


@pytest.mark.parametrize(
    "line",
    ["  db_password: hunter2", '{"token": "hunter2", "user": "nova"}', "requirepass hunter2",
     "GRANT ALL ON *.* TO a IDENTIFIED BY 'hunter2';", "  auth_pass hunter2",
     "PASSWORD=${1:-hunter2}", "masterauth hunter2"],
)  # fmt: skip
def test_the_lines_of_the_page_mask_other_notations_too(line: str) -> None:
    assert "hunter2" not in mask_source(line)


@pytest.mark.parametrize(
    "line", [*PLAIN, "kind: secret", "https://n1:2224/x", "pass", "  passwd root"]
)
def test_the_lines_of_the_page_show_the_rest(line: str) -> None:
    assert mask_source(line) == line


@pytest.mark.parametrize("line", PLAIN)
def test_what_is_no_secret_is_not_masked(line: str) -> None:
    assert mask(line) == line
    assert masked_line(line.split()) == line


def test_the_report_is_grouped_by_what_to_do_next(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Run `pcs status`.\n\npcs resource cleanup\n")
    (tmp_path / "a.sh").write_text(
        "pcs cluster setup lake n1 n2\npcs resource create v IPaddr2 ip=$1\n"
        "pcs stonith level add 1 n1 x\npcs property set stonith-enabled=false\n"
    )
    done = migrate(tmp_path)
    stream = io.StringIO()
    print_report(done, stream)
    shown = stream.getvalue()
    titles = [line for line in shown.splitlines() if re.match(r"[A-Z].*: \d+$", line)]
    assert [title.partition(":")[0] for title in titles] == [
        "Translate by hand", "Decide", "Check", "Nothing to do",
    ]  # fmt: skip
    parts = {line.place: line.step for line in done.entries}
    for place, step in parts.items():
        part = shown.split(f"\n{titles[list(NextStep).index(step)]}\n")[1].split("\n\n")[0]
        assert str(place) in part
    assert parts[Place("a.sh", 2)] is NextStep.DECIDE
    assert len([one for one in done.entries if one.place.file == "README.md"]) == 1


@pytest.mark.parametrize("columns", ["20", "80", "400"])
def test_places_are_whole_in_a_pipe_of_any_width(
    tmp_path: Path, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    folder = tmp_path / "a-rather-long-name-of-a-folder" / ("deep-" * 20)
    folder.mkdir(parents=True)
    (folder / "script with a blank.sh").write_text("pcs cluster setup lake n1 n2\npcs acl enable\n")
    done = migrate(tmp_path)
    stream = io.StringIO()
    print_report(done, stream)
    lines = stream.getvalue().splitlines()
    for one in done.entries:
        assert sum(f"{one.place}: {one.text}" in line for line in lines) == 1
