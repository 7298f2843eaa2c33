"""A whole legacy tree, written in the style of the real ones, against its inventory and report.

tests/data/legacy/openstack/expected was worked out by hand from the scripts, line by line; the
README.md beside it shows how. A difference is a mistake of ours until the scripts say otherwise:
work out what has to come of a line before you look at what `invoke migrate` makes of it.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.inventory.configuration import desired_configuration
from pacefab.legacy.answers.reading import read_answers
from pacefab.legacy.migrate import migrate
from pacefab.legacy.model import Fate, NextStep
from pacefab.pacemaker.model import Primitive
from pacefab.report.migration import print_report, render_json

DATA = Path(__file__).resolve().parents[1] / "data" / "legacy" / "openstack"
SCRIPTS = DATA / "scripts"
SECRETS = ("Hunter2Hunter2", "QQEWPOZXCVMNBASDFGHJ", "Sw0rdfish", "Pow3rSwitch")
RIVAL = "neutron-openvswitch-agent-compute-clone"  # of one unit with another resource
PCS = re.compile(
    r"(?<![\w./-])pcs\s+(-f\s+\S+\s+)?"
    r"(resource|stonith|constraint|property|cluster|status|resoure|propery)\b"
)


@pytest.fixture(scope="module")
def done() -> Any:
    return migrate(SCRIPTS, name="cluster")


@pytest.fixture(scope="module")
def report(done: Any) -> dict[str, Any]:
    account: dict[str, Any] = json.loads(render_json(done))
    return account


def test_the_tree_is_as_large_as_real_ones() -> None:
    scripts = list(SCRIPTS.glob("*.sh"))
    texts = [file.read_bytes().decode(errors="replace") for file in scripts]
    assert len(scripts) >= 10
    assert sum(len(PCS.findall(text)) for text in texts) >= 150


def test_the_inventory_is_the_one_expected(done: Any) -> None:
    assert done.inventory == (DATA / "expected" / "inventory.yaml").read_text(encoding="utf-8")


def test_the_report_is_the_one_expected(report: dict[str, Any]) -> None:
    expected = json.loads((DATA / "expected" / "report.json").read_text(encoding="utf-8"))
    assert list(report) == list(expected)
    for part in expected:
        found = report[part]
        if part in {fate.value for fate in Fate}:
            assert {one["step"] for one in found} <= {step.value for step in NextStep}
            found = [{key: one[key] for key in one if key != "step"} for one in found]
        assert found == expected[part], part


def test_the_same_tree_gives_the_same_texts(done: Any) -> None:
    again = migrate(SCRIPTS, name="cluster")
    assert again.inventory == done.inventory
    assert render_json(again) == render_json(done)


def test_the_product_reads_what_is_written(tmp_path: Path, done: Any) -> None:
    file = tmp_path / "migrated.yaml"
    file.write_text(done.inventory, encoding="utf-8")
    inventory = read_inventory(file)
    assert inventory.cluster == "openstack"
    assert list(inventory.sections) == ["haproxy", "vips", "galera", "memcached"]
    assert len(inventory.resources) == 41
    assert len(inventory.constraints.order) == 40
    assert [node.name for node in inventory.remotes] == ["compute1", "compute2"]
    (connection, _) = (
        one
        for one in desired_configuration(inventory, lambda name: name).resources
        if isinstance(one, Primitive) and one.agent == "ocf:pacemaker:remote"
    )
    assert connection.parameters == {"reconnect_interval": "60"}
    assert [(one.name, one.interval) for one in connection.operations] == [("monitor", "20")]


def test_with_answers_nothing_of_the_compute_nodes_is_left_to_add(done: Any) -> None:
    """What the live cluster prints is in answers.yaml; it places resources by node attributes."""
    answers = DATA / "answers.yaml"
    start = read_answers(answers.read_text(), str(answers)).start
    made = migrate(SCRIPTS, name="cluster", start=start)
    assert made.inventory == (DATA / "expected" / "answered.yaml").read_text(encoding="utf-8")
    open_still = {(one.place, one.text) for one in made.entries if one.fate is Fate.UNTRANSLATED}
    before = {(one.place, one.text) for one in done.entries if one.fate is Fate.UNTRANSLATED}
    assert open_still < before
    assert not any(place.file == "node_compute.sh" for place, _ in open_still)


def test_the_table_shows_texts_as_they_are(done: Any) -> None:
    stream = io.StringIO()
    print_report(done, stream)
    shown = re.sub(r"[\s│]+", "", stream.getvalue())
    for one in done.entries:
        for text in (str(one.place), one.text, one.reason):
            assert all(word in shown for word in re.split(r"[\s│]+", text)), text
    assert "lines and findings: 176 translated, 78 left out" in stream.getvalue()


def test_every_pcs_line_is_in_the_account(done: Any) -> None:
    reported = {(entry.place.file, entry.place.line) for entry in done.entries}
    for file in SCRIPTS.glob("*.sh"):
        for number, line in enumerate(file.read_bytes().decode(errors="replace").split("\n"), 1):
            if PCS.search(line):
                assert (file.name, number) in reported, f"{file.name}:{number}: {line}"


def test_no_secret_leaves_the_scripts(done: Any, report: dict[str, Any]) -> None:
    for secret in SECRETS:
        assert any(secret in file.read_text(errors="replace") for file in SCRIPTS.iterdir())
        assert secret not in done.inventory
        assert secret not in json.dumps(report)


def test_without_services_everything_is_a_resource(tmp_path: Path, done: Any) -> None:
    target = tmp_path / "plain.yaml"
    target.write_text(migrate(SCRIPTS, plain=True).inventory, encoding="utf-8")
    inventory = read_inventory(target)
    assert not inventory.sections
    assert len(inventory.resources) == 41 + 15  # lb-haproxy, 12 VIPs, galera, memcached
    desired = desired_configuration(inventory, lambda name: name)
    made = done.configuration.resources
    assert {one.id for one in desired.resources} == {one.id for one in made} - {RIVAL}
    assert len(inventory.constraints.order) == 40 + 12


def test_the_classic_part_of_the_tree_becomes_the_classic_services(tmp_path: Path) -> None:
    """Of the scripts for cluster, HAProxy, VIPs, Galera and memcached alone, services remain."""
    names = ("readini.sh", "cluster_variables.ini", "1_*", "2_*", "3_*", "4_*", "node_cluster_*",
             "node_haproxy_*", "node_galera_*")  # fmt: skip
    folder = tmp_path / "classic"
    folder.mkdir()
    for file in (found for name in names for found in SCRIPTS.glob(name)):
        shutil.copy(file, folder)
    target = tmp_path / "classic.yaml"
    target.write_text(migrate(folder).inventory, encoding="utf-8")
    inventory = read_inventory(target)
    assert list(inventory.sections) == ["haproxy", "vips", "galera", "memcached"]
    assert not inventory.resources
    assert [order.first for order in inventory.constraints.order] == ["lb-haproxy-clone"]
    vips = {vip.name: vip.address for vip in inventory.sections["vips"].addresses}
    assert vips["db"] == "192.0.2.101"
    assert vips["qpid"] == "192.0.2.112"
