# ruff: noqa: ISC004  (commands stand as they would be typed)
"""The file of answers: written with what a migration asks, and read with what an operator says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pacefab.cli.inventory import read_inventory
from pacefab.errors import UsageError
from pacefab.inventory.configuration import desired_configuration
from pacefab.legacy.answers.reading import read_answers
from pacefab.legacy.answers.writing import write
from pacefab.legacy.migrate import migrate
from pacefab.legacy.questions import AskedStart, Start, Unanswered
from pacefab.pacemaker.plan import plan_configuration
from pacefab.tasks.migrate import migrate_folder
from pacefab.tasks.scripts import Scripts

INSTALL = """\
#!/bin/bash
# installs a cluster: NAME NODE1 NODE2 NODE3 ADDRESS
name=$1; vip=$5
shift
pcs cluster setup "$name" $1 $2 $3
pcs resource create site IPaddr2 ip=$vip cidr_netmask=${MASK:-24}
read -p "where is the page? " page
pcs resource create page ocf:heartbeat:Dummy state="$page"
if [ -n "$MONITORING" ]; then
    pcs resource create agent ocf:heartbeat:Dummy
fi
gateway=$(lookup --token hunter2 gateway)
pcs resource create ping ocf:pacemaker:ping host_list=$gateway
if grep -q ipmi /proc/modules; then
    pcs stonith create ilo fence_ipmilan ip=192.0.2.9 password=$SECRET pcmk_host_list=$2
fi
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    made = tmp_path / "scripts"
    made.mkdir()
    (made / "install.sh").write_text(INSTALL)
    return made


def run(scripts: Path, answers: Path, **more: object) -> Path:
    """Migrate with a file of answers; an inventory without nodes is written, and refused."""
    target = answers.with_name("made.yaml")
    try:
        migrate_folder(Scripts(scripts, answers=answers, **more), target, force=True)  # type: ignore[arg-type]
    except UsageError as error:
        assert "nodes" in error.seen  # noqa: PT017  # the first run
    return target


def fill(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, text
    file.write_text(text.replace(old, new))


def arguments(file: Path, *words: str) -> None:
    """Fill in the places for arguments, in their order."""
    text = file.read_text()
    assert len(re.findall(r"(?m)^  -$", text)) == len(words), text
    for word in words:
        text = re.sub(r"(?m)^  -$", f"  - {word}", text, count=1)
    file.write_text(text)


def test_an_installer_with_five_arguments_migrates_in_two_runs(
    scripts: Path, tmp_path: Path
) -> None:
    file = tmp_path / "answers.yaml"
    run(scripts, file)
    asked = file.read_text()
    for line in (
        "# $1 install.sh:3: name=$1; vip=$5",
        "# $5 install.sh:3: name=$1; vip=$5",
        '# $4 install.sh:5: pcs cluster setup "$name" $1 $2 $3',
        "  MONITORING:", "  MASK:", '    "read page":', "# decides the condition at install.sh:9",
    ):  # fmt: skip
        assert line in asked, asked
    assert "decides install.sh:5: pcs cluster setup ? ? ? ?\n" in asked
    arguments(file, "lake", "n1", "n2", "n3", "192.0.2.7")
    fill(file, "  MONITORING:", "  MONITORING: yes")
    fill(file, '"read page":', '"read page": /srv/page')
    fill(file, '    "grep -q ipmi /proc/modules":', '    "grep -q ipmi /proc/modules": true')
    made = read_inventory(run(scripts, file))
    assert (made.cluster, [node.name for node in made.nodes]) == ("lake", ["n1", "n2", "n3"])
    assert made.resources["site"].parameters["ip"] == "192.0.2.7"
    assert made.resources["page"].parameters["state"] == "/srv/page"
    assert "agent" in made.resources
    assert "ping" not in made.resources  # its answer is still empty
    assert made.fencing is not None
    assert "ilo" in made.fencing.devices
    plan = plan_configuration(None, desired_configuration(made, lambda name: name))
    assert {"site", "page", "agent", "ilo"} <= {change.id for change in plan.changes}


def test_secrets_are_neither_asked_nor_written(scripts: Path, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    (scripts / "key.sh").write_text("#!/bin/bash\nread -s PASSWORD\npassword=${1:-hunter2}\n"
        "pcs cluster auth a b -u hacluster -p ${PASSWORD:-hunter2}\n"
        "pcs stonith create pdu fence_apc ip=192.0.2.8 passwd=$PASSWORD pcmk_host_list=a\n"
        "mysql -phunter2 -e 1 || pcs resource create db ocf:heartbeat:Dummy\n")  # fmt: skip
    target = run(scripts, file, entries=[("key.sh", "hunter2")])
    assert "hunter2" not in file.read_text()
    assert "hunter2" not in target.read_text()
    assert "passwd: {secret: pdu_passwd}" in target.read_text()


def test_an_answers_file_without_answers_changes_nothing(scripts: Path, tmp_path: Path) -> None:
    (scripts / "late.sh").write_text("#!/bin/bash\npcs resource create late ocf:heartbeat:Dummy\n")
    (scripts / "Makefile").write_text("all:\n\tpcs resource create made ocf:heartbeat:Dummy\n")
    file = tmp_path / "answers.yaml"
    first = run(scripts, file).read_text()
    text = file.read_text()
    assert run(scripts, file).read_text() == first
    assert file.read_text() == text


@pytest.mark.parametrize("option", ["target", "report", "html"])
def test_no_other_file_is_written_over_the_answers(
    scripts: Path, tmp_path: Path, option: str
) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("set:\n  MASK: 25\n")
    files = {"target": str(tmp_path / "made.yaml"), "report": "", "html": ""} | {option: str(file)}
    with pytest.raises(UsageError, match=r"it is the (inventory's file|file of --answers)"):
        migrate_folder(
            Scripts(scripts, answers=file), Path(files["target"]), files["report"], files["html"],
            force=True,
        )  # fmt: skip
    assert file.read_text() == "set:\n  MASK: 25\n"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("test -e /etc/pi && pcs resource create a Dummy", "test -e /etc/pi"),
        ("test -e /etc/pi || pcs resource create a Dummy", "test -e /etc/pi fails"),
        ("if ! test -e /etc/pi; then pcs resource create a Dummy; fi", "! test -e /etc/pi"),
        ("if test -e /etc/pi; then pcs resource create a Dummy\nelse pcs resource create b Dummy\n"
         "fi",
         "test -e /etc/pi"),
    ],
)  # fmt: skip
def test_whether_a_condition_holds_is_an_answer(tmp_path: Path, line: str, key: str) -> None:
    (tmp_path / "a.sh").write_text(f"pcs cluster setup lake n1 n2\n{line}\n")
    asked = migrate(tmp_path).asked
    assert asked is not None
    assert list(asked.conditions["a.sh"]) == [key]
    for holds in (True, False):
        start = Start(conditions={("a.sh", key): holds})
        done = migrate(tmp_path, start=start)
        assert ("  a:" in done.inventory) == holds
        assert ("  b:" in done.inventory) == ("else" in line and not holds)
        assert not any("assumed to hold" in one.reason for one in done.entries)


