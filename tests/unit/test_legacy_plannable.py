# ruff: noqa: ISC004  (commands stand as they would be typed)
"""What migrate writes, the inventory's reader takes and a plan on an empty cluster too."""

from __future__ import annotations

from pathlib import Path

import pytest

from pacefab.cli.inventory import ClusterInventory, read_inventory
from pacefab.inventory.configuration import desired_configuration
from pacefab.legacy.migrate import migrate
from pacefab.legacy.model import Fate, Migration
from pacefab.pacemaker.cib import parse
from pacefab.pacemaker.plan import plan_configuration

SETUP = "pcs cluster setup lake n1 n2 n3\npcs property set stonith-enabled=false\n"
EMPTY = """<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0"
admin_epoch="0"><configuration><crm_config/><nodes>{}</nodes><resources/><constraints/>
</configuration><status/></cib>"""
RULE = "pcs constraint location {} rule resource-discovery=exclusive score=0 rack eq {}\n"
TWO = "pcs resource create a systemd:httpd{0}\npcs resource create b systemd:httpd.service{0}\n"
# What scripts say, and the lines (from the third on) of which the report says that they are not in.
CASES = {
    "devices that name no hosts": ("pcs stonith create f fence_ipmilan ip=192.0.2.1\n"
                                   "pcs stonith create g fence_ipmilan ip=192.0.2.2\n", {3, 4}),
    "one with hosts, one without": ("pcs stonith create f fence_xvm pcmk_host_list=n1\n"
                                    "pcs stonith create g fence_ipmilan ip=192.0.2.2\n", {4}),
    "devices that leave a node out": ("pcs stonith create f fence_xvm pcmk_host_list='n1 n2'\n"
                                      "pcs stonith create g fence_xvm pcmk_host_list=n9\n", set()),
    "a device of cluster-glue": ("pcs stonith create f external/ipmi hostname=n1\n"
                                 "pcs stonith create g fence_xvm pcmk_host_list=n1\n", {3}),
    "a device whose name is none": ("pcs stonith create f:1 fence_xvm pcmk_host_list=n1\n"
                                    "pcs stonith create g fence_xvm pcmk_host_list='n2 n3'\n", {3}),
    "a device and its constraint": ("pcs stonith create f fence_xvm pcmk_host_list=n1\n"
                                    "pcs constraint location f avoids n1\n", {4}),
    "two on one unit": (TWO.format(""), {4}),
    "two on one unit, apart by a rule": (
        TWO.format("") + RULE.format("a", "x") + RULE.format("b", "y"), set()),
    "clones on one unit, apart": (
        TWO.format(" clone") + RULE.format("a-clone", "x") + RULE.format("b-clone", "y"), set()),
    "clones on one unit, not apart": (
        TWO.format(" clone") + RULE.format("a-clone", "x") + RULE.format("b-clone", "x"), {4, 6}),
    "groups on one unit, apart": (
        "pcs resource create a systemd:httpd --group g\n"
        "pcs resource create b systemd:httpd --group h\n"
        + RULE.format("g", "x") + RULE.format("h", "y"), set()),
    "ids that XML does not have": ("pcs resource create 1x Dummy\npcs resource create ok Dummy\n"
                                   "pcs constraint order 1x then ok\n", {3, 5}),
    "a text that XML does not have": ("pcs resource create a Dummy state=$'\\x01'\n"
                                      "pcs resource create b Dummy\n", {3}),
    "a group with the name of a resource": ("pcs resource create a Dummy --group a\n", {3}),
    "a VIP that is no address": ("pcs resource create vip-x IPaddr2 ip=192.0.2.999\n", set()),
    "a constraint about the same again": (
        "pcs resource create a Dummy\npcs resource create b Dummy\n"
        "pcs constraint order a then b\npcs constraint order a then b kind=Optional --force\n",
        set()),
    "properties that are none": ("pcs property set batch-limit=x no-quorum-policy=perhaps\n", {3}),
}  # fmt: skip


def planned(tmp_path: Path, done: Migration) -> ClusterInventory:
    """Return the inventory, read from a file, and planned on a cluster that has its nodes alone."""
    file = tmp_path / "made.yaml"
    file.write_text(done.inventory, encoding="utf-8")
    made = read_inventory(file)
    nodes = "".join(f'<node id="{at}" uname="{one.name}"/>' for at, one in enumerate(made.nodes, 1))
    desired = desired_configuration(made, lambda name: name)
    plan_configuration(parse(EMPTY.format(nodes)), desired, prune=False, whole=True)
    return made


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(("text", "left"), CASES.values(), ids=CASES)
def test_what_is_written_can_be_planned_and_what_is_left_is_reported(
    tmp_path: Path, text: str, left: set[int], plain: bool
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "a.sh").write_text(SETUP + text)
    done = migrate(scripts, plain=plain)
    made = planned(tmp_path, done)
    fates: dict[int, set[Fate]] = {}
    for one in done.entries:
        fates.setdefault(one.place.line, set()).add(one.fate)
    lines = range(3, 3 + text.count("\n"))
    assert {line for line in lines if Fate.UNTRANSLATED in fates[line]} == left
    words = {line: (SETUP + text).splitlines()[line - 1].split() for line in lines}
    devices = made.fencing.devices if made.fencing else {}
    for line, (_, noun, verb, *rest) in words.items():
        if verb == "create" and "that have" not in text:
            there = {"stonith": devices, "resource": {**made.resources, **made.sections}}[noun]
            grouped = f"--group {rest[0]}" in " ".join(rest)
            assert (rest[0] in there) == (line not in left or grouped), line


def test_nodes_with_one_address_or_a_name_that_is_none_do_not_take_the_others_along(
    tmp_path: Path,
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    text = "pcs cluster setup lake n1 addr=192.0.2.1 n2 addr=192.0.2.1 n_3\n"
    (scripts / "a.sh").write_text(text + "pcs property set stonith-enabled=false\n"
        "pcs resource create a Dummy\npcs constraint location a prefers n_3\n")  # fmt: skip
    done = migrate(scripts)
    made = planned(tmp_path, done)
    assert [(node.name, node.address) for node in made.nodes] == [
        ("n1", "192.0.2.1"), ("n2", None),
    ]  # fmt: skip
    assert not made.constraints.location
    untranslated = {one.place.line for one in done.entries if one.fate is Fate.UNTRANSLATED}
    assert {1, 4} <= untranslated
