"""Inventories: what is read from them, and what is said about each broken one."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paramiko.config import SSHConfig
from ruamel.yaml import YAML

from pacefab.cli.inventory import ClusterInventory, read_inventory, render_schema
from pacefab.errors import UsageError
from pacefab.inventory.configuration import desired_configuration
from pacefab.report.text import render_error
from pacefab.services.memcached.memcached import Request

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "inventory").glob("*.yaml"))
patient = settings(deadline=None, max_examples=60)  # 10 ms each, more where others share the cores
BROKEN = sorted((ROOT / "tests" / "broken_inventories").glob("*.yaml"))
WITH_SECRETS = [file for file in BROKEN if b"hunter2" in file.read_bytes()]
START = "cluster: lab\nnodes: [c1, c2]\n"

labels = st.from_regex(r"[a-z]([a-z0-9-]{0,9}[a-z0-9])?", fullmatch=True)
addresses = st.ip_addresses(network="192.0.2.0/24") | st.ip_addresses(network="2001:db8::/32")
ports = st.integers(1, 65535)
numbers = st.integers(1, 2**31 - 1)
texts = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=12)
nodes = st.fixed_dictionaries(
    {"name": st.lists(labels, min_size=1, max_size=3).map(".".join)},
    optional={
        "address": addresses.map(str),
        "user": st.from_regex(r"[a-z_][a-z0-9_-]{0,30}", fullmatch=True),
        "port": ports,
        "role": st.just("controller"),
        "attributes": st.dictionaries(labels, texts, max_size=3),
    },
)
sections = st.fixed_dictionaries(
    {},
    optional={
        "listen": st.just("auto") | addresses.map(str) | st.just("10.0.0.0/24,::1"),
        "port": ports,
        "memory": numbers,
        "max_connections": numbers,
    },
)
inventories = st.builds(
    lambda first, rest: {**first, **rest},
    st.fixed_dictionaries(
        {"cluster": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", fullmatch=True)}
    ),
    st.fixed_dictionaries(
        {
            "nodes": st.lists(
                nodes,
                min_size=1,
                max_size=5,
                unique_by=(
                    lambda node: node["name"],
                    lambda node: node.get("address", node["name"]),
                ),
            )
        },
        optional={"services": st.fixed_dictionaries({}, optional={"memcached": sections})},
    ),
)
keys = st.sampled_from(
    [
        "cluster",
        "nodes",
        "properties",
        "maintenance-mode",
        "fencing",
        "devices",
        "agent",
        "parameters",
        "per_node",
        "secret",
        "resources",
        "clone",
        "operations",
        "constraints",
        "order",
        "first",
        "score",
        "services",
        "memcached",
        "name",
        "address",
        "port",
        "listen",
        "memory",
        "x",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | labels
shapes = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
)


def dump(data: object) -> str:
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False  # in flow style it leaves ":0" bare, and cannot read that
    yaml.dump(data, stream)
    return stream.getvalue()


def read_text(text: str) -> ClusterInventory:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "cluster.yaml"
        file.write_text(text, encoding="utf-8")
        return read_inventory(file)


def said_about(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_inventory(file)
    return "\n".join(render_error(caught.value)) + "\n"


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_inventory_is_reported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert said_about(Path(file.name)) == file.with_suffix(".txt").read_text()


def test_there_are_enough_broken_inventories_each_with_its_text() -> None:
    assert len(BROKEN) >= 100
    expected = {file.with_suffix(".txt") for file in BROKEN}
    assert expected == set((ROOT / "tests" / "broken_inventories").glob("*.txt"))


@pytest.mark.parametrize("file", WITH_SECRETS, ids=lambda file: file.stem)
def test_no_secret_is_repeated(file: Path) -> None:
    assert "hunter2" not in said_about(file)


def test_an_absent_file_a_folder_and_a_path_through_a_file_are_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "No such file or directory" in said_about(tmp_path / "absent.yaml")
    assert "Is a directory" in said_about(tmp_path)
    assert "Not a directory" in said_about(tmp_path / "file" / "cluster.yaml")


def test_a_file_without_an_end_is_reported() -> None:
    assert "more than 8 MiB" in said_about(Path("/dev/zero"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").touch(mode=0)
    assert "Permission denied" in said_about(tmp_path / "cluster.yaml")


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_can_be_used_as_it_is(file: Path) -> None:
    assert file.read_text().startswith("# yaml-language-server: $schema=schema.json\n")
    inventory = read_inventory(file)
    assert len(inventory.nodes) == {"two-sites.yaml": 4, "remote-nodes.yaml": 5}.get(file.name, 3)
    assert desired_configuration(inventory, "secret {}".format)


def test_the_example_of_settings_gives_them() -> None:
    inventory = read_inventory(ROOT / "inventory" / "controllers.yaml")
    assert [node.name for node in inventory.nodes] == [f"controller{i}-vm" for i in (1, 2, 3)]
    assert inventory.services.memcached
    expected = Request("192.0.2.0/24", port=11211, memory=512, max_connections=4096)
    assert inventory.services.memcached.request() == expected


def test_the_schema_is_up_to_date() -> None:
    committed = (ROOT / "inventory" / "schema.json").read_text()
    assert committed == render_schema(), "write it anew: python scripts/schema"


def test_the_schema_takes_a_node_that_is_only_a_name() -> None:
    name, mapping = json.loads(render_schema())["properties"]["nodes"]["items"]["anyOf"]
    assert name["type"] == "string"
    assert mapping == {"$ref": "#/$defs/Node"}


def test_a_node_that_is_only_a_name() -> None:
    assert read_text(START) == read_text("cluster: lab\nnodes: [{name: c1}, {name: c2}]\n")


@pytest.mark.parametrize("section", ["memcached:", "memcached: {}", "memcached: ~"])
def test_a_service_without_settings_has_its_defaults(section: str) -> None:
    services = read_text(f"{START}services:\n  {section}\n").services
    assert services.memcached
    assert services.memcached.request() == Request()


def test_a_service_that_is_not_named_has_no_section() -> None:
    assert read_text(START).services.memcached is None


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + START.encode())
    assert read_inventory(file) == read_text(START)


def test_what_ssh_config_says_wins_over_the_inventory() -> None:
    inventory = read_text(
        "cluster: lab\nnodes:\n- {name: c1, address: 192.0.2.1, user: operator, port: 2222}\n- c2\n"
    )
    config = SSHConfig.from_text("Host c1\n  User root\n")
    config.parse(io.StringIO(inventory.ssh_config("c1")))
    expected = {"hostname": "192.0.2.1", "user": "root", "port": "2222"}
    assert dict(config.lookup("c1")) == expected
    assert inventory.ssh_config("c2") == inventory.ssh_config("elsewhere") == ""


@patient
@given(inventories)
def test_what_is_written_is_read(desired: dict[str, Any]) -> None:
    assert read_text(dump(desired)).model_dump(mode="json", exclude_unset=True) == desired


@patient
@given(shapes)
def test_data_of_any_shape_is_read_or_reported(data: object) -> None:
    read_or_reported(dump(data))


@patient
@given(st.text() | st.text(alphabet="abc:-[]{}&*!?'\"|>#%@ \n\t,1"))
def test_text_of_any_kind_is_read_or_reported(text: str) -> None:
    read_or_reported(text)


def read_or_reported(text: str) -> None:
    """Assert that an inventory ends in a value or in one screen, never in another error."""
    screen: list[str] = []
    try:
        read_text(text)
    except UsageError as error:
        screen = render_error(error)
    assert len(screen) <= 13


def fab(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("fab")
    return subprocess.run(
        [program, *arguments],
        env=os.environ | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_tasks_end_with_status_2_where_the_inventory_is_broken() -> None:
    done = fab("-H", "c1", "status", "--inventory", str(ROOT))
    assert done.returncode == 2
    assert "Is a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_option_wins_over_the_environment() -> None:
    done = fab("status", "--inventory", "option.yaml", PACEFAB_INVENTORY="environment.yaml")
    assert "option.yaml" in done.stderr
    assert "environment.yaml" not in done.stderr
    assert "environment.yaml" in fab("status", PACEFAB_INVENTORY="environment.yaml").stderr


def test_without_both_the_usual_file_is_read(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "fabfile", tmp_path / "fabfile")
    assert "none was named" in fab("status", cwd=tmp_path).stderr
    usual = tmp_path / "inventory" / "cluster.yaml"
    usual.parent.mkdir()
    usual.touch()
    assert f"read the inventory {usual}" in fab("status", cwd=tmp_path).stderr


def test_who_uses_no_inventory_does_not_wait_for_its_libraries() -> None:
    program = "import sys, fabfile; print({'pydantic', 'ruamel'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