def test_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "1.sh").write_text("#!/bin/bash\npcs cluster setup lake n1 n2\n")
    for name in ("2_a", "3_b"):
        text = f"#!/bin/bash\npcs property set batch-limit={name[0]}\n"
        (scripts / f"{name}.sh").write_text(text)
    file = tmp_path / "answers.yaml"
    assert "batch-limit: 3" in run(scripts, file).read_text()
    text = file.read_text()
    entries = re.findall(r"(?m)^- script: .*\n", text)
    assert len(entries) == 3
    swapped = "".join([entries[0], entries[2], entries[1]])
    file.write_text(text.replace("".join(entries), swapped))
    assert "batch-limit: 2" in run(scripts, file).read_text()


def test_what_is_asked_later_is_added_and_no_line_is_lost(scripts: Path, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    run(scripts, file)
    arguments(file, "lake", "n1", "n2", "n3", "192.0.2.7")
    fill(file, "  MASK:", "  MASK: 25  # as in the old network")
    before = file.read_text()
    with (scripts / "install.sh").open("a") as script:
        script.write("pcs property set batch-limit=$LIMIT\nread -p 'rack? ' rack\n"
                     "pcs node attribute $1 rack=$rack\n")  # fmt: skip
    run(scripts, file)
    after = file.read_text()
    assert "  LIMIT:\n" in after
    assert '    "read rack":\n' in after
    kept = iter(after.split("\n"))
    assert all(line in kept for line in before.rstrip().split("\n"))  # all, in their order
    start = read_answers(after, "answers.yaml").start
    assert start.settings == {"MASK": "25"}
    assert start.entries[0].arguments == ("lake", "n1", "n2", "n3", "192.0.2.7")
    run(scripts, file)
    assert file.read_text() == after


def test_answers_in_braces_are_not_lost_either(scripts: Path, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("set: {MASK: 25}\nstart: [{script: install.sh, arguments: [lake, n1, n2]}]\n")
    run(scripts, file)
    start = read_answers(file.read_text(), "answers.yaml").start
    assert start.settings == {"MASK": "25"}
    assert start.entries[0].arguments == ("lake", "n1", "n2")


def test_arguments_that_are_left_empty_stay_unknown(scripts: Path, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    run(scripts, file)
    arguments(file, "lake", "n1", "", "n3", "192.0.2.7")
    done = migrate(scripts, start=read_answers(file.read_text(), "x").start)
    assert "192.0.2.7" in done.inventory
    (setup,) = [one for one in done.entries if one.text.startswith("pcs cluster setup")]
    assert setup.undecided
    assert "argument 3" in setup.reason


def test_hosts_are_part_of_the_answers(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    text = "#!/bin/bash\npcs cluster setup lake n1 n2\npcs node attribute $(hostname) role=$1\n"
    (scripts / "node.sh").write_text(text)
    file = tmp_path / "answers.yaml"
    run(scripts, file)
    assert re.search(r"# the host where it runs:\n  # node\.sh:3: .*\n(  #.*\n)*  on:\n",
                     file.read_text())  # fmt: skip
    one = "- {script: node.sh, on: n1, arguments: [web]}\n"
    file.write_text(f"start:\n{one}{one.replace('n1', 'n2').replace('web', 'db')}")
    made = read_inventory(run(scripts, file))
    assert {node.name: node.attributes for node in made.nodes} == {
        "n1": {"role": "web"}, "n2": {"role": "db"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("begin: []\n", 1, "the file has no begin: there are start, set, values, conditions"),
        ("set:\n  MASK: [1]\n", 2, "MASK has to be one text, no list"),
        ("set:\n  MASK: {a: b}\n", 2, "MASK has to be one text, no mapping"),
        ("set: MASK\n", 1, "set has to be a mapping"),
        ("set:\n  MASK: 1\n  MASK: 2\n", 3, "MASK is there twice"),
        ("set:\n  MASQ: 25\n", 2, "MASQ is in no file of the folder: MASK?"),
        ("start: install.sh\n", 1, "start has to be a list"),
        ("start:\n- install.sh\n", 2, "an entry of start has to be a mapping"),
        ("start:\n- script: instal.sh\n", 2, "instal.sh is not in the folder: install.sh?"),
        ("start:\n- script: install.sh\n  args: [a]\n", 3, "has no args: there are script"),
        ("start:\n- script: install.sh\n  arguments: a b\n", 3, "arguments has to be a list"),
        ("start:\n- script: install.sh\n  on: a;b\n", 3, "this is no name of a host"),
        ("values:\n  install.sh:\n    read pages: x\n", 3, "install.sh has no read pages"),
        ("set:\n\n  MASQ:\n\n  # more\nvalues:\n", 3, "MASQ is in no file"),
        ("values:\n  other.sh:\n    read page: x\n", 2, "other.sh is not in the folder"),
        ("conditions:\n  install.sh:\n    grep -q ipmi /proc/modules: maybe\n", 3,
         "has to be true or false"),
        ("set:\n  MASK: &a 1\n", 2, "an anchor"),
        ("set: {\n", 2, ""),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused_with_its_line(
    scripts: Path, tmp_path: Path, text: str, line: int, said: str
) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        migrate_folder(Scripts(scripts, answers=file), tmp_path / "made.yaml")
    assert f"{file}:{line}: " in refused.value.seen
    assert said in refused.value.seen
    assert file.read_text() == text
    assert not (tmp_path / "made.yaml").exists()


PIECES = ("\n", "  ", "- ", ":", "[", "]", "{", "}", "&a ", "*a", "|\n", "'", '"', "#", "null", "~",
          "true", "\t", "? ", "!!x ", "---\n", "<<: ", "\ue000", "%", "\r\n")  # fmt: skip


def said(text: str) -> tuple[object, ...]:
    """Return all that a file of answers says."""
    start = read_answers(text, "answers.yaml").start
    words = [(one.script, one.hosts, [word for word in one.arguments if word is not None])
             for one in start.entries]  # fmt: skip
    return words, start.settings, start.values, start.conditions


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 6), st.sampled_from(PIECES)), max_size=3
    ),
    indent=st.sampled_from(["  ", "    ", " "]),
)
def test_a_damaged_file_is_refused_or_keeps_its_answers(
    places: list[tuple[int, int, str]], indent: str
) -> None:
    text = ANSWERED.replace("  ", indent)
    for at, length, piece in places:
        begin = at % len(text)
        text = text[:begin] + piece + text[begin + length :]
    try:
        before = said(text)
    except UsageError as error:
        assert re.match(r"answers\.yaml:\d+: ", error.seen)  # noqa: PT017  # the other outcome
        return
    asked = Unanswered(
        (AskedStart("a.sh", {1: ("a.sh:1",), 2: ("a.sh:2",)}),), {"NEW": ("a.sh:3",)},
        {"a.sh": {"read new": ("a.sh:4",)}, "b.sh": {"read x": ("b.sh:1",)}},
        {"a.sh": {"test -e new": ("a.sh:5",)}},
    )  # fmt: skip
    after = write(asked, "scripts", read_answers(text, "answers.yaml"))
    assert said(after) == before
    assert write(asked, "scripts", read_answers(after, "answers.yaml")) == after


ANSWERED = """\
# said by hand
start:
- script: a.sh
  arguments:
  - lake
  -
  on: n1
- script: b.sh  # twice
  arguments: [x, "y z"]

set:
  MASK: 25
  EMPTY:

# typed
values:
  a.sh:
    "read page": /srv
    "$(hostname -I)":
conditions:
  a.sh:
    "test -e x": true
"""
