"""An inventory from a cluster that is there: nothing is lost, and nothing is left to do."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from lxml import etree

from pacefab.cli.inventory import read_inventory
from pacefab.cli.options import write_private
from pacefab.errors import UsageError
from pacefab.export.comparison import lost
from pacefab.export.draft import Source
from pacefab.export.export import Exported, export
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker.cib import Cib, parse
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from tests.unit.test_command_line_programs import run

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = ROOT / "tests/data/export/everything.xml"
CAPTURED = sorted((ROOT / "tests/captured").glob("*/cib-*.xml"))
SECRET = 'h"unt&er2'  # noqa: S105  # of tests


def exported(text: str) -> Exported:
    return export(Source(parse(text)))


def changes(cib: Cib, done: Exported) -> list[str]:
    """Return what a plan of the inventory would do; the secrets are those of the cluster."""
    desired = desired_configuration(done.inventory, lambda _: SECRET)
    return [str(c) for c in plan_configuration(cib, desired).changes if c.kind != "note"]


@pytest.mark.parametrize("file", CAPTURED, ids=lambda f: f"{f.parent.name}-{f.stem}")
def test_a_real_cluster_is_said_whole(file: Path) -> None:
    text = file.read_text()
    done = exported(text)
    assert not done.unsaid
    assert not changes(parse(text), done)


def test_everything_is_said_and_nothing_is_left_to_do(tmp_path: Path) -> None:
    text = EVERYTHING.read_text()
    done = exported(text)
    assert not done.unsaid
    assert not changes(parse(text), done)
    file = tmp_path / "found.yaml"
    file.write_text(done.text)
    assert read_inventory(file) == done.inventory
    assert done.rendered is not None
    assert not changes(done.rendered, done)  # deployed on bare nodes, the second plan is empty


def test_what_an_operator_changes_afterwards_is_planned() -> None:
    text = EVERYTHING.read_text()
    done = exported(text)
    for old, new in (
        ('hours="22-23"', 'hours="20-23"'),
        ('value="/etc/left: vm1"', 'value="/etc/other"'),
        ('image="example.org/cache:1"', 'image="example.org/cache:2"'),
        ('loss-policy="demote"', 'loss-policy="stop"'),
        ('score-attribute="vm-score"', 'score-attribute="vm-weight"'),
        ('name="interleave" value="true"', 'name="interleave" value="false"'),
        ('id="op-timeout" name="timeout" value="70s"', 'id="op-timeout" name="timeout" value="9s"'),
        ('name="allow-migrate" value="true"', 'name="allow-migrate" value="false"'),
    ):
        assert old in text
        cib = parse(text.replace(old, new))
        planned = changes(cib, done)
        assert planned, old
        desired = desired_configuration(done.inventory, lambda _: SECRET)
        after = render_configuration(cib, plan_configuration(cib, desired))
        assert not changes(after, done), old
        assert not lost(parse(text).root, after.root)[0], old


def test_sets_of_which_an_inventory_says_nothing_stay() -> None:
    cib = parse(EVERYTHING.read_text())
    done = exported(EVERYTHING.read_text())
    short = done.inventory.model_copy(
        update={
            "property_sets": None,
            "default_sets": None,
            "resources": {
                name: entry.model_copy(update={"further": None})
                for name, entry in done.inventory.resources.items()
            },
        }
    )
    desired = desired_configuration(short, lambda _: SECRET)
    after = render_configuration(cib, plan_configuration(cib, desired))
    assert etree.tostring(after.root).count(b"<rule ") == EVERYTHING.read_text().count("<rule ")


def test_a_bundle_without_a_resource_stays_where_it_is() -> None:
    empty = '<bundle id="proxy"><podman image="x:1"/></bundle>'
    text = EVERYTHING.read_text().replace('<clone id="db-clone">', f'{empty}<clone id="db-clone">')
    done = exported(text)
    assert not done.unsaid
    assert done.rendered is not None
    ids = [element.get("id") for element in done.rendered.all_resources]
    assert ids.index("cache") + 1 == ids.index("proxy") == ids.index("db-clone") - 1


def test_secrets_are_named_and_nowhere() -> None:
    text = EVERYTHING.read_text().replace('<primitive id="cached"', '<odd/><primitive id="cached"')
    done = exported(text.replace('id="night-policy" name="no-quorum-policy" value="stop"',
                                 f'id="night-policy" name="token" value="{"s" * 9}"'))  # fmt: skip
    assert "power_password" in done.secrets
    said = done.text + "".join(unsaid.xml for unsaid in done.unsaid)
    assert "hunt" not in said
    assert "unt&amp;er2" not in said
    assert "s" * 9 not in said


def test_what_cannot_be_said_is_named_with_its_xml() -> None:
    text = EVERYTHING.read_text().replace("<podman ", '<unknown image="x"/><podman ')
    done = exported(text)
    assert done.unsaid[0].what == "bundle cache"
    assert '<unknown image="x"/>' in done.unsaid[0].xml
    assert "# Not in this inventory: bundle cache" in done.text


def test_the_comparison_sees_what_readers_leave_out() -> None:
    text = EVERYTHING.read_text()
    one = parse(text).root
    for old, new in (
        ('port="6379"', 'port="6380"'),
        ('days="3"', 'days="4"'),
        ('sequential="false"', 'sequential="true"'),
        ('<resource_ref id="vm1"/><resource_ref id="cache"/>',
         '<resource_ref id="cache"/><resource_ref id="vm1"/>'),
        ('id-ref="vm-operations"', ""),
        ('name="cpu" value="8"', 'name="cpu" value="9"'),
    ):  # fmt: skip
        assert old in text
        gone, added = lost(one, parse(text.replace(old, new)).root)
        assert gone, old
        assert added, old
    assert lost(one, parse(text.replace('id="vm1-left-rule"', 'id="another"')).root) == ([], [])


def test_a_file_is_written_once_and_read_by_no_one_else(tmp_path: Path) -> None:
    target = tmp_path / "inventory" / "found.yaml"
    arguments = [
        str(Path(sys.executable).with_name("pacefab")),
        "export",
        "--cib",
        str(EVERYTHING),
        "--to",
        str(target),
    ]
    first = run(arguments)
    assert first.returncode == 0, first.stderr
    assert "power_password" in first.stdout
    assert stat.S_IMODE(target.stat().st_mode) & 0o007 == 0
    again = run(arguments)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert run([*arguments, "--force"]).returncode == 0


def test_what_cannot_be_written_leaves_the_former_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "found.yaml"
    target.write_text("mine\n")
    target.chmod(0o600)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("pacefab.cli.options.os.fsync", full)
        with pytest.raises(UsageError, match="No space left"):
            write_private(target, "half an inventory\n")
    assert target.read_text() == "mine\n"
    write_private(target, "whole\n")
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("whole\n", 0o600)
    assert [file.name for file in tmp_path.iterdir()] == ["found.yaml"]


def test_an_export_that_is_killed_leaves_the_former_file_whole(tmp_path: Path) -> None:
    target = tmp_path / "found.yaml"
    target.write_text("mine\n")
    killed = (
        "import os, sys; from pathlib import Path; from pacefab.cli import options\n"
        "options.os.fsync = lambda _: os.kill(os.getpid(), 9)\n"
        "options.write_private(Path(sys.argv[1]), 'half')"
    )
    done = run([sys.executable, "-c", killed, str(target)])
    assert done.returncode == -9
    assert target.read_text() == "mine\n"
    write_private(target, "whole\n")  # what it left behind is in nobody's way
    assert [file.name for file in tmp_path.iterdir()] == ["found.yaml"]
